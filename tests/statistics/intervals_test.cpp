#include "tern/statistics/intervals.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "statistics/simulated_users.hpp"

using namespace tern;
using namespace tern::statistics;
using doctest::Approx;

TEST_CASE("intervals: the t interval is scipy's") {
  // scipy 1.17.1: scipy.stats.ttest_1samp(x, 0).confidence_interval(0.95), and 0.9
  const std::vector<double> x = {0.31, -0.12, 0.25, 0.08, 0.19, -0.03, 0.22, 0.41, 0.02};
  const Interval wide = t_interval(x), narrow = t_interval(x, 0.9);
  CHECK(wide.point == Approx(0.14777777777777779).epsilon(1e-13));
  CHECK(wide.low == Approx(0.015543537973072619).epsilon(1e-12));
  CHECK(wide.high == Approx(0.28001201758248295).epsilon(1e-12));
  CHECK(narrow.low == Approx(0.04114487223814446).epsilon(1e-12));
  CHECK(narrow.high == Approx(0.25441068331741107).epsilon(1e-12));
  CHECK(wide.contains(wide.low));
  CHECK_FALSE(wide.contains(0));
}

TEST_CASE("intervals: two users, a thousand, and users without spread") {
  const std::vector<double> two = {0, 2};
  CHECK(t_interval(two).high == Approx(1 + 12.706204736174694));
  std::vector<double> many;
  for (int i = 0; i < 1000; ++i) many.push_back(i % 2);
  const double deviation = std::sqrt(250.0 / 999);
  CHECK(t_interval(many).high == Approx(0.5 + 1.9623414611334493 * deviation / std::sqrt(1000)));
  const std::vector<double> equal(12, 0.1);
  CHECK(t_interval(equal).low == 0.1);
  CHECK(t_interval(equal).high == 0.1);
}

TEST_CASE("intervals: one user, or a level outside its range, is refused") {
  CHECK_THROWS_WITH_AS(t_interval(Moments{1, 0.5, 0}), "t interval: expected at least 2 users, got 1", ValueError);
  CHECK_THROWS_AS(t_interval(std::vector<double>{0.5}), ValueError);
  CHECK_THROWS_WITH_AS(t_interval(Moments{3, 0.5, 0.1}, 1),
                       "t interval: expected a level between 0 and 1, got 1.000000", ValueError);
}

TEST_CASE("intervals: 95% cover the truth about as often for 12, 24 and 40 users, whatever their chunks share") {
  // 4,000 experiments: five standard deviations of the share covered are 1.7 points, so 93% to 97%.
  const int experiments = 4000;
  for (const Index users : {12, 24, 40})
    for (const double correlation : {0.3, 0.9}) {
      const SimulatedUsers population(users, {.mean = 0.03, .correlation = correlation}, 1);
      Random random(static_cast<std::uint64_t>(users) + (correlation > 0.5));
      int covered = 0;
      for (int e = 0; e < experiments; ++e)
        covered += t_interval(user_differences(population.draw(random))).contains(0.03);
      CAPTURE(users);
      CAPTURE(correlation);
      CHECK(covered >= 0.933 * experiments);
      CHECK(covered <= 0.967 * experiments);
    }
}
