#pragma once
#include <cmath>
#include <cstdint>

#include "tern/kernels/formats/ternary.hpp"

namespace tern::kernels::reference {

/// y = scale * sum_g w.scale * (integer sum). See Operations::ternary_matmul.
/// The sum over groups is in double, where each product of a float and an integer below 2^24 is exact: fusing a
/// multiplication with an addition, or not, changes nothing, so every ISA gives the same bits.
template <class S>
void ternary_matmul(const TernaryView& w, Index row_begin, Index row_end, Index tokens, const std::int8_t* q,
                    Index q_row, const S* scale, S* y, Index y_row) noexcept {
  const Index groups = w.groups(), width = w.span();
  for (Index t = 0; t < tokens; ++t)
    for (Index r = row_begin; r < row_end; ++r) {
      double sum = 0;
      for (Index g = 0; g < groups; ++g) {
        std::int32_t integer = 0;
        for (Index k = g * width; k < w.columns && k < (g + 1) * width; ++k)
          integer += q[t * q_row + k] * w.weight(r, k);
        sum += static_cast<double>(w.scale(r, g)) * integer;
      }
      y[t * y_row + r] = static_cast<S>(static_cast<double>(scale[t]) * sum);
    }
}

/// y = x * W^T. See Operations::ternary_matmul_float.
template <class S>
void ternary_matmul_float(const TernaryView& w, Index row_begin, Index row_end, Index tokens, const S* x, Index x_row,
                          S* y, Index y_row) noexcept {
  for (Index t = 0; t < tokens; ++t)
    for (Index r = row_begin; r < row_end; ++r) {
      S sum = 0;
      for (Index k = 0; k < w.columns; ++k)
        sum += x[t * x_row + k] * (static_cast<S>(w.scale(r, w.group(k))) * static_cast<S>(w.weight(r, k)));
      y[t * y_row + r] = sum;
    }
}

/// dx += dy * W. See Operations::ternary_matmul_transposed.
template <class S>
void ternary_matmul_transposed(const TernaryView& w, Index column_begin, Index column_end, Index tokens, const S* dy,
                               Index dy_row, S* dx, Index dx_row) noexcept {
  for (Index t = 0; t < tokens; ++t)
    for (Index k = column_begin; k < column_end; ++k) {
      const Index g = w.group(k);
      S sum = dx[t * dx_row + k];
      for (Index r = 0; r < w.rows; ++r)
        sum += dy[t * dy_row + r] * (static_cast<S>(w.scale(r, g)) * static_cast<S>(w.weight(r, k)));
      dx[t * dx_row + k] = sum;
    }
}

/// dx += scale * (integer sum). See Operations::ternary_matmul_transposed_int8.
template <class S>
void ternary_matmul_transposed_int8(const TernaryView& w, Index column_begin, Index column_end, Index tokens,
                                    const std::int8_t* q, Index q_row, const S* scale, S* dx, Index dx_row) noexcept {
  for (Index t = 0; t < tokens; ++t)
    for (Index k = column_begin; k < column_end; ++k) {
      std::int32_t sum = 0;
      for (Index r = 0; r < w.rows; ++r) sum += q[t * q_row + r] * w.weight(r, k);
      S& to = dx[t * dx_row + k];
      to = std::fma(scale[t], static_cast<S>(sum), to);
    }
}

}  // namespace tern::kernels::reference
