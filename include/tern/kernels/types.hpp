#pragma once
/// The words that kernels speak: Index, least, Strided, Gate.
#include <cstddef>

namespace tern::kernels {

using Index = std::ptrdiff_t;

constexpr Index least(Index a, Index b) { return a < b ? a : b; }

/// Element (i, j) lies at data[i * row + j * column].
template <class T>
struct Strided {
  T* data;
  Index row;
  Index column;
};

/// The gate's activation: y = f(gate) * up.
enum class Gate { silu, gelu_tanh, relu_squared };

}  // namespace tern::kernels
