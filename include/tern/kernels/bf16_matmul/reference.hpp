#pragma once
#include "tern/kernels/formats/bf16.hpp"

namespace tern::kernels::reference {

/// y = x * W^T. See Bf16Products::matmul.
template <class S>
void bf16_matmul(const Bf16View& w, Index row_begin, Index row_end, Index tokens, const S* x, Index x_row, S* y,
                 Index y_row) noexcept {
  for (Index t = 0; t < tokens; ++t)
    for (Index r = row_begin; r < row_end; ++r) {
      S sum = 0;
      for (Index k = 0; k < w.columns; ++k) sum += x[t * x_row + k] * static_cast<S>(w.weight(r, k));
      y[t * y_row + r] = sum;
    }
}

/// dx += dy * W. See Bf16Products::matmul_transposed.
template <class S>
void bf16_matmul_transposed(const Bf16View& w, Index column_begin, Index column_end, Index tokens, const S* dy,
                            Index dy_row, S* dx, Index dx_row) noexcept {
  for (Index t = 0; t < tokens; ++t)
    for (Index k = column_begin; k < column_end; ++k) {
      S sum = dx[t * dx_row + k];
      for (Index r = 0; r < w.rows; ++r) sum += dy[t * dy_row + r] * static_cast<S>(w.weight(r, k));
      dx[t * dx_row + k] = sum;
    }
}

}  // namespace tern::kernels::reference
