#pragma once
/// How often an experiment with n users finds what is there, and how many users find it often enough.
#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "tern/statistics/distributions.hpp"
#include "tern/statistics/moments.hpp"

namespace tern::statistics {

namespace detail {

inline void expect_design(Index users, double effect, double deviation, double alpha) {
  expect_share("power", "alpha", alpha);
  if (users < 2) throw ValueError("power: expected at least 2 users, got " + std::to_string(users));
  if (!std::isfinite(effect)) throw ValueError("power: expected a finite effect, got " + std::to_string(effect));
  if (!(deviation >= 0 && std::isfinite(deviation)))
    throw ValueError("power: expected a deviation >= 0, got " + std::to_string(deviation));
}

/// The mean of f(u) over u = sample deviation / true deviation of normal values, freedom u^2 being chi-square; by
/// Simpson's rule over ten standard deviations of u on either side.
template <class F>
double mean_over_deviation(double freedom, F&& f) {
  const double reach = 10 / std::sqrt(2 * freedom);
  const double low = std::max(0.0, 1 - reach), high = 1 + reach;
  const int steps = 512;
  double sum = 0, weights = 0;
  for (int i = 0; i <= steps; ++i) {
    const double u = low + (high - low) * i / steps;
    const double density = u > 0 ? std::exp((freedom - 1) * std::log(u) - freedom * (u * u - 1) / 2)
                                 : (freedom == 1 ? std::exp(0.5) : 0.0);
    const double weight = density * (i == 0 || i == steps ? 1 : i % 2 == 1 ? 4 : 2);
    weights += weight;
    sum += weight * f(u);
  }
  return sum / weights;
}

/// The smallest n from 2 on whose power reaches `target`; none up to a million gives none. Power grows with n but for
/// the steps of a sign-flip p below 17 users: those are tried one by one.
template <class F>
std::optional<Index> smallest_count(double target, F&& power) {
  expect_share("power", "target", target);
  const Index all = 1'000'000;
  Index low = 16, high = 16;
  for (Index n = 2; n <= low; ++n)
    if (power(n) >= target) return n;
  while (high < all && power(high) < target) {
    low = high;
    high = std::min(2 * high, all);
  }
  if (power(high) < target) return std::nullopt;
  while (high - low > 1) {
    const Index middle = low + (high - low) / 2;
    (power(middle) < target ? low : high) = middle;
  }
  return high;
}

}  // namespace detail

/// The largest level up to alpha that a sign-flip test of n users can have: p comes in steps of 2^(1-n), so the level
/// is floor(alpha 2^(n-1)) / 2^(n-1): 0 for five users and alpha = 0.05, 0.031 for six, 0.0498 for twelve.
inline double sign_flip_level(Index users, double alpha) {
  if (users > 50) return alpha;
  const double flips = std::ldexp(1.0, static_cast<int>(users - 1));
  return std::floor(alpha * flips) / flips;
}

/// How often n users with true mean `effect` and true deviation `deviation` between them give a two-sided p <= alpha:
/// the power of the t test at the sign-flip test's level. Simulated sign flips come within 3 points of it for six
/// users, and within about one from twelve on (docs/statistics.md). With u the ratio of sample to true deviation, and
/// t(1 - level/2; n - 1):
///   mean over u of  Phi(effect sqrt(n)/deviation - t u) + Phi(-effect sqrt(n)/deviation - t u).
/// Throws ValueError unless users >= 2, effect is finite, deviation >= 0, 0 < alpha < 1.
inline double power_of_difference(Index users, double effect, double deviation, double alpha = 0.05) {
  detail::expect_design(users, effect, deviation, alpha);
  const double level = sign_flip_level(users, alpha);
  if (level == 0) return 0;
  if (deviation == 0) return effect == 0 ? 0 : 1;
  const double freedom = static_cast<double>(users - 1), t = t_quantile(1 - level / 2, freedom);
  const double shift = effect * std::sqrt(static_cast<double>(users)) / deviation;
  return detail::mean_over_deviation(freedom,
                                     [&](double u) { return normal_cdf(shift - t * u) + normal_cdf(-shift - t * u); });
}

/// How often n users give equivalence at `margin` (equivalence.hpp) where the true difference is `effect`. With
/// t(1 - alpha; n - 1):
///   mean over u of  max(0, Phi((margin - effect) sqrt(n)/deviation - t u) - Phi(-(margin + effect) sqrt(n)/deviation +
///   t u)).
/// Throws ValueError as power_of_difference, and unless margin > 0.
inline double power_of_equivalence(Index users, double margin, double deviation, double effect = 0,
                                   double alpha = 0.05) {
  detail::expect_design(users, effect, deviation, alpha);
  if (!(margin > 0 && std::isfinite(margin)))
    throw ValueError("power: expected a margin > 0, got " + std::to_string(margin));
  if (deviation == 0) return std::abs(effect) < margin ? 1 : 0;
  const double freedom = static_cast<double>(users - 1), t = t_quantile(1 - alpha, freedom);
  const double scale = std::sqrt(static_cast<double>(users)) / deviation;
  return detail::mean_over_deviation(freedom, [&](double u) {
    return std::max(0.0, normal_cdf((margin - effect) * scale - t * u) - normal_cdf(t * u - (margin + effect) * scale));
  });
}

/// The fewest users for which power_of_difference reaches `power`; none where a million do not.
inline std::optional<Index> users_for_difference(double effect, double deviation, double power = 0.8,
                                                 double alpha = 0.05) {
  return detail::smallest_count(power, [&](Index n) { return power_of_difference(n, effect, deviation, alpha); });
}

/// The fewest users for which power_of_equivalence reaches `power`; none where a million do not.
inline std::optional<Index> users_for_equivalence(double margin, double deviation, double effect = 0,
                                                  double power = 0.8, double alpha = 0.05) {
  return detail::smallest_count(power,
                                [&](Index n) { return power_of_equivalence(n, margin, deviation, effect, alpha); });
}

}  // namespace tern::statistics
