#pragma once
#include <cmath>
#include <cstdint>

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

/// Rounds weights to q8, over each group of a row: scale = max |w| / 127 in binary16, code = w / scale to nearest.
/// w [rows x columns], its rows w_row apart, of magnitude below 8e6; codes [rows x columns] and
/// scales [rows x groups_of(columns)] contiguous. An error is at most scale/2, and what binary16 rounds at the ends.
template <class S>
void quantize_q8(Index rows, Index columns, const S* w, Index w_row, std::int8_t* codes, Half* scales) noexcept {
  for (Index r = 0; r < rows; ++r, w += w_row)
    for (Index first = 0; first < columns; first += group_columns) {
      const Index end = first + group_columns < columns ? first + group_columns : columns;
      S top = 0;
      for (Index k = first; k < end; ++k) top = std::fmax(top, std::abs(w[k]));
      const Half half = to_half(static_cast<float>(top / 127));
      const S scale = static_cast<S>(to_float(half));
      *scales++ = half;
      for (Index k = first; k < end; ++k) {
        const S code = scale > 0 ? std::nearbyint(w[k] / scale) : S(0);
        *codes++ = static_cast<std::int8_t>(code > 127 ? 127 : code < -127 ? -127 : code);
      }
    }
}

/// Rounds weights to q4, over each group of a row: minimum = min w and scale = (max w - min w) / 15 in binary16, code =
/// (w - minimum) / scale to nearest. Shapes as quantize_q8; magnitudes below 65504.
template <class S>
void quantize_q4(Index rows, Index columns, const S* w, Index w_row, std::uint8_t* codes, Half* scales,
                 Half* minimums) noexcept {
  for (Index r = 0; r < rows; ++r, w += w_row)
    for (Index first = 0; first < columns; first += group_columns) {
      const Index end = first + group_columns < columns ? first + group_columns : columns;
      S low = w[first], high = w[first];
      for (Index k = first; k < end; ++k) {
        low = std::fmin(low, w[k]);
        high = std::fmax(high, w[k]);
      }
      *minimums = to_half(static_cast<float>(low));
      *scales = to_half(static_cast<float>((high - low) / 15));
      const S minimum = static_cast<S>(to_float(*minimums++)), scale = static_cast<S>(to_float(*scales++));
      for (Index k = first; k < end; ++k) {
        const S code = scale > 0 ? std::nearbyint((w[k] - minimum) / scale) : S(0);
        *codes++ = static_cast<std::uint8_t>(code > 15 ? 15 : code < 0 ? 0 : code);
      }
    }
}

/// Rounds weights to q4_0, over each group of a row: scale = m / -8 in binary16, where m is the weight of the largest
/// magnitude, with its sign, because -8 is there and 8 is not; code = w / scale + 8 to nearest, at most 15. Shapes as
/// quantize_q8; magnitudes below 5e5. An error is at most scale/2, or scale of a weight as large as m with the other
/// sign, and what binary16 rounds at the ends.
template <class S>
void quantize_q4_0(Index rows, Index columns, const S* w, Index w_row, std::uint8_t* codes, Half* scales) noexcept {
  for (Index r = 0; r < rows; ++r, w += w_row)
    for (Index first = 0; first < columns; first += group_columns) {
      const Index end = first + group_columns < columns ? first + group_columns : columns;
      S top = 0;
      for (Index k = first; k < end; ++k)
        if (std::abs(w[k]) > std::abs(top)) top = w[k];
      const Half half = to_half(static_cast<float>(top / -8));
      const S scale = static_cast<S>(to_float(half));
      *scales++ = half;
      for (Index k = first; k < end; ++k) {
        const S code = scale != 0 ? std::nearbyint(w[k] / scale) + 8 : S(8);
        *codes++ = static_cast<std::uint8_t>(code > 15 ? 15 : code < 0 ? 0 : code);
      }
    }
}

}  // namespace tern::kernels
