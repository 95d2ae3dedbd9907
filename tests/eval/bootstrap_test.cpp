#include "tern/eval/bootstrap.hpp"

#include <doctest/doctest.h>

using namespace tern;
using doctest::Approx;

namespace {

/// `chunks` chunks of 10 tokens at 3 +- 0.5 nats, and the same ones `better` nats lower, give or take `spread`.
struct Pair {
  Pair(std::size_t chunks, double better, double spread, std::uint64_t seed) {
    Random random(seed);
    for (std::size_t i = 0; i < chunks; ++i) {
      const double level = 3 + 0.5 * random.normal();
      b.push_back({10 * level, 10});
      a.push_back({10 * (level - better + spread * random.normal()), 10});
    }
  }
  std::vector<ChunkNll> a, b;
};

}  // namespace

TEST_CASE("bootstrap: the point is the margin over all tokens") {
  const std::vector<ChunkNll> a = {{10, 5}, {30, 10}}, b = {{12, 5}, {33, 10}};
  Random random(1);
  const Interval margin = paired_bootstrap(a, b, random);
  CHECK(margin.point == Approx(1 - std::exp(40.0 / 15) / std::exp(45.0 / 15)));
  // Resamples are both chunks, the first twice, or the second twice.
  CHECK(margin.low == Approx(1 - std::exp(-0.3)));
  CHECK(margin.high == Approx(1 - std::exp(-0.4)));
  // Half of them are both: with tails of 0.3 the interval is that one value.
  const Interval narrow = paired_bootstrap(a, b, random, {.level = 0.4});
  CHECK(narrow.low == Approx(margin.point));
  CHECK(narrow.high == Approx(margin.point));
}

TEST_CASE("bootstrap: quantiles interpolate between neighbours") {
  const std::vector<double> sorted = {0, 1, 2, 3, 10};
  CHECK(detail::quantile(sorted, 0) == 0);
  CHECK(detail::quantile(sorted, 0.125) == 0.5);
  CHECK(detail::quantile(sorted, 0.5) == 2);
  CHECK(detail::quantile(sorted, 1) == 10);
}

TEST_CASE("bootstrap: equal adapters have the margin 0, whatever the chunks") {
  const Pair pair(20, 0, 0, 2);
  Random random(3);
  const Interval margin = paired_bootstrap(pair.b, pair.b, random);
  CHECK(margin.point == 0);
  CHECK(margin.low == 0);
  CHECK(margin.high == 0);
}

TEST_CASE("bootstrap: pairing removes what the chunks share") {
  const Pair pair(50, 0.05, 0.01, 4);
  Random random(5);
  const Interval margin = paired_bootstrap(pair.a, pair.b, random);
  CHECK(margin.low > 0.04);
  CHECK(margin.high < 0.06);
  CHECK(margin.low < margin.point);
  CHECK(margin.point < margin.high);
}

TEST_CASE("bootstrap: the interval covers the truth about as often as it says") {
  int covered = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Pair pair(40, 0.05, 0.05, seed);
    Random random(seed + 1000);
    const Interval margin = paired_bootstrap(pair.a, pair.b, random, {.resamples = 400, .level = 0.9});
    const double truth = 1 - std::exp(-0.05);
    covered += margin.low <= truth && truth <= margin.high;
  }
  CHECK(covered >= 165);
  CHECK(covered <= 192);
}

TEST_CASE("bootstrap: the generator decides") {
  const Pair pair(10, 0.05, 0.05, 6);
  Random one(7), two(7), three(8);
  const Interval first = paired_bootstrap(pair.a, pair.b, one);
  const Interval second = paired_bootstrap(pair.a, pair.b, two);
  const Interval third = paired_bootstrap(pair.a, pair.b, three);
  CHECK(first.low == second.low);
  CHECK(first.high == second.high);
  CHECK(first.low != third.low);
}

TEST_CASE("bootstrap: one chunk tells nothing of its spread") {
  const std::vector<ChunkNll> a = {{10, 5}}, b = {{12, 5}};
  Random random(1);
  const Interval margin = paired_bootstrap(a, b, random);
  CHECK(margin.point == Approx(1 - std::exp(-0.4)));
  CHECK(margin.low == -std::numeric_limits<double>::infinity());
  CHECK(margin.high == 1);
}

TEST_CASE("bootstrap: chunks that do not match are refused") {
  const std::vector<ChunkNll> none, one = {{10, 5}}, two = {{10, 5}, {10, 5}}, other = {{10, 4}}, empty = {{0, 0}},
                                    broken = {{std::numeric_limits<double>::infinity(), 5}};
  Random r(1);
  CHECK_THROWS_WITH_AS(paired_bootstrap(none, none, r),
                       "bootstrap: expected as many chunks of a as of b, at least 1, got 0 and 0", ValueError);
  CHECK_THROWS_WITH_AS(paired_bootstrap(one, two, r),
                       "bootstrap: expected as many chunks of a as of b, at least 1, got 1 and 2", ValueError);
  CHECK_THROWS_WITH_AS(paired_bootstrap(one, other, r),
                       "bootstrap: expected the same tokens in chunk 0, at least 1, got 5 and 4", ValueError);
  CHECK_THROWS_AS(paired_bootstrap(empty, empty, r), ValueError);
  CHECK_THROWS_WITH_AS(paired_bootstrap(broken, one, r),
                       "bootstrap: expected finite nll in chunk 0, got inf and 10.000000", ValueError);
  CHECK_THROWS_WITH_AS(paired_bootstrap(two, two, r, {.resamples = 0}),
                       "bootstrap: expected at least 1 resample, got 0", ValueError);
  CHECK_THROWS_WITH_AS(paired_bootstrap(two, two, r, {.level = 1}),
                       "bootstrap: expected a level between 0 and 1, got 1.000000", ValueError);
}
