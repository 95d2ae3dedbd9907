#include "tern/statistics/distributions.hpp"

#include <doctest/doctest.h>

using namespace tern::statistics;

namespace {

double relative_error(double got, double expected) { return std::abs(got - expected) / std::abs(expected); }

struct Value {
  double argument, freedom, expected;
};

}  // namespace

// The numbers of these two: scipy 1.17.1, '%.17g' % (2 * scipy.stats.t.sf(abs(x), freedom)) and scipy.stats.t.ppf(p,
// freedom).
TEST_CASE("distributions: both tails of t are scipy's") {
  for (const Value& v :
       {Value{0.1, 1, 0.93654896513889296}, Value{1, 1, 0.50000000000000011}, Value{12.7062, 1, 0.050000018560710402},
        Value{2.5, 2.5, 0.1045699630781554}, Value{-2.2, 11, 0.05008611098180428},
        Value{0.001, 39, 0.99920721330478879}, Value{4, 5, 0.01032341548083145}, Value{40, 11, 2.8925408981205699e-13},
        Value{3.3, 999, 0.001001031263055914}, Value{1.96, 10000, 0.050023520231833027},
        Value{0.5, 0.7, 0.73040168668232996}}) {
    CAPTURE(v.argument);
    CAPTURE(v.freedom);
    CHECK(relative_error(t_two_sided(v.argument, v.freedom), v.expected) < 1e-12);
  }
}

TEST_CASE("distributions: quantiles of t are scipy's") {
  for (const Value& v :
       {Value{0.975, 1, 12.706204736174694}, Value{0.975, 2, 4.3026527297494619}, Value{0.95, 5, 2.0150483733330233},
        Value{0.975, 11, 2.2009851600916388}, Value{0.95, 11, 1.7958848187040433}, Value{0.975, 23, 2.0686576104190486},
        Value{0.995, 39, 2.707913183517662}, Value{0.025, 11, -2.2009851600916392},
        Value{0.6, 3.5, 0.27326545405577973}, Value{0.975, 999, 1.9623414611334493},
        Value{0.9999, 4, 13.033671720896821}}) {
    CAPTURE(v.argument);
    CAPTURE(v.freedom);
    CHECK(relative_error(t_quantile(v.argument, v.freedom), v.expected) < 1e-12);
  }
  CHECK(t_quantile(0.5, 7) == doctest::Approx(0).epsilon(1e-15));
}

TEST_CASE("distributions: closed forms for one and two degrees of freedom") {
  for (double t = -30; t <= 30; t += 0.7) {
    CAPTURE(t);
    CHECK(t_upper(t, 1) == doctest::Approx(0.5 - std::atan(t) / std::numbers::pi).epsilon(1e-12));
    CHECK(t_upper(t, 2) == doctest::Approx(0.5 - t / (2 * std::sqrt(2 + t * t))).epsilon(1e-12));
  }
}

TEST_CASE("distributions: many degrees of freedom approach the normal distribution, small and large t their limits") {
  CHECK(t_upper(1.5, 1e7) == doctest::Approx(1 - normal_cdf(1.5)).epsilon(1e-6));
  CHECK(t_two_sided(0, 3) == 1);
  CHECK(t_two_sided(1e-200, 3) == doctest::Approx(1));
  CHECK(t_two_sided(1e200, 3) == 0);
  CHECK(t_two_sided(std::numeric_limits<double>::infinity(), 3) == 0);
  CHECK(t_upper(-std::numeric_limits<double>::infinity(), 3) == 1);
  CHECK(normal_cdf(0) == 0.5);
  CHECK(normal_cdf(1.959963984540054) == doctest::Approx(0.975).epsilon(1e-14));
  CHECK(relative_error(normal_cdf(-10), 7.6198530241605269e-24) < 1e-12);  // scipy.stats.norm.cdf(-10)
}

TEST_CASE("distributions: quantile and tail undo each other") {
  for (const double freedom : {1.0, 1.7, 4.0, 11.0, 39.0, 1000.0})
    for (const double p : {0.5001, 0.6, 0.9, 0.95, 0.975, 0.9995}) {
      CAPTURE(freedom);
      CAPTURE(p);
      CHECK(1 - t_upper(t_quantile(p, freedom), freedom) == doctest::Approx(p).epsilon(1e-14));
    }
}

TEST_CASE("distributions: arguments outside their range are named") {
  CHECK_THROWS_WITH_AS(t_two_sided(1, 0), "t distribution: expected degrees of freedom > 0, got 0.000000",
                       tern::ValueError);
  CHECK_THROWS_AS(t_two_sided(1, std::numeric_limits<double>::quiet_NaN()), tern::ValueError);
  CHECK_THROWS_WITH_AS(t_quantile(1, 3), "t quantile: expected a p between 0 and 1, got 1.000000", tern::ValueError);
  CHECK_THROWS_AS(t_quantile(0, 3), tern::ValueError);
  CHECK_THROWS_AS(t_quantile(std::numeric_limits<double>::quiet_NaN(), 3), tern::ValueError);
}
