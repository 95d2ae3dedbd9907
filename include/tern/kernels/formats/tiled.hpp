#pragma once
/// Weights as the floats that they are (or doubles), in tiles of 32 rows, so that a product of any number of tokens
/// reads them as they lie, one stream; of rows that lie one after another a product of few tokens has to turn every
/// line, and one of many to pack them.
///   number(r, k) at 32 * ((r/32) * columns + k) + r%32
/// Rows are padded with zeros to a multiple of 32.
#include "tern/kernels/types.hpp"

namespace tern::kernels {

inline constexpr Index float_tile = 32;  ///< rows of a tile

/// Numbers in packed weights.
constexpr Index tiled_size(Index rows, Index columns) {
  return (rows + float_tile - 1) / float_tile * float_tile * columns;
}

/// Borrows packed weights.
template <class S>
struct TiledView {
  const S* numbers;
  Index rows;
  Index columns;

  /// The tile of `row`, a multiple of 32, from `column` on.
  const S* tile(Index row, Index column = 0) const { return numbers + row * columns + column * float_tile; }
  S weight(Index row, Index column) const { return tile(row / float_tile * float_tile, column)[row % float_tile]; }
};

/// Packs weights, w[r * w_row + k]; writes tiled_size(rows, columns) numbers.
template <class S>
void pack_tiled(Index rows, Index columns, const S* w, Index w_row, S* packed) noexcept {
  for (Index top = 0; top < rows; top += float_tile)
    for (Index k = 0; k < columns; ++k)
      for (Index i = 0; i < float_tile; ++i) *packed++ = top + i < rows ? w[(top + i) * w_row + k] : S(0);
}

}  // namespace tern::kernels
