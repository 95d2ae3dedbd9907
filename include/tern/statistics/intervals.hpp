#pragma once
/// The t interval of a mean over users.
#include <limits>
#include <span>

#include "tern/statistics/distributions.hpp"
#include "tern/statistics/moments.hpp"

namespace tern::statistics {

/// A measured value and what else it may well be.
struct Interval {
  double point = 0, low = 0, high = 0;

  bool contains(double value) const { return low <= value && value <= high; }
};

/// mean -+ t(1 - (1 - level)/2; n - 1) * deviation / sqrt(n). Exact for normal values; each user is one value, however
/// much text stands behind it. Values without spread give an interval of no width. Throws ValueError unless count >= 2
/// and 0 < level < 1.
inline Interval t_interval(const Moments& users, double level = 0.95) {
  detail::expect_share("t interval", "level", level);
  if (users.count < 2) throw ValueError("t interval: expected at least 2 users, got " + std::to_string(users.count));
  const double reach = t_quantile(0.5 + level / 2, static_cast<double>(users.count - 1)) * users.standard_error();
  return {users.mean, users.mean - reach, users.mean + reach};
}

inline Interval t_interval(std::span<const double> users, double level = 0.95) {
  return t_interval(moments(users), level);
}

}  // namespace tern::statistics
