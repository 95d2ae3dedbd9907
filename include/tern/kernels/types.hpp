#pragma once
/// The words that kernels speak: Index, Strided, Gate.
#include <cstddef>

namespace tern::kernels {

using Index = std::ptrdiff_t;

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
