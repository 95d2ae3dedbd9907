#pragma once
/// What is left of a gain.
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "tern/experiment/words.hpp"
#include "tern/statistics/intervals.hpp"

namespace tern::experiments {

/// The share of `whole` gains, nats per token, that is left in `part`, user by user the same. Means over users first, since
/// one user's ratio explodes where the whole is small. With R the ratio of the means x and y, the interval is
/// R -+ t(n - 1) s/(y sqrt(n)), s the deviation of x_u - R y_u (delta method). Nothing unless the whole is above 0 with
/// its entire interval, and for fewer than two users.
inline std::optional<statistics::Interval> kept(const std::vector<double>& part, const std::vector<double>& whole,
                                                double level) {
  if (part.size() < 2 || !(statistics::t_interval(whole, level).low > 0)) return std::nullopt;
  const double x = statistics::moments(part).mean, y = statistics::moments(whole).mean, ratio = x / y;
  std::vector<double> left;
  for (std::size_t u = 0; u < part.size(); ++u) left.push_back((part[u] - ratio * whole[u]) / y);
  const auto reach = statistics::t_interval(left, level);
  return statistics::Interval{ratio, ratio + reach.low, ratio + reach.high};
}

/// "75% [70%, 80%]"
inline std::string share_between(const statistics::Interval& i) {
  return words::percent(i.point) + " [" + words::percent(i.low) + ", " + words::percent(i.high) + "]";
}

}  // namespace tern::experiments
