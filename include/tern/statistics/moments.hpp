#pragma once
/// Count, mean and spread of a few numbers, one a user: what the t interval, TOST and power start from.
#include <cmath>
#include <span>
#include <string>
#include <string_view>

#include "tern/core/error.hpp"

namespace tern::statistics {

/// mean = sum x / n, deviation = sqrt(sum (x - mean)^2 / (n - 1)).
struct Moments {
  Index count = 0;
  double mean = 0, deviation = 0;

  /// Of the mean: deviation / sqrt(n).
  double standard_error() const { return deviation / std::sqrt(static_cast<double>(count)); }
};

namespace detail {

/// Throws ValueError unless there are at least `least` values and all are finite.
inline void expect_values(std::string_view place, std::span<const double> values, std::size_t least) {
  if (values.size() < least)
    throw ValueError(std::string(place) + ": expected at least " + std::to_string(least) +
                     (least == 1 ? " value" : " values") + ", got " + std::to_string(values.size()));
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i]))
      throw ValueError(std::string(place) + ": expected a finite value " + std::to_string(i) + ", got " +
                       std::to_string(values[i]));
}

/// Throws ValueError unless 0 < value < 1.
inline void expect_share(std::string_view place, std::string_view what, double value) {
  if (!(value > 0 && value < 1))
    throw ValueError(std::string(place) + ": expected a " + std::string(what) + " between 0 and 1, got " +
                     std::to_string(value));
}

}  // namespace detail

/// Throws ValueError on fewer than two values or one that is not finite.
inline Moments moments(std::span<const double> values) {
  detail::expect_values("moments", values, 2);
  // Distances from the first value: equal values then have exactly that mean and no spread.
  const double n = static_cast<double>(values.size());
  double sum = 0;
  for (const double x : values) sum += x - values[0];
  const double mean = sum / n;
  double squares = 0;
  for (const double x : values) squares += (x - values[0] - mean) * (x - values[0] - mean);
  return {static_cast<Index>(values.size()), values[0] + mean, std::sqrt(squares / (n - 1))};
}

}  // namespace tern::statistics
