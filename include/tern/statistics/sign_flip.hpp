#pragma once
/// The sign-flip test: is the mean over users further from 0 than chance alone would put it?
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

#include "tern/core/random.hpp"
#include "tern/statistics/moments.hpp"

namespace tern::statistics {

struct SignFlipOptions {
  Index exact_up_to = 20;  ///< users for whom all 2^n flips are tried; at most 30
  Index draws = 100'000;   ///< random flips for more users
};

struct SignFlip {
  double p = 1;       ///< two-sided
  Index flips = 0;    ///< tried or drawn
  bool exact = true;  ///< all of them
};

namespace detail {

/// Among the 2^(n-1) flips that leave the first sign as it is, how many have |sum| >= threshold. A flip and its
/// opposite have the same |sum|, so these are half of all. Sums always run from the first value to the last: flip 0
/// repeats the measured sum bit by bit.
inline std::uint64_t count_flips(std::span<const double> values, double threshold) {
  const std::size_t n = values.size();
  std::array<double, 32> sums;  // of the first k + 1 values with this flip's signs
  std::uint64_t extreme = 0;
  const std::uint64_t flips = std::uint64_t(1) << (n - 1);
  for (std::uint64_t flip = 0; flip < flips; ++flip) {
    // Bit 0 is the last value's sign: from one flip to the next only the values of the bits that changed are added
    // anew.
    std::size_t from = flip == 0 ? 0 : n - 1 - static_cast<std::size_t>(std::countr_zero(flip));
    for (; from < n; ++from) {
      const bool negative = from > 0 && (flip >> (n - 1 - from) & 1);
      sums[from] = (from > 0 ? sums[from - 1] : 0.0) + (negative ? -values[from] : values[from]);
    }
    extreme += std::abs(sums[n - 1]) >= threshold;
  }
  return extreme;
}

/// How many of `draws` random flips have |sum| >= threshold.
inline std::uint64_t draw_flips(std::span<const double> values, double threshold, Index draws, Random& random) {
  std::uint64_t extreme = 0;
  for (Index draw = 0; draw < draws; ++draw) {
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); i += 64) {
      std::uint64_t signs = random.next();
      for (std::size_t j = i; j < std::min(i + 64, values.size()); ++j, signs >>= 1)
        // The sign bit itself: random branches would be mispredicted half the time.
        sum += std::bit_cast<double>(std::bit_cast<std::uint64_t>(values[j]) ^ (signs << 63));
    }
    extreme += std::abs(sum) >= threshold;
  }
  return extreme;
}

}  // namespace detail

/// Two-sided test that the differences lie symmetrically around 0 (Fisher 1935, section 21):
///   p = share of the flips s in {-1, 1}^n with |sum s_i x_i| >= |sum x_i|,
/// over all 2^n flips where n <= exact_up_to, else (1 + extreme draws) / (1 + draws) (Phipson, Smyth 2010), which is a
/// valid p as well. The flip that changes nothing counts, so p is never below 2^(1-n): five users cannot reach 0.05.
/// Ties count as extreme. Sums that would be equal may differ after rounding, by no more than 2 n u sum|x| with u =
/// 2^-53: each value was rounded once, each sum n - 1 times. Sums that near to the measured one count as ties, which
/// can only raise p. `random` is used for draws only. Throws ValueError where values are missing or not finite, or
/// options are outside their range.
inline SignFlip sign_flip(std::span<const double> users, Random& random, const SignFlipOptions& options = {}) {
  detail::expect_values("sign flip", users, 1);
  if (options.exact_up_to < 0 || options.exact_up_to > 30)
    throw ValueError("sign flip: expected exact_up_to in [0, 30], got " + std::to_string(options.exact_up_to));
  if (options.draws < 1) throw ValueError("sign flip: expected at least 1 draw, got " + std::to_string(options.draws));
  double sum = 0, size = 0;
  for (const double x : users) {
    sum += x;
    size += std::abs(x);
  }
  if (!std::isfinite(size)) throw ValueError("sign flip: expected a finite sum of sizes, got " + std::to_string(size));
  const auto n = static_cast<Index>(users.size());
  const double rounding = static_cast<double>(n) * std::numeric_limits<double>::epsilon() * size;
  const double threshold = std::abs(sum) - rounding;
  if (n <= options.exact_up_to) {
    const double half = std::ldexp(1.0, static_cast<int>(n - 1));
    return {static_cast<double>(detail::count_flips(users, threshold)) / half, static_cast<Index>(2 * half), true};
  }
  const std::uint64_t extreme = detail::draw_flips(users, threshold, options.draws, random);
  return {static_cast<double>(1 + extreme) / static_cast<double>(1 + options.draws), options.draws, false};
}

}  // namespace tern::statistics
