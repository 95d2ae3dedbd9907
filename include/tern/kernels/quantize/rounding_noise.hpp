#pragma once
/// Noise that makes rounding to nearest stochastic: round(v + noise) is v on average.
#include <bit>
#include <cstdint>

#include "tern/kernels/types.hpp"

namespace tern::kernels {

/// Starts a row's noise from its scale: no state, and the same row is rounded the same way wherever it lies and whoever
/// rounds it. Rows of different steps or layers do not share a scale but by chance.
template <class S>
std::uint32_t noise_seed(S scale) {
  return std::bit_cast<std::uint32_t>(static_cast<float>(scale)) * 0x9e3779b9u;
}

/// Uniform on the 65536 numbers (i + 1/2) / 65536 - 1/2: as fine as rounding +-127 lets float be, and never a half, so
/// that the largest number of a row stays itself. The hash is C. Wellons' lowbias32.
template <class S>
S rounding_noise(std::uint32_t seed, Index k) {
  std::uint32_t x = seed + static_cast<std::uint32_t>(k);
  x ^= x >> 16;
  x *= 0x7feb352du;
  x ^= x >> 15;
  x *= 0x846ca68bu;
  return (static_cast<S>(static_cast<std::int32_t>(x >> 16)) - S(32767.5)) / S(65536);
}

}  // namespace tern::kernels
