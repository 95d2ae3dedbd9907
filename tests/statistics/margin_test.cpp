#include "tern/statistics/margin.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace tern;
using namespace tern::statistics;
using doctest::Approx;

TEST_CASE("margin: 1 - ppl(a)/ppl(b) of a difference, and back") {
  const double nats_a = 3.1, nats_b = 3.3;
  CHECK(margin(nats_b - nats_a) == Approx(1 - std::exp(nats_a) / std::exp(nats_b)));
  CHECK(margin(0) == 0);
  CHECK(margin(std::log(1.05)) == Approx(1 - 1 / 1.05));
  CHECK(margin(-std::log(1.05)) == Approx(-0.05));
  CHECK(margin(1e-12) == Approx(1e-12));
  for (const double m : {-1.2, -0.05, 0.0, 1e-9, 0.05, 0.9})
    CHECK(margin(difference_of(m)) == Approx(m).epsilon(1e-14));
}

TEST_CASE("margin: an interval turns end by end and keeps its order") {
  const Interval m = margin(Interval{-0.08, -0.14, -0.03});
  CHECK(m.point == Approx(1 - std::exp(0.08)));
  CHECK(m.low == Approx(1 - std::exp(0.14)));
  CHECK(m.high == Approx(1 - std::exp(0.03)));
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(margin(Interval{0, -infinity, infinity}).low == -infinity);
  CHECK(margin(Interval{0, -infinity, infinity}).high == 1);
}

TEST_CASE("margin: bits per byte") { CHECK(bits_per_byte(std::log(2.0) * 80, 40) == Approx(2)); }

TEST_CASE("margin: a user's difference weighs tokens alike, users weigh the same") {
  const UserDifferences brief = {{{3, 10}}}, long_one = {{{10, 100}, {0, 50}}, {{5, 150}}};
  CHECK(user_difference(brief) == 0.3);
  CHECK(user_difference(long_one) == 0.05);
  const std::vector<UserDifferences> users = {brief, long_one};
  CHECK(user_differences(users) == std::vector<double>{0.3, 0.05});
  CHECK(t_interval(user_differences(users)).point == Approx(0.175));
}

TEST_CASE("margin: chunks that say nothing are named") {
  CHECK_THROWS_WITH_AS(user_difference({}), "user's difference: expected at least 1 chunk, got 0", ValueError);
  CHECK_THROWS_AS(user_difference({{}, {}}), ValueError);
  CHECK_THROWS_WITH_AS(user_difference({{{1, 5}}, {{1, 5}, {1, 0}}}),
                       "user's difference: document 1, chunk 1: expected at least 1 token, got 0", ValueError);
  CHECK_THROWS_WITH_AS(user_difference({{{std::numeric_limits<double>::infinity(), 5}}}),
                       "user's difference: document 0, chunk 0: expected finite nats, got inf", ValueError);
  const std::vector<UserDifferences> second_empty = {{{{1, 5}}}, {}};
  CHECK_THROWS_WITH_AS(user_differences(second_empty), "user 1: user's difference: expected at least 1 chunk, got 0",
                       ValueError);
}
