#pragma once
#include <algorithm>

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
  Bf16Matrix narrow(m.rows(), m.cols());
  for (Index i = 0; i < m.size(); ++i) narrow.data()[i] = kernels::to_bf16(m.data()[i]).bits;
  return narrow;
}

/// Every number becomes x, to nearest.
inline void fill(Bf16Matrix& m, float x) { std::fill_n(m.data(), m.size(), kernels::to_bf16(x).bits); }

}  // namespace tern::test
