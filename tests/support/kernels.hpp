#pragma once
/// What the tests of kernels share: every table that runs here, guarded random numbers, and comparisons.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "kernels/contestants.hpp"
#include "support/guarded_buffer.hpp"

namespace tern::test {

using kernels::Index;

/// Calls f(operations) for each instruction set that runs here, the reference included, and for every kernel on trial.
template <class S, class F>
void on_every_isa(F&& f) {
  for (const benchmark::Contestant& contestant : benchmark::contestants()) {
    CAPTURE(contestant.name);
    f(contestant.table.template operations<S>());
  }
}

/// n numbers between -range and range, the last of them at a wall.
template <class S>
GuardedBuffer<S> random_buffer(Index n, unsigned seed, double range = 1) {
  GuardedBuffer<S> buffer(n);
  std::minstd_rand random(seed + 1);
  std::uniform_real_distribution<double> uniform(-range, range);
  for (S& x : buffer) x = static_cast<S>(uniform(random));
  return buffer;
}

/// n weights in {-1, 0, +1}.
inline std::vector<std::int8_t> random_ternary(Index n, unsigned seed) {
  std::minstd_rand random(seed);
  std::vector<std::int8_t> weights(static_cast<std::size_t>(n));
  for (auto& w : weights) w = static_cast<std::int8_t>(static_cast<int>(random() >> 7) % 3 - 1);
  return weights;
}

template <class S>
GuardedBuffer<S> copy(const GuardedBuffer<S>& from) {
  GuardedBuffer<S> to(from.size());
  if (from.size() > 0) std::memcpy(to.data(), from.data(), static_cast<std::size_t>(from.size()) * sizeof(S));
  return to;
}

template <class S>
bool same_bits(const GuardedBuffer<S>& a, const GuardedBuffer<S>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(S)) == 0;
}

/// |got - expected| <= roundings * eps(S) * magnitude; a NaN never is.
template <class S>
bool within(S got, double expected, double roundings, double magnitude) {
  const double bound = roundings * static_cast<double>(std::numeric_limits<S>::epsilon()) * magnitude;
  return std::abs(static_cast<double>(got) - expected) <= bound + static_cast<double>(std::numeric_limits<S>::min());
}

/// What rounding both factors of a product to bf16 amounts to, in roundings of S; products in double are not rounded.
template <class S>
inline constexpr double bf16_factors =
    sizeof(S) == 4 ? 2.01 * kernels::bf16_rounding / static_cast<double>(std::numeric_limits<S>::epsilon()) : 0;

/// Lengths that meet every register's edge.
inline constexpr Index awkward_lengths[] = {0,  1,  2,  3,  4,  5,  7,  8,   9,   15, 16,
                                            17, 31, 32, 33, 63, 64, 65, 127, 129, 577};

}  // namespace tern::test
