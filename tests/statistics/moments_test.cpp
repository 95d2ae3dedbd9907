#include "tern/statistics/moments.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

using namespace tern::statistics;
using doctest::Approx;

TEST_CASE("moments: mean, deviation and standard error") {
  const std::vector<double> values = {2, 4, 4, 4, 5, 5, 7, 9};
  const Moments m = moments(values);
  CHECK(m.count == 8);
  CHECK(m.mean == 5);
  CHECK(m.deviation == Approx(std::sqrt(32.0 / 7)));
  CHECK(m.standard_error() == Approx(std::sqrt(32.0 / 7 / 8)));
}

TEST_CASE("moments: equal values have exactly that mean and no spread") {
  for (const std::size_t n : {2u, 3u, 12u, 1000u}) {
    const std::vector<double> values(n, 0.1);
    CHECK(moments(values).mean == 0.1);
    CHECK(moments(values).deviation == 0);
  }
}

TEST_CASE("moments: a large common part does not drown the spread") {
  std::vector<double> values = {1e9 + 1, 1e9 + 2, 1e9 + 3};
  CHECK(moments(values).deviation == 1);
}

TEST_CASE("moments: too few values or one that is not finite are named") {
  const std::vector<double> one = {1}, broken = {1, std::numeric_limits<double>::quiet_NaN()};
  CHECK_THROWS_WITH_AS(moments(std::vector<double>{}), "moments: expected at least 2 values, got 0", tern::ValueError);
  CHECK_THROWS_WITH_AS(moments(one), "moments: expected at least 2 values, got 1", tern::ValueError);
  CHECK_THROWS_WITH_AS(moments(broken), "moments: expected a finite value 1, got nan", tern::ValueError);
}
