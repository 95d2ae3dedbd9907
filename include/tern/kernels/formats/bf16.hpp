#pragma once
/// Weights in bfloat16, 16 bits each, rounded once and packed so that every product reads them as they lie.
///
/// W [rows x columns], padded with zeros to a multiple of 32 rows and of 16 columns, is cut into blocks of 32 rows x 2
/// columns, 128 bytes each. Blocks follow each other along a tile of 32 rows, tiles from top to bottom:
///   byte(r, k) = 128 * ((r/32) * (padded_columns/2) + k/2) + 4*(r%32) + 2*(k%2)
/// So a register's lane is a row with two of its columns, and a tile is one sequential stream.
#include <cstring>

#include "tern/kernels/bf16.hpp"
#include "tern/kernels/types.hpp"

namespace tern::kernels {

inline constexpr Index bf16_tile = 32;     ///< rows of a tile
inline constexpr Index bf16_columns = 16;  ///< columns are padded to a multiple of it

/// Numbers in a tile.
constexpr Index bf16_tile_size(Index columns) {
  return bf16_tile * ((columns + bf16_columns - 1) / bf16_columns * bf16_columns);
}

/// Numbers in packed weights.
constexpr Index bf16_packed_size(Index rows, Index columns) {
  return (rows + bf16_tile - 1) / bf16_tile * bf16_tile_size(columns);
}

/// Borrows packed weights.
struct Bf16View {
  const Bf16* numbers;
  Index rows;
  Index columns;

  /// The tile of `row`, a multiple of 32, from `column`, an even one.
  const Bf16* tile(Index row, Index column = 0) const {
    return numbers + row / bf16_tile * bf16_tile_size(columns) + column * bf16_tile;
  }
  float weight(Index row, Index column) const {
    return to_float(tile(row, column / 2 * 2)[2 * (row % bf16_tile) + column % 2]);
  }
};

/// Rounds weights, w[r * w_row + k], to nearest; writes bf16_packed_size(rows, columns) numbers.
template <class S>
void pack_bf16(Index rows, Index columns, const S* w, Index w_row, Bf16* packed) noexcept {
  const Index padded = bf16_tile_size(columns) / bf16_tile;
  for (Index top = 0; top < rows; top += bf16_tile)
    for (Index left = 0; left < padded; left += bf16_columns, packed += bf16_tile * bf16_columns)
      for (Index i = 0; i < bf16_tile; ++i) {  // a row of 16 columns, two at a time
        Bf16 numbers[bf16_columns] = {};
        const S* from = w + (top + i) * w_row + left;
        const Index count = top + i < rows ? least(columns - left, bf16_columns) : 0;
        for (Index k = 0; k < count; ++k) numbers[k] = to_bf16(static_cast<float>(from[k]));
        for (Index k = 0; k < bf16_columns; k += 2)
          std::memcpy(packed + k * bf16_tile + 2 * i, numbers + k, 2 * sizeof(Bf16));
      }
}

}  // namespace tern::kernels
