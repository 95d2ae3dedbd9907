#pragma once
/// The normal distribution and Student's t, from std::erfc and one continued fraction.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "tern/core/error.hpp"

namespace tern::statistics {

/// P(Z <= z) of the standard normal distribution.
inline double normal_cdf(double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); }

namespace detail {

/// Gamma(a + 1/2) / Gamma(a), a > 0: Stirling's series of the ratio from a >= 16 on, carried down by
/// Gamma(a + 1) = a Gamma(a). std::lgamma would lose digits to the difference and writes a global.
inline double gamma_half_ratio(double a) {
  double factor = 1;
  for (; a < 16; ++a) factor *= a / (a + 0.5);
  const double r = 1 / (a * a);
  return factor * std::sqrt(a) * std::exp((-1.0 / 8 + r * (1.0 / 192 + r * (-1.0 / 640 + r * 17.0 / 14336))) / a);
}

/// The continued fraction of the incomplete beta function by Lentz's method (Abramowitz, Stegun 26.5.8); it converges
/// fast for x < (a + 1) / (a + b + 2).
inline double beta_fraction(double a, double b, double x) {
  const double tiny = 1e-300;
  const auto away_from_zero = [&](double v) { return std::abs(v) < tiny ? tiny : v; };
  double c = 1, d = 1 / away_from_zero(1 - (a + b) * x / (a + 1)), value = d;
  for (int m = 1; m <= 100'000; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away_from_zero(1 + even * d);
    c = away_from_zero(1 + even / c);
    value *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away_from_zero(1 + odd * d);
    c = away_from_zero(1 + odd / c);
    value *= d * c;
    if (std::abs(d * c - 1) < 1e-16) break;
  }
  return value;
}

inline void expect_freedom(double freedom) {
  if (!(freedom > 0 && std::isfinite(freedom)))
    throw ValueError("t distribution: expected degrees of freedom > 0, got " + std::to_string(freedom));
}

}  // namespace detail

/// P(|T| >= |t|) of Student's t: the incomplete beta function I_x(freedom/2, 1/2) at x = freedom / (freedom + t^2).
/// Relative error below 1e-12 for up to 10,000 degrees of freedom. Throws ValueError unless freedom > 0.
inline double t_two_sided(double t, double freedom) {
  detail::expect_freedom(freedom);
  if (t == 0) return 1;
  if (std::isinf(t)) return 0;
  const double a = freedom / 2, b = 0.5, square = t * t / freedom;
  const double x = 1 / (1 + square), y = 1 / (1 + 1 / square);
  const double front =
      detail::gamma_half_ratio(a) * std::numbers::inv_sqrtpi * std::exp(-a * std::log1p(square)) * std::sqrt(y);
  if (x < (a + 1) / (a + b + 2)) return front * detail::beta_fraction(a, b, x) / a;
  return 1 - front * detail::beta_fraction(b, a, y) / b;
}

/// P(T >= t) of Student's t.
inline double t_upper(double t, double freedom) {
  const double half = t_two_sided(t, freedom) / 2;
  return t >= 0 ? half : 1 - half;
}

/// The t with P(T <= t) = p, 0 < p < 1, by bisection down to neighbouring doubles. Throws ValueError on other
/// arguments.
inline double t_quantile(double p, double freedom) {
  detail::expect_freedom(freedom);
  if (!(p > 0 && p < 1)) throw ValueError("t quantile: expected a p between 0 and 1, got " + std::to_string(p));
  if (p < 0.5) return -t_quantile(1 - p, freedom);
  const double tails = 2 * (1 - p);
  double low = 0, high = 1;
  while (t_two_sided(high, freedom) > tails) {
    low = high;
    high *= 2;
  }
  for (;;) {
    const double middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) return high;
    (t_two_sided(middle, freedom) > tails ? low : high) = middle;
  }
}

}  // namespace tern::statistics
