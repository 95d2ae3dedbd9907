#pragma once
#include "tern/core/state_matrix.hpp"
#include "tern/kernels/bf16.hpp"

namespace tern::test {

/// What a matrix in bf16 holds; exact.
inline Matrix<float> widened(const Bf16Matrix& m) {
  Matrix<float> wide(m.rows(), m.cols());
  kernels::widen_bf16(m.size(), m.data(), wide.data());
  return wide;
}

/// To nearest.
inline Bf16Matrix narrowed(const Matrix<float>& m) {
  return m.unaryExpr([](float x) { return kernels::to_bf16(x).bits; });
}

}  // namespace tern::test
