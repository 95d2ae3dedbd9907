#pragma once
#include "tern/kernels/bf16.hpp"
#include "tern/kernels/types.hpp"

namespace tern::kernels::reference {

/// C = A * B, or C += A * B, B in bf16. See Operations::matmul_bf16.
template <class S>
void matmul_bf16(Index m, Index n, Index k, Strided<const S> a, Strided<const Bf16> b, S* c, Index c_row,
                 bool accumulate) noexcept {
  for (Index i = 0; i < m; ++i)
    for (Index j = 0; j < n; ++j) {
      S sum = accumulate ? c[i * c_row + j] : S(0);
      for (Index p = 0; p < k; ++p)
        sum += a.data[i * a.row + p * a.column] * static_cast<S>(to_float(b.data[p * b.row + j * b.column]));
      c[i * c_row + j] = sum;
    }
}

}  // namespace tern::kernels::reference
