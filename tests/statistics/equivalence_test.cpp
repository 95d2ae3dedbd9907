#include "tern/statistics/equivalence.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "tern/core/random.hpp"
#include "tern/statistics/intervals.hpp"
#include "tern/statistics/margin.hpp"

using namespace tern::statistics;
using doctest::Approx;

TEST_CASE("equivalence: 5% of perplexity, the same whoever comes first") {
  const double edge = equivalence_margin();
  CHECK(edge == Approx(std::log(1.05)));
  CHECK(margin(-edge) == Approx(-0.05));
  CHECK(margin(edge) == Approx(0.05 / 1.05));
}

TEST_CASE("equivalence: each side is scipy's one-sided t test") {
  // scipy 1.17.1: ttest_1samp(y, -log(1.05), alternative='greater'), ttest_1samp(y, log(1.05), alternative='less')
  const std::vector<double> y = {0.021, -0.013, 0.034, 0.008, -0.019, 0.011, 0.027};
  const Equivalence e = equivalence(moments(y), equivalence_margin());
  CHECK(e.not_worse == Approx(0.00011520765396765951).epsilon(1e-10));
  CHECK(e.not_better == Approx(0.0010144041681383982).epsilon(1e-10));
  CHECK(e.p() == e.not_better);
}

TEST_CASE("equivalence: says what the 90% interval says, and swaps its sides with a and b") {
  tern::Random random(4);
  int inside = 0;
  for (int round = 0; round < 500; ++round) {
    std::vector<double> x(2 + random.below(20)), swapped;
    for (double& v : x) v = 0.01 + 0.05 * random.normal();
    for (const double v : x) swapped.push_back(-v);
    const Equivalence e = equivalence(moments(x), 0.05), s = equivalence(moments(swapped), 0.05);
    const Interval interval = t_interval(x, 0.9);
    const bool within = interval.low > -0.05 && interval.high < 0.05;
    CHECK((e.p() <= 0.05) == within);
    CHECK(s.not_worse == e.not_better);
    CHECK(s.not_better == e.not_worse);
    inside += within;
  }
  CHECK(inside > 50);
  CHECK(inside < 450);
}

TEST_CASE("equivalence: claimed in 5% where the truth lies on the edge") {
  // Five standard deviations of a share of 5% of 10,000 are 1.1 points.
  tern::Random random(5);
  const double edge = equivalence_margin();
  for (const double truth : {-edge, edge}) {
    int claimed = 0;
    std::vector<double> x(24);
    for (int e = 0; e < 10'000; ++e) {
      for (double& v : x) v = truth + 0.05 * random.normal();
      claimed += equivalence(moments(x), edge).p() <= 0.05;
    }
    CHECK(claimed <= 610);
    CHECK(claimed >= 390);
  }
}

TEST_CASE("equivalence: users without spread are certain") {
  CHECK(equivalence({12, 0, 0}, 0.05).p() == 0);
  CHECK(equivalence({12, 0.06, 0}, 0.05).p() == 1);
  CHECK(equivalence({12, 0.06, 0}, 0.05).not_worse == 0);
  CHECK(equivalence({12, 0.05, 0}, 0.05).p() == 1);  // on the edge is not within
  CHECK(equivalence({2, 0, 1e-9}, 0.05).p() < 1e-8);
}

TEST_CASE("equivalence: arguments outside their range are named") {
  CHECK_THROWS_WITH_AS(equivalence({1, 0, 0}, 0.05), "equivalence: expected at least 2 users, got 1", tern::ValueError);
  CHECK_THROWS_WITH_AS(equivalence({3, 0, 1}, 0), "equivalence: expected a margin > 0, got 0.000000", tern::ValueError);
  CHECK_THROWS_WITH_AS(equivalence_margin(1), "equivalence: expected a share between 0 and 1, got 1.000000",
                       tern::ValueError);
}
