#pragma once
/// Numbers and phrases that findings and reports share. Plain text: whoever renders it escapes it.
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tern/core/matrix.hpp"

namespace tern::words {

/// A number that may be missing: not measured, failed, or not finite.
using Maybe = std::optional<double>;

/// What stands where there is no number.
inline constexpr std::string_view missing = "–";

/// Fixed point with a true minus sign; no "-0".
inline std::string fixed(double value, int digits) {
  std::array<char, 400> buffer{};
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::abs(value), std::chars_format::fixed, digits);
  const std::string_view shown(buffer.data(), static_cast<std::size_t>(end.ptr - buffer.data()));
  const bool zero = shown.find_first_not_of("0.") == std::string_view::npos;
  return (value < 0 && !zero ? "−" : "") + std::string(shown);
}

/// Up to `digits` significant digits, as short as can be: learning rates, sizes of tasks.
inline std::string general(double value, int digits = 3) {
  std::array<char, 64> buffer{};
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::general, digits);
  return {buffer.data(), end.ptr};
}

/// 215000 -> "215,000".
inline std::string grouped(double value) {
  std::string digits = fixed(std::round(std::abs(value)), 0);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), ",");
  return (value < 0 ? "−" : "") + digits;
}

/// A count that may be missing.
inline std::string count(const Maybe& value) { return value ? grouped(*value) : std::string(missing); }

/// A perplexity, to about four digits.
inline std::string perplexity(const Maybe& value) {
  if (!value) return std::string(missing);
  if (*value >= 1e6) return general(*value, 3);
  return *value >= 1000 ? grouped(*value) : fixed(*value, *value < 100 ? 2 : 1);
}

/// A margin 1 - a/b as a signed percentage; one far below zero as the ratio a/b, which says more.
inline std::string margin(const Maybe& value, int digits = 1) {
  if (!value) return std::string(missing);
  if (*value < -9) return "×" + (*value < -1e6 ? general(1 - *value, 2) : grouped(1 - *value));
  const std::string shown = fixed(100 * *value, digits);
  return (*value > 0 && shown.find_first_not_of("0.") != std::string::npos ? "+" : "") + shown + "%";
}

/// A share of a whole, without a sign for what is positive: 0.31 -> "31%".
inline std::string percent(const Maybe& value) { return value ? fixed(100 * *value, 0) + "%" : std::string(missing); }

/// Bytes in decimal units: 9216 -> "9.22 kB".
inline std::string bytes(const Maybe& value) {
  if (!value) return std::string(missing);
  constexpr std::array units = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  double v = *value;
  std::size_t unit = 0;
  while (v >= 999.5 && unit + 1 < units.size()) v /= 1000, ++unit;
  return fixed(v, unit == 0 || v >= 99.95 ? 0 : v >= 9.995 ? 1 : 2) + " " + units[unit];
}

/// Seconds, or minutes and hours where those are easier to read.
inline std::string seconds(const Maybe& value) {
  if (!value) return std::string(missing);
  if (*value < 600) return fixed(*value, *value < 10 ? 1 : 0) + " s";
  return *value < 2 * 3600 ? fixed(*value / 60, 0) + " min" : fixed(*value / 3600, 1) + " h";
}

/// A p to three digits, small ones as a bound: "p 0.004", "p < 0.001".
inline std::string p_number(double p) { return p < 0.001 ? "< 0.001" : fixed(p, 3); }
inline std::string p_value(double p) { return "p " + p_number(p); }

/// "1 user", "12 users".
inline std::string count(Index n, const std::string& what) {
  return grouped(static_cast<double>(n)) + " " + what + (n == 1 ? "" : "s");
}

/// "all 12 users", "7 of 12 users", "none of 12 users".
inline std::string some_of(Index some, Index all, const std::string& what) {
  if (some == all) return all == 1 ? "the one " + what : "all " + count(all, what);
  return (some == 0 ? "none" : std::to_string(some)) + " of " + count(all, what);
}

/// "a", "a and b", "a, b and c".
inline std::string enumerate(const std::vector<std::string>& words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i)
    out += (i == 0 ? "" : i + 1 == words.size() ? " and " : ", ") + words[i];
  return out;
}

/// The first letter as a capital.
inline std::string capital(std::string sentence) {
  if (!sentence.empty() && sentence[0] >= 'a' && sentence[0] <= 'z')
    sentence[0] = static_cast<char>(sentence[0] - 'a' + 'A');
  return sentence;
}

namespace detail {
/// Without its sign; from ten times on without decimals.
inline std::string size(double margin, int digits) {
  const double percent = 100 * std::abs(margin);
  return (percent < 1000 ? fixed(percent, digits) : percent < 1e8 ? grouped(percent) : general(percent, 2)) + "%";
}
}  // namespace detail

/// A perplexity with this margin, against the other: "5.2% lower", "8.7% higher".
inline std::string lower(double margin, int digits = 1) {
  return detail::size(margin, digits) + (margin >= 0 ? " lower" : " higher");
}

/// The ends of a margin's interval: "2.0% to 4.2% lower", "3.3% to 14.5% higher", "4.8% higher to 4.7% lower".
inline std::string lower_between(double low, double high, int digits = 1) {
  if (!std::isfinite(low) || !std::isfinite(high)) return "no interval";
  if (low >= 0) return detail::size(low, digits) + " to " + lower(high, digits);
  if (high < 0) return detail::size(high, digits) + " to " + lower(low, digits);
  return lower(low, digits) + " to " + lower(high, digits);
}

/// A margin with its ends as a table shows it: "−8.7% [−14.5%, −3.3%]".
inline std::string margin_between(double point, double low, double high, int digits = 1) {
  if (!std::isfinite(low) || !std::isfinite(high)) return margin(point, digits);
  return margin(point, digits) + " [" + margin(low, digits) + ", " + margin(high, digits) + "]";
}

}  // namespace tern::words
