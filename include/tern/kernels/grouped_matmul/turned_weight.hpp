#pragma once
/// How products with gradients in int8 round weights in groups once more: to 7 bits under one scale a row, so that a sum
/// over rows is one of integers.
///   weight(r, k) = size(r) / 63 * turned(r, k), nearly; size(r) = max_k |weight(r, k)|
/// Seven bits, because four products of them with int8 fit 16 bits, 4 * 64 * 127 < 2^15: AVX2 adds so many before it
/// widens a sum.
#include <cstdint>

#include "tern/kernels/quantize/round_group.hpp"

namespace tern::kernels {

inline constexpr int turned_most = 63;        ///< magnitude of a turned weight, save where a row's size is too small
inline constexpr int turned_zero = 64;        ///< what is added to it where it is stored: 1 to 127
inline constexpr Index turned_rows = 128;     ///< rows whose products are summed as integers, under one scale a token

constexpr Index turned_groups(Index rows) { return (rows + turned_rows - 1) / turned_rows; }

/// turned_most / size, by which a row's scales are multiplied; 0 in a row of zeros.
inline float turned_inverse(float size) { return size > 0 ? static_cast<float>(turned_most) / size : 0; }

/// A scale or minimum in 1/256 of a row's unit, to nearest, modulo 2^16.
inline std::uint32_t turned_step(float x, float inverse) {
  constexpr float most = 0x1p22f;  // beyond which no group of more than one code has a place in the row
  const float step = x * inverse * 256, below = step > most ? most : step;
  return static_cast<std::uint32_t>(static_cast<std::int32_t>(round_half_even(below > -most ? below : -most)));
}

/// What turns the codes of a row's group:
///   turned(code) = floor((code * turned_step(scale) + turned_step(minimum) + 128) / 256), -63 to 63
/// in 16 bits. It is within 1/2 + (|code| + 1) / 512 of 63 * weight / size.
struct TurnedScale {
  std::uint32_t scale, from;

  template <class F, class S>
  TurnedScale(const GroupedView<F>& w, const S* sizes, Index row, Index group) {
    const float inverse = turned_inverse(static_cast<float>(sizes[row]));
    scale = turned_step(w.scale(row, group), inverse);
    from = turned_step(w.minimum(row, group), inverse) + 128 + 256 * turned_zero;
  }
  int turned(int code) const {
    return static_cast<int>((static_cast<std::uint32_t>(code) * scale + from) >> 8 & 127) - turned_zero;
  }
};

/// W[row, column] as integer products have it.
template <class F, class S>
int turned_weight(const GroupedView<F>& w, const S* sizes, Index row, Index column) {
  return TurnedScale(w, sizes, row, column / group_columns).turned(w.code(row, column));
}

/// Turned weights as the products of bytes read them (see GroupLayout): one plane, four rows in four bytes.
struct TurnedCodes {
  using Code = std::uint8_t;
  static constexpr int bits = 7, zero_code = turned_zero;
  static constexpr bool has_minimum = false;
  static constexpr std::array<CodePlane, 1> planes{CodePlane{8, 0, 0}};
};

}  // namespace tern::kernels
