#pragma once
/// How much less chunks of the same user tell than chunks of as many users.
#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "tern/statistics/moments.hpp"

namespace tern::statistics {

/// Of chunks that resemble their neighbours in a group (a user, a document).
struct DesignEffect {
  Index chunks = 0;
  double correlation = 0;  ///< of two chunks of one group, in [0, 1]
  double factor = 1;       ///< how often the variance of the mean of all is what independent chunks would have

  /// So many independent chunks would tell as much.
  double effective() const { return static_cast<double>(chunks) / factor; }
  /// A pooled interval is so many times too short.
  double interval_factor() const { return std::sqrt(factor); }
};

/// From values in k groups of sizes n_i, N in all (Donner 1986; Kish 1965):
///   correlation = (MSB - MSW) / (MSB + (n0 - 1) MSW), cut off to [0, 1],  n0 = (N - sum n_i^2 / N) / (k - 1)
///   factor      = 1 + (sum n_i^2 / N - 1) correlation.
/// Without any spread the correlation is 0. Throws ValueError on fewer than two groups, an empty one, no group of two,
/// or a value that is not finite.
inline DesignEffect design_effect(std::span<const std::vector<double>> groups) {
  if (groups.size() < 2)
    throw ValueError("design effect: expected at least 2 groups, got " + std::to_string(groups.size()));
  double n = 0, squared_sizes = 0, sum = 0, origin = 0;
  for (const std::vector<double>& group : groups) {
    detail::expect_values("design effect", group, 1);
    if (n == 0) origin = group[0];  // distances from it: equal values then have no spread at all
    const double size = static_cast<double>(group.size());
    n += size;
    squared_sizes += size * size;
    for (const double x : group) sum += x - origin;
  }
  const double k = static_cast<double>(groups.size());
  if (n <= k) throw ValueError("design effect: expected a group of at least 2 values, got none");
  double between = 0, within = 0;
  for (const std::vector<double>& group : groups) {
    double mean = 0;
    for (const double x : group) mean += (x - origin) / static_cast<double>(group.size());
    between += static_cast<double>(group.size()) * (mean - sum / n) * (mean - sum / n);
    for (const double x : group) within += (x - origin - mean) * (x - origin - mean);
  }
  between /= k - 1;
  within /= n - k;
  const double size = (n - squared_sizes / n) / (k - 1), spread = between + (size - 1) * within;
  const double correlation = spread > 0 ? std::clamp((between - within) / spread, 0.0, 1.0) : 0;
  return {static_cast<Index>(n), correlation, 1 + (squared_sizes / n - 1) * correlation};
}

}  // namespace tern::statistics
