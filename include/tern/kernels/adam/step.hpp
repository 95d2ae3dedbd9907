#pragma once
/// Adam with moments in bf16: its factors, and the noise that their rounding takes.
#include <bit>
#include <cstdint>

#include "tern/kernels/bf16.hpp"
#include "tern/kernels/types.hpp"

namespace tern::kernels {

/// The factors of one step; see Operations::adam_bf16.
template <class S>
struct AdamStep {
  S keep, pull, fresh1, beta2, fresh2, step, root_scale, epsilon;
};

/// 32 random bits for number i of a stream: a hash of (seed, i) and nothing else, so that any thread draws the same. The
/// hash is C. Wellons' lowbias32.
constexpr std::uint32_t noise_word(std::uint32_t seed, Index i) {
  std::uint32_t x = seed + static_cast<std::uint32_t>(i);
  x ^= x >> 16;
  x *= 0x7feb352du;
  x ^= x >> 15;
  x *= 0x846ca68bu;
  return x ^ x >> 16;
}

/// Rounds to one of x's two neighbours, by the lower 16 bits of `noise`: to each with a probability of one less its
/// distance in units of theirs, so that the mean over all noise is x exactly. What bf16 holds, infinities among it, stays;
/// a NaN stays one.
inline Bf16 to_bf16_at_random(float x, std::uint32_t noise) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
  if (x != x) return {static_cast<std::uint16_t>(bits >> 16 | 0x40)};
  return {static_cast<std::uint16_t>((bits + (noise & 0xffff)) >> 16)};
}

}  // namespace tern::kernels
