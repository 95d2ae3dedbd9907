#include "tern/statistics/multiplicity.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "tern/core/random.hpp"

using namespace tern::statistics;
using doctest::Approx;

namespace {

void check_equal(const std::vector<double>& got, const std::vector<double>& expected) {
  REQUIRE(got.size() == expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    CHECK(got[i] == Approx(expected[i]).epsilon(1e-14));
  }
}

const std::vector<double> p = {0.01, 0.04, 0.03, 0.005, 0.5, 0.04};

}  // namespace

TEST_CASE("multiplicity: Holm by hand") {
  // Sorted 0.005, 0.01, 0.03, 0.04, 0.04, 0.5 times 6 ... 1 is 0.03, 0.05, 0.12, 0.12, 0.08, 0.5, and never falls.
  check_equal(holm(p), {0.05, 0.12, 0.12, 0.03, 0.5, 0.12});
  check_equal(holm(std::vector<double>{0.6, 0.7}), {1, 1});
}

TEST_CASE("multiplicity: Benjamini and Hochberg as scipy") {
  // scipy 1.17.1: scipy.stats.false_discovery_control(p)
  check_equal(benjamini_hochberg(p), {0.03, 0.048, 0.048, 0.03, 0.5, 0.048});
}

TEST_CASE("multiplicity: one test stays as it is, none gives none") {
  check_equal(holm(std::vector<double>{0.03}), {0.03});
  check_equal(benjamini_hochberg(std::vector<double>{0.03}), {0.03});
  CHECK(holm({}).empty());
  CHECK(benjamini_hochberg({}).empty());
}

TEST_CASE("multiplicity: adjusting keeps the order and lowers nothing; Benjamini-Hochberg is the milder") {
  tern::Random random(2);
  for (int round = 0; round < 100; ++round) {
    std::vector<double> q(1 + random.below(20));
    for (double& x : q) x = random.uniform() * random.uniform();
    const auto strict = holm(q), mild = benjamini_hochberg(q);
    for (std::size_t i = 0; i < q.size(); ++i) {
      const double rounding = 1 + 1e-14;
      CHECK(q[i] <= mild[i] * rounding);
      CHECK(mild[i] <= strict[i] * rounding);
      CHECK(strict[i] <= 1);
      for (std::size_t j = 0; j < q.size(); ++j)
        if (q[i] <= q[j]) {
          CHECK(strict[i] <= strict[j]);
          CHECK(mild[i] <= mild[j]);
        }
    }
  }
}

TEST_CASE("multiplicity: of families without any effect, Holm's claim something in 5%") {
  // Five standard deviations of a share of 5% of 20,000 are 0.77 points.
  tern::Random random(3);
  int families = 0;
  std::vector<double> q(5);
  for (int e = 0; e < 20'000; ++e) {
    for (double& x : q) x = random.uniform();
    const auto adjusted = holm(q);
    families += *std::min_element(adjusted.begin(), adjusted.end()) <= 0.05;
  }
  CHECK(families <= 0.0577 * 20'000);
  CHECK(families >= (1 - std::pow(0.99, 5) - 0.0077) * 20'000);
}

TEST_CASE("multiplicity: what is no p is named") {
  CHECK_THROWS_WITH_AS(holm(std::vector<double>{0.1, 1.5}), "holm: expected p 1 in [0, 1], got 1.500000",
                       tern::ValueError);
  CHECK_THROWS_WITH_AS(benjamini_hochberg(std::vector<double>{std::numeric_limits<double>::quiet_NaN()}),
                       "benjamini-hochberg: expected p 0 in [0, 1], got nan", tern::ValueError);
}
