#pragma once
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "tern/kernels/formats/q4.hpp"
#include "tern/kernels/formats/q4_0.hpp"
#include "tern/kernels/formats/q8.hpp"
#include "tern/kernels/table.hpp"

namespace tern::kernels {

/// Activations for GroupedProducts::matmul: as Operations::quantize_int8, with a scale for every 128 columns.
/// x [rows x columns], q [rows x columns], scale [rows x activation_groups(columns)], each with its own stride.
template <class S>
void quantize_activations(const Operations<S>& ops, Index rows, Index columns, const S* x, Index x_row, std::int8_t* q,
                          Index q_row, S* scale, Index scale_row) noexcept {
  const Index whole = columns / activation_columns, left = columns % activation_columns;
  for (Index t = 0; t < rows; ++t, x += x_row, q += q_row, scale += scale_row) {
    ops.quantize_int8(whole, activation_columns, x, activation_columns, q, activation_columns, scale);
    if (left > 0) ops.quantize_int8(1, left, x + columns - left, left, q + columns - left, left, scale + whole);
  }
}

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

/// Calls round(x, codes) for each group of each row; a row's last one is filled up with its last weight.
template <class S, class Code, class F>
void for_each_group(Index rows, Index columns, const S* w, Index w_row, Code* codes, F&& round) noexcept {
  for (Index r = 0; r < rows; ++r, w += w_row)
    for (Index first = 0; first < columns; first += group_columns) {
      const Index count = least(columns - first, group_columns);
      if (count == group_columns) {
        round(w + first, codes);
      } else {
        S x[group_columns];
        Code room[group_columns];
        for (Index k = 0; k < group_columns; ++k) x[k] = w[first + (k < count ? k : count - 1)];
        round(x, room);
        std::memcpy(codes, room, static_cast<std::size_t>(count));
      }
      codes += count;
    }
}

}  // namespace detail

/// Rounds weights to q8, over each group of a row: scale = max |w| / 127 in binary16, code = w / scale to nearest.
/// w [rows x columns], its rows w_row apart, of magnitude below 8e6; codes [rows x columns] and
/// scales [rows x groups_of(columns)] contiguous. An error is at most scale/2, and what binary16 rounds at the ends.
template <class S>
void quantize_q8(Index rows, Index columns, const S* w, Index w_row, std::int8_t* codes, Half* scales) noexcept {
  detail::for_each_group(rows, columns, w, w_row, codes, [&](const S* x, std::int8_t* to) {
    const detail::Extremes<S> of(x);
    *scales = to_half(static_cast<float>((-of.low > of.high ? -of.low : of.high) / 127));
    const S scale = static_cast<S>(to_float(*scales++));
    S ratio[group_columns];
    for (Index k = 0; k < group_columns; ++k) ratio[k] = x[k] / detail::divisor(scale);
    detail::round_group<S>(ratio, -127, 127, 0, to);
  });
}

/// Rounds weights to q4, over each group of a row: minimum = min w and scale = (max w - min w) / 15 in binary16, code =
/// (w - minimum) / scale to nearest. Shapes as quantize_q8; magnitudes below 65504.
template <class S>
void quantize_q4(Index rows, Index columns, const S* w, Index w_row, std::uint8_t* codes, Half* scales,
                 Half* minimums) noexcept {
  detail::for_each_group(rows, columns, w, w_row, codes, [&](const S* x, std::uint8_t* to) {
    const detail::Extremes<S> of(x);
    *minimums = to_half(static_cast<float>(of.low));
    *scales = to_half(static_cast<float>((of.high - of.low) / 15));
    const S minimum = static_cast<S>(to_float(*minimums++)), scale = static_cast<S>(to_float(*scales++));
    S ratio[group_columns];
    for (Index k = 0; k < group_columns; ++k) ratio[k] = (x[k] - minimum) / detail::divisor(scale);
    detail::round_group<S>(ratio, 0, 15, 0, to);
  });
}

/// Rounds weights to q4_0, over each group of a row: scale = m / -8 in binary16, where m is the weight of the largest
/// magnitude, with its sign, because -8 is there and 8 is not; code = w / scale + 8 to nearest, at most 15. Shapes as
/// quantize_q8; magnitudes below 5e5. An error is at most scale/2, or scale of a weight as large as m with the other
/// sign, and what binary16 rounds at the ends.
template <class S>
void quantize_q4_0(Index rows, Index columns, const S* w, Index w_row, std::uint8_t* codes, Half* scales) noexcept {
  detail::for_each_group(rows, columns, w, w_row, codes, [&](const S* x, std::uint8_t* to) {
    const detail::Extremes<S> of(x);
    S top = of.high > -of.low ? of.high : of.low;
    for (Index k = 0; of.high == -of.low && k < group_columns; ++k)
      if (std::abs(x[k]) == of.high) {
        top = x[k];  // of both signs the first
        break;
      }
    *scales = to_half(static_cast<float>(top / -8));
    const S scale = static_cast<S>(to_float(*scales++));
    S ratio[group_columns];
    for (Index k = 0; k < group_columns; ++k) ratio[k] = x[k] / detail::divisor(scale);
    detail::round_group<S>(ratio, -8, 7, 8, to);
  });
}

}  // namespace tern::kernels
