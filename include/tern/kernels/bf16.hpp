#pragma once
/// bfloat16: the upper half of a float, as memory holds it.
#include <bit>
#include <cstddef>
#include <cstdint>

namespace tern::kernels {

struct Bf16 {
  std::uint16_t bits;
};

/// Rounds to nearest, ties to even; a NaN stays one.
inline Bf16 to_bf16(float x) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
  if (x != x) return {static_cast<std::uint16_t>(bits >> 16 | 0x40)};
  return {static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
}

inline float to_float(Bf16 x) { return std::bit_cast<float>(static_cast<std::uint32_t>(x.bits) << 16); }

/// y[i] = x[i] rounded to bf16, as bits.
template <class S>
void narrow_bf16(std::ptrdiff_t n, const S* x, std::uint16_t* y) noexcept {
  for (std::ptrdiff_t i = 0; i < n; ++i) y[i] = to_bf16(static_cast<float>(x[i])).bits;
}

/// y[i] = x[i], numbers in bf16 as bits; exact.
template <class S>
void widen_bf16(std::ptrdiff_t n, const std::uint16_t* x, S* y) noexcept {
  for (std::ptrdiff_t i = 0; i < n; ++i) y[i] = static_cast<S>(to_float(Bf16{x[i]}));
}

/// Half the distance between neighbours, relative: rounding x to bf16 moves it by at most this times |x|.
inline constexpr double bf16_rounding = 1.0 / 256;

}  // namespace tern::kernels
