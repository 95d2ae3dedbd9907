#include "tern/statistics/design_effect.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "tern/core/random.hpp"

using namespace tern::statistics;
using doctest::Approx;

namespace {

using Groups = std::vector<std::vector<double>>;

Groups draw(std::size_t groups, double correlation, tern::Random& random) {
  Groups drawn(groups);
  for (auto& group : drawn) {
    group.resize(1 + random.below(12));
    const double level = std::sqrt(correlation) * random.normal();
    for (double& x : group) x = level + std::sqrt(1 - correlation) * random.normal();
  }
  return drawn;
}

}  // namespace

TEST_CASE("design_effect: by hand") {
  // Means 1 and 3 around 2: MSB = 2 (1 + 1) / 1 = 4; MSW = (1 + 1 + 1 + 1) / 2 = 2; n0 = 2.
  const DesignEffect e = design_effect(Groups{{0, 2}, {2, 4}});
  CHECK(e.chunks == 4);
  CHECK(e.correlation == Approx((4.0 - 2) / (4 + 2)));
  CHECK(e.factor == Approx(1 + 1.0 / 3));
  CHECK(e.effective() == Approx(3));
  CHECK(e.interval_factor() == Approx(std::sqrt(4.0 / 3)));

  // Sizes 3 and 1, means 2 and 10 around 4: MSB = 3 * 4 + 36, MSW = (4 + 4) / 2, n0 = 4 - 10 / 4.
  const DesignEffect uneven = design_effect(Groups{{0, 2, 4}, {10}});
  CHECK(uneven.correlation == Approx(44.0 / 50));
  CHECK(uneven.factor == Approx(1 + 1.5 * 0.88));
}

TEST_CASE("design_effect: finds the correlation, and how much too short pooled intervals are") {
  for (const double truth : {0.3, 0.6, 0.9}) {
    tern::Random random(2);
    const Groups many = draw(4000, truth, random);
    const DesignEffect e = design_effect(many);
    CAPTURE(truth);
    // Its standard error is below (1 - r)(1 + 6r) sqrt(2 / (6 * 5 * groups)) for groups of 6 (Fisher), less than 0.02.
    CHECK(std::abs(e.correlation - truth) < 0.05);
    // The mean of all chunks varies `factor` times as much as that of independent ones.
    double squares = 0;
    const int experiments = 4000;
    for (int i = 0; i < experiments; ++i) {
      double sum = 0, n = 0;
      for (const auto& group : draw(20, truth, random)) {
        for (const double x : group) sum += x;
        n += static_cast<double>(group.size());
      }
      squares += sum / n * sum / experiments;  // n times the mean squared
    }
    CHECK(squares == Approx(e.factor).epsilon(5 * std::sqrt(2.0 / experiments)));
  }
}

TEST_CASE("design_effect: groups that differ in nothing, or in everything") {
  CHECK(design_effect(Groups(5, std::vector<double>(3, 0.1))).correlation == 0);
  CHECK(design_effect(Groups(5, std::vector<double>(3, 0.1))).effective() == 15);
  const DesignEffect all = design_effect(Groups{{1, 1, 1}, {2, 2, 2}, {5, 5, 5}});
  CHECK(all.correlation == 1);
  CHECK(all.effective() == Approx(3));
  CHECK(design_effect(Groups{{-1, 1}, {-1, 1}}).correlation == 0);  // less alike than chance: cut off
}

TEST_CASE("design_effect: groups without meaning are named") {
  CHECK_THROWS_WITH_AS(design_effect(Groups{{1, 2}}), "design effect: expected at least 2 groups, got 1",
                       tern::ValueError);
  CHECK_THROWS_WITH_AS(design_effect(Groups{{1, 2}, {}}), "design effect: expected at least 1 value, got 0",
                       tern::ValueError);
  CHECK_THROWS_WITH_AS(design_effect(Groups{{1}, {2}}),
                       "design effect: expected a group of at least 2 values, got none", tern::ValueError);
  CHECK_THROWS_WITH_AS(design_effect(Groups{{1, 2}, {1, std::numeric_limits<double>::quiet_NaN()}}),
                       "design effect: expected a finite value 1, got nan", tern::ValueError);
}
