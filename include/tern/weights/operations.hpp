#pragma once
#include "tern/core/pass.hpp"
#include "tern/kernels/kernels.hpp"

namespace tern {

/// The kernels that a pass asks for, in scalar S.
template <std::floating_point S>
const kernels::Operations<S>& operations(const Pass& pass) {
  return (pass.kernels != nullptr ? *pass.kernels : kernels::best_table()).template operations<S>();
}

/// How wide pieces of products should be, since each packs or rounds the other side anew. For 576 columns on two
/// threads, 288 columns a piece instead of 72 made q4's backward 1.15 times as fast; for 1536 rows of 8960 columns, 768 rows
/// a piece instead of 192 its forward 1.15 times.
inline constexpr Index wide_piece = 512;

/// Rows of packed weights that their float products decode at a time: pieces are best a multiple of it.
inline constexpr Index float_strip = 64;

namespace detail {

template <class S>
kernels::Strided<S> row_major(S* data, Index stride) {
  return {data, stride, 1};
}
template <class S>
kernels::Strided<S> transposed(S* data, Index stride) {
  return {data, 1, stride};
}

/// C (+)= A * B, cut over C's columns: each worker packs its own part of B, and no sum depends on the cut.
template <class S>
void parallel_matmul(const Pass& pass, Index m, Index n, Index k, kernels::Strided<const S> a,
                     kernels::Strided<const S> b, S* c, Index c_row, bool accumulate) {
  const auto& ops = operations<S>(pass);
  const auto matmul = pass.precision == Precision::mixed ? ops.matmul_mixed : ops.matmul;
  pass.parallel.ranges(n, 32, wide_piece, [&](Index begin, Index end) {
    const kernels::Strided<const S> piece{b.data + begin * b.column, b.row, b.column};
    matmul(m, end - begin, k, a, piece, c + begin, c_row, accumulate);
  });
}

}  // namespace detail

/// y = x * w^T, or y += x * w^T.  x [tokens x in], w [out x in], y [tokens x out].
template <std::floating_point S>
void multiply(const Pass& pass, In<S> x, In<S> w, Out<S> y, bool accumulate = false) {
  detail::parallel_matmul<S>(pass, x.rows(), w.rows(), x.cols(), detail::row_major(x.data(), x.outerStride()),
                             detail::transposed(w.data(), w.outerStride()), y.data(), y.outerStride(), accumulate);
}

/// dx += dy * w.  dy [tokens x out], w [out x in], dx [tokens x in].
template <std::floating_point S>
void add_multiply_transposed(const Pass& pass, In<S> dy, In<S> w, Out<S> dx) {
  detail::parallel_matmul<S>(pass, dy.rows(), w.cols(), dy.cols(), detail::row_major(dy.data(), dy.outerStride()),
                             detail::row_major(w.data(), w.outerStride()), dx.data(), dx.outerStride(), true);
}

/// dw += dy^T * x.  dy [tokens x out], x [tokens x in], dw [out x in].
/// Cut over dw's longer side, so that pieces are many and none repeats much of the other side's packing.
template <std::floating_point S>
void add_outer(const Pass& pass, In<S> dy, In<S> x, Out<S> dw) {
  const auto& ops = operations<S>(pass);
  const auto matmul = pass.precision == Precision::mixed ? ops.matmul_mixed : ops.matmul;
  const auto product = [&](Index top, Index bottom, Index left, Index right) {
    matmul(bottom - top, right - left, dy.rows(), detail::transposed(dy.data() + top, dy.outerStride()),
           detail::row_major(x.data() + left, x.outerStride()), dw.data() + top * dw.outerStride() + left,
           dw.outerStride(), true);
  };
  const Index out = dy.cols(), in = x.cols();
  if (out >= in)
    pass.parallel.ranges(out, 32, wide_piece, [&](Index begin, Index end) { product(begin, end, 0, in); });
  else
    pass.parallel.ranges(in, 32, wide_piece, [&](Index begin, Index end) { product(0, out, begin, end); });
}

}  // namespace tern
