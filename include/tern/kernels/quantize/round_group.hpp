#pragma once
/// What rounds a group of 32 weights to codes.
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "tern/kernels/formats/grouped.hpp"

namespace tern::kernels {

/// The nearest integer, ties to even, of a number below 2^21: behind so large a sum there is no room for a fraction.
/// Unlike std::nearbyint it needs no call where the target has no instruction for it, and turns into vectors.
template <class S>
S round_half_even(S x) noexcept {
  constexpr S large = sizeof(S) == sizeof(float) ? S(0x1.8p23) : S(0x1.8p52);
  return (x + large) - large;
}

namespace detail {

/// The smallest and the largest of a group's numbers. Through integers in the same order: those compilers compare side
/// by side, floats they do not, for NaN's sake.
template <class S>
struct Extremes {
  S low, high;

  explicit Extremes(const S* x) noexcept {
    using Bits = std::conditional_t<sizeof(S) == sizeof(float), std::int32_t, std::int64_t>;
    constexpr Bits magnitude = std::numeric_limits<Bits>::max();
    const auto in_order = [](Bits bits) { return bits < 0 ? bits ^ magnitude : bits; };
    Bits least = magnitude, most = -magnitude;
    for (Index k = 0; k < group_columns; ++k) {
      const Bits place = in_order(std::bit_cast<Bits>(x[k]));
      least = place < least ? place : least;
      most = place > most ? place : most;
    }
    low = std::bit_cast<S>(in_order(least));
    high = std::bit_cast<S>(in_order(most));
  }
};

/// By which a group's numbers are divided: all become 0 where there is no scale.
template <class S>
S divisor(S scale) noexcept {
  return scale != 0 ? scale : std::numeric_limits<S>::infinity();
}

/// codes[k] = round(x[k]) between the limits, plus zero. Bytes may be part of anything, so that compilers write them
/// one by one; those of an array that nobody else knows they need not.
template <class S, class Code>
void round_group(const S* x, S least, S most, int zero, Code* codes) noexcept {
  std::int32_t whole[group_columns];
  Code own[group_columns];
  for (Index k = 0; k < group_columns; ++k) {
    const S above = x[k] < least ? least : x[k], inside = above > most ? most : above;
    whole[k] = static_cast<std::int32_t>(round_half_even(inside));
  }
  for (Index k = 0; k < group_columns; ++k) own[k] = static_cast<Code>(whole[k] + zero);
  std::memcpy(codes, own, sizeof own);
}

}  // namespace detail

}  // namespace tern::kernels
