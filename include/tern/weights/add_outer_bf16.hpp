#pragma once
#include <algorithm>
#include <cstdint>

#include "tern/core/gradients.hpp"
#include "tern/weights/operations.hpp"

namespace tern {

/// The most rows, and columns, of a product that is in float before it is added to bf16: 1 MB a piece of the work.
inline constexpr Index outer_tile = 512;

/// dw = bf16(dw + dy^T * x), the product in S as add_outer's, each sum rounded once, to nearest.
/// dy [tokens x out], x [tokens x in], dw [out x in] in bf16. Cut over dw's longer side; each piece computes some of its
/// rows and columns at a time in `scratch` and adds them while they are in its cache: no whole dw is ever in S. Same bits
/// with any number of workers.
template <std::floating_point S>
void add_outer_bf16(const Pass& pass, In<S> dy, In<S> x, Bf16Matrix& dw, GradientScratch<S>& scratch) {
  const auto& ops = operations<S>(pass);
  const auto matmul = pass.precision == Precision::mixed ? ops.matmul_mixed : ops.matmul;
  const Index out = dy.cols(), in = x.cols(), longer = std::max(out, in);
  const Index most = pass.parallel.run == nullptr ? 1 : 4 * pass.parallel.workers;
  const Index pieces = std::clamp<Index>(longer / (wide_piece / 2), 1, most);
  const Index rows = std::min(outer_tile, out), columns = std::min(outer_tile, in), tile = rows * columns;
  scratch.products.resize(std::max(scratch.products.size(), static_cast<std::size_t>(pieces * tile)));
  pass.parallel.each(pieces, [&](Index i) {
    const Index grains = (longer + 31) / 32;
    const Index begin = grains * i / pieces * 32, end = std::min(longer, grains * (i + 1) / pieces * 32);
    const Index first_row = out >= in ? begin : 0, last_row = out >= in ? end : out;
    const Index first_column = out >= in ? 0 : begin, last_column = out >= in ? in : end;
    S* const product = scratch.products.data() + i * tile;
    for (Index left = first_column; left < last_column; left += columns)
      for (Index top = first_row; top < last_row; top += rows) {
        const Index m = std::min(rows, last_row - top), n = std::min(columns, last_column - left);
        matmul(m, n, dy.rows(), detail::transposed(dy.data() + top, dy.outerStride()),
               detail::row_major(x.data() + left, x.outerStride()), product, n, false);
        for (Index r = 0; r < m; ++r) ops.add_to_bf16(n, product + r * n, &dw(top + r, left));
      }
  });
}

}  // namespace tern
