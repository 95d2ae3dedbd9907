#pragma once
/// Products with weights in tiles (formats/tiled.hpp): each tile is the right side of an Operations::matmul. Compiles
/// nothing but its calls.
#include <cassert>

#include "tern/kernels/formats/tiled.hpp"
#include "tern/kernels/table.hpp"

namespace tern::kernels {

/// y[t,r] = sum_k x[t,k] * w.weight(r,k), for r in [row_begin, row_end); row_begin a multiple of 32. The bits of
/// Operations::matmul with W's rows one after another; any cut of rows and tokens gives the same.
template <class S>
void tiled_matmul(const Operations<S>& ops, const TiledView<S>& w, Index row_begin, Index row_end, Index tokens,
                  const S* x, Index x_row, S* y, Index y_row) noexcept {
  assert(is_cut(row_begin, row_end, w.rows, float_tile));
  assert(are_rows(tokens, x_row, w.columns) && are_rows(tokens, y_row, row_end - row_begin));
  for (Index r = row_begin; r < row_end; r += float_tile)
    ops.matmul(tokens, least(float_tile, row_end - r), w.columns, {x, x_row, 1}, {w.tile(r), float_tile, 1}, y + r,
               y_row, false);
}

/// dx[t,k] += sum_r dy[t,r] * w.weight(r,k), for k in [column_begin, column_end). Sums of 32 rows are added to dx one
/// after another: any cut of columns and tokens gives the same bits.
template <class S>
void tiled_matmul_transposed(const Operations<S>& ops, const TiledView<S>& w, Index column_begin, Index column_end,
                             Index tokens, const S* dy, Index dy_row, S* dx, Index dx_row) noexcept {
  assert(is_cut(column_begin, column_end, w.columns, 1));
  assert(are_rows(tokens, dy_row, w.rows) && are_rows(tokens, dx_row, column_end - column_begin));
  for (Index r = 0; r < w.rows; r += float_tile)
    ops.matmul(tokens, column_end - column_begin, least(float_tile, w.rows - r), {dy + r, dy_row, 1},
               {w.tile(r, column_begin), 1, float_tile}, dx + column_begin, dx_row, true);
}

}  // namespace tern::kernels
