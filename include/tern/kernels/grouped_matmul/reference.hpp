#pragma once
#include <cmath>
#include <cstdint>

#include "tern/kernels/formats/grouped.hpp"
#include "tern/kernels/grouped_matmul/turned_weight.hpp"

namespace tern::kernels::reference {

/// y = sum over the token's groups of scale * (sum over the weights' groups). See GroupedProducts::matmul.
/// Integer sums are exact, and every float step is one fused multiplication and addition: all ISAs give the same bits.
template <class F, class S>
void grouped_matmul(const GroupedView<F>& w, Index row_begin, Index row_end, Index tokens, const std::int8_t* q,
                    Index q_row, const S* scale, Index scale_row, S* y, Index y_row) noexcept {
  for (Index t = 0; t < tokens; ++t)
    for (Index r = row_begin; r < row_end; ++r) {
      S total = 0, part = 0;
      for (Index first = 0; first < w.columns; first += group_columns) {
        const Index g = first / group_columns,
                    end = first + group_columns < w.columns ? first + group_columns : w.columns;
        std::int32_t sum = 0, plain = 0;
        for (Index k = first; k < end; ++k) {
          sum += q[t * q_row + k] * w.code(r, k);
          plain += q[t * q_row + k];
        }
        part = std::fma(static_cast<S>(sum), static_cast<S>(w.scale(r, g)), part);
        if constexpr (F::has_minimum) part = std::fma(static_cast<S>(plain), static_cast<S>(w.minimum(r, g)), part);
        if (end % activation_columns == 0 || end == w.columns) {
          total = std::fma(part, scale[t * scale_row + first / activation_columns], total);
          part = 0;
        }
      }
      y[t * y_row + r] = total;
    }
}

/// y = x * W^T. See GroupedProducts::matmul_float.
template <class F, class S>
void grouped_matmul_float(const GroupedView<F>& w, Index row_begin, Index row_end, Index tokens, const S* x,
                          Index x_row, S* y, Index y_row) noexcept {
  for (Index t = 0; t < tokens; ++t)
    for (Index r = row_begin; r < row_end; ++r) {
      S sum = 0;
      for (Index k = 0; k < w.columns; ++k) sum += x[t * x_row + k] * w.template weight<S>(r, k);
      y[t * y_row + r] = sum;
    }
}

/// dx += dy * W. See GroupedProducts::matmul_transposed.
template <class F, class S>
void grouped_matmul_transposed(const GroupedView<F>& w, Index column_begin, Index column_end, Index tokens, const S* dy,
                               Index dy_row, S* dx, Index dx_row) noexcept {
  for (Index t = 0; t < tokens; ++t)
    for (Index k = column_begin; k < column_end; ++k) {
      S sum = dx[t * dx_row + k];
      for (Index r = 0; r < w.rows; ++r) sum += dy[t * dy_row + r] * w.template weight<S>(r, k);
      dx[t * dx_row + k] = sum;
    }
}

/// dx += scale * (q * V). See GroupedProducts::matmul_transposed_int8.
template <class F, class S>
void grouped_matmul_transposed_int8(const GroupedView<F>& w, const S* sizes, Index column_begin, Index column_end,
                                    Index tokens, const std::int8_t* q, Index q_row, const S* scale, Index scale_row,
                                    S* dx, Index dx_row) noexcept {
  for (Index k = column_begin; k < column_end; ++k)
    for (Index first = 0; first < w.rows; first += turned_rows) {
      const Index rows = least(w.rows - first, turned_rows);
      int weights[turned_rows];
      for (Index r = 0; r < rows; ++r) weights[r] = turned_weight(w, sizes, first + r, k);
      for (Index t = 0; t < tokens; ++t) {
        std::int32_t sum = 0;
        for (Index r = 0; r < rows; ++r) sum += q[t * q_row + first + r] * weights[r];
        S& to = dx[t * dx_row + k];
        to = std::fma(scale[t * scale_row + first / turned_rows], static_cast<S>(sum), to);
      }
    }
}

}  // namespace tern::kernels::reference
