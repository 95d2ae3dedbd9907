#include "tern/statistics/power.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "statistics/simulated_users.hpp"
#include "tern/statistics/equivalence.hpp"
#include "tern/statistics/intervals.hpp"
#include "tern/statistics/sign_flip.hpp"

using namespace tern;
using namespace tern::statistics;
using doctest::Approx;

namespace {

struct Design {
  Index users;
  double effect, deviation, expected;
};

}  // namespace

TEST_CASE("power: of a difference, from scipy's noncentral t") {
  // scipy 1.17.1: c = scipy.stats.t.ppf(1 - level/2, n - 1), l = effect * n**0.5 / deviation,
  // scipy.stats.nct.sf(c, n - 1, l) + scipy.stats.nct.cdf(-c, n - 1, l) with level = floor(0.05 * 2**(n-1)) / 2**(n-1)
  for (const Design& d :
       {Design{6, 0.05, 0.05, 0.397862067584}, Design{12, 0.05, 0.06, 0.747424111823},
        Design{12, -0.05, 0.06, 0.747424111823}, Design{24, 0.02, 0.08, 0.216804933941},
        Design{40, 0.0488, 0.1, 0.853047522157}, Design{3, 0.1, 0.1, 0}, Design{200, 0.01, 0.05, 0.803666660586}}) {
    CAPTURE(d.users);
    CHECK(power_of_difference(d.users, d.effect, d.deviation) == Approx(d.expected).epsilon(1e-8));
  }
  CHECK(power_of_difference(12, 0, 0.1) == Approx(102.0 / 2048).epsilon(1e-8));
}

TEST_CASE("power: of equivalence, from scipy's integral over the chi distribution") {
  // scipy 1.17.1: scipy.integrate.quad over u of (norm.cdf((m - e) s - c u) - norm.cdf(c u - (m + e) s)) times the
  // density chi.pdf(u v**0.5, v) v**0.5, where positive; m = log(1.05), s = n**0.5 / deviation, v = n - 1, c =
  // t.ppf(0.95, v)
  for (const Design& d : {Design{12, 0, 0.075, 0.374758137823}, Design{24, 0, 0.075, 0.851888951254},
                          Design{12, 0, 0.085, 0.223723489376}, Design{24, 0, 0.085, 0.721166218175},
                          Design{6, 0.01, 0.04, 0.586699681979}, Design{40, -0.02, 0.1, 0.553074329252},
                          Design{3, 0, 0.02, 0.731346981941}}) {
    CAPTURE(d.users);
    // The integrand has a corner where the two one-sided regions meet: Simpson's rule is good to its step squared
    // there.
    CHECK(power_of_equivalence(d.users, std::log(1.05), d.deviation, d.effect) == Approx(d.expected).epsilon(1e-4));
  }
}

TEST_CASE("power: the level of a sign-flip test") {
  CHECK(sign_flip_level(5, 0.05) == 0);
  CHECK(sign_flip_level(6, 0.05) == 1.0 / 32);
  CHECK(sign_flip_level(12, 0.05) == 102.0 / 2048);
  CHECK(sign_flip_level(100, 0.05) == 0.05);
}

TEST_CASE("power: simulated experiments come within 3 points of the formula") {
  // 4,000 experiments: three standard deviations of a share are 2.4 points at most.
  const int experiments = 4000;
  const double edge = equivalence_margin();
  for (const Index users : {6, 8, 12, 24, 40}) {
    const Truth apart{.mean = edge}, equal{};
    const SimulatedUsers different(users, apart, 1), same(users, equal, 1);
    const double deviation = same.deviation();
    Random random(static_cast<std::uint64_t>(users));
    int found = 0, equivalent = 0;
    for (int e = 0; e < experiments; ++e) {
      found += sign_flip(user_differences(different.draw(random)), random, {.exact_up_to = 12, .draws = 999}).p <= 0.05;
      equivalent += equivalence(moments(user_differences(same.draw(random))), edge).p() <= 0.05;
    }
    CAPTURE(users);
    CHECK(std::abs(found / double(experiments) - power_of_difference(users, edge, deviation)) < 0.03);
    CHECK(std::abs(equivalent / double(experiments) - power_of_equivalence(users, edge, deviation)) < 0.03);
  }
}

TEST_CASE("power: how many users would do") {
  const double edge = std::log(1.05);
  // scipy's formulas above, n by n.
  CHECK(users_for_difference(edge, 0.08) == 24);
  CHECK(users_for_equivalence(edge, 0.08) == 25);
  for (const double deviation : {0.001, 0.03, 0.2, 3.0}) {
    const Index n = users_for_difference(edge, deviation).value(), m = users_for_equivalence(edge, deviation).value();
    CHECK(power_of_difference(n, edge, deviation) >= 0.8);
    CHECK((n == 2 || power_of_difference(n - 1, edge, deviation) < 0.8));
    CHECK(power_of_equivalence(m, edge, deviation) >= 0.8);
    CHECK((m == 2 || power_of_equivalence(m - 1, edge, deviation) < 0.8));
  }
  CHECK(users_for_difference(1, 1e-9) == 6);  // five cannot
  CHECK(users_for_difference(edge, 0) == 6);
  CHECK(users_for_equivalence(edge, 0) == 2);
  CHECK_FALSE(users_for_difference(0, 0.1).has_value());
  CHECK_FALSE(users_for_difference(0, 0).has_value());
  CHECK_FALSE(users_for_equivalence(edge, 0.1, edge).has_value());
  CHECK_FALSE(users_for_difference(1e-6, 0.1).has_value());
}

TEST_CASE("power: grows with users and effect, falls with the deviation") {
  for (Index n = 17; n < 400; n += 9) {
    CHECK(power_of_difference(n + 1, 0.01, 0.05) > power_of_difference(n, 0.01, 0.05));
    CHECK(power_of_difference(n, 0.011, 0.05) > power_of_difference(n, 0.01, 0.05));
    CHECK(power_of_difference(n, 0.01, 0.055) < power_of_difference(n, 0.01, 0.05));
    CHECK(power_of_equivalence(n + 1, 0.05, 0.2) >= power_of_equivalence(n, 0.05, 0.2));
    CHECK(power_of_equivalence(n, 0.05, 0.2, 0.01) <= power_of_equivalence(n, 0.05, 0.2));
    CHECK(power_of_equivalence(n, 0.05, 0.2, 0.01) == Approx(power_of_equivalence(n, 0.05, 0.2, -0.01)));
  }
  CHECK(power_of_difference(1000, 1, 0.01) == Approx(1));
  CHECK(power_of_difference(2, 1, 1) == 0);
}

TEST_CASE("power: arguments outside their range are named") {
  CHECK_THROWS_WITH_AS(power_of_difference(1, 0.1, 0.1), "power: expected at least 2 users, got 1", ValueError);
  CHECK_THROWS_WITH_AS(power_of_difference(9, 0.1, -1), "power: expected a deviation >= 0, got -1.000000", ValueError);
  CHECK_THROWS_AS(power_of_difference(9, 0.1, std::numeric_limits<double>::quiet_NaN()), ValueError);
  CHECK_THROWS_WITH_AS(power_of_difference(9, std::numeric_limits<double>::quiet_NaN(), 1),
                       "power: expected a finite effect, got nan", ValueError);
  CHECK_THROWS_AS(power_of_difference(9, 0.1, 0.1, 0), ValueError);
  CHECK_THROWS_WITH_AS(power_of_equivalence(9, 0, 0.1), "power: expected a margin > 0, got 0.000000", ValueError);
  CHECK_THROWS_WITH_AS(users_for_difference(0.1, 0.1, 1), "power: expected a target between 0 and 1, got 1.000000",
                       ValueError);
}
