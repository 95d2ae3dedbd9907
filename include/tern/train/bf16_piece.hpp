#pragma once
/// Work on a piece of numbers in bf16: some at a time become floats in the first cache.
#include <Eigen/Core>
#include <algorithm>
#include <cstdint>

#include "tern/core/bf16_matrix.hpp"
#include "tern/core/random.hpp"
#include "tern/kernels/adam/step.hpp"
#include "tern/kernels/bf16.hpp"

namespace tern::detail {

inline constexpr Index bf16_chunk = 256;

/// x *= factor, which is finite, to nearest.
template <std::floating_point S>
void scale_bf16(Index n, S factor, std::uint16_t* x) {
  S chunk[bf16_chunk];
  for (Index i = 0; i < n; i += bf16_chunk) {
    const Index some = std::min(bf16_chunk, n - i);
    if (all_zero(some, x + i)) continue;
    kernels::widen_bf16(some, x + i, chunk);
    for (Index k = 0; k < some; ++k) x[i + k] = kernels::to_bf16(static_cast<float>(factor * chunk[k])).bits;
  }
}

/// sum x^2 in double.
inline double squared_norm_bf16(Index n, const std::uint16_t* x) {
  double sum = 0, chunk[bf16_chunk];
  for (Index i = 0; i < n; i += bf16_chunk) {
    const Index some = std::min(bf16_chunk, n - i);
    kernels::widen_bf16(some, x + i, chunk);
    sum += Eigen::Map<const Eigen::VectorXd>(chunk, some).squaredNorm();
  }
  return sum;
}

/// Starts the noise of a piece's rounding (kernels::noise_word): of (seed, step, parameter, first number) alone.
inline std::uint32_t rounding_seed(std::uint64_t seed, Index step, std::size_t parameter, Index begin) {
  std::uint64_t mixed = seed;
  for (const auto part :
       {static_cast<std::uint64_t>(step), static_cast<std::uint64_t>(parameter), static_cast<std::uint64_t>(begin)})
    mixed = Random(Random(mixed).next() ^ part).next();
  return static_cast<std::uint32_t>(mixed >> 32);
}

}  // namespace tern::detail
