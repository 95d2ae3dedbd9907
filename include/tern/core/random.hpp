#pragma once
/// The same numbers on every platform: the standard library's distributions differ between implementations, these do not.
#include <cmath>
#include <cstdint>
#include <numbers>

#include "tern/core/matrix.hpp"

namespace tern {

/// SplitMix64 (Steele, Lea, Flood 2014): 64 bits of state, passes BigCrush; copy it to fork a stream, store `state` to resume.
struct Random {
  std::uint64_t state = 0;

  explicit Random(std::uint64_t seed = 0) : state(seed) {}

  std::uint64_t next() {
    std::uint64_t z = (state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// Uniform in [0, 1), 53 bits.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  /// Uniform in [0, n), 0 < n <= 2^52; the bias is below n / 2^53.
  Index below(Index n) { return static_cast<Index>(uniform() * static_cast<double>(n)); }
  /// Normal(0, 1) by Box and Muller, one of the pair.
  double normal() {
    const double u = 1.0 - uniform();
    return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * uniform());
  }
};

/// Fills m with Normal(0, deviation).
template <std::floating_point S>
void fill_normal(Matrix<S>& m, Random& random, double deviation) {
  for (Index i = 0; i < m.size(); ++i) m.data()[i] = static_cast<S>(deviation * random.normal());
}

}  // namespace tern
