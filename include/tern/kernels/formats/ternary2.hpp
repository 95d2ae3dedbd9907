#pragma once
/// Ternary weights, 2 bits each.
///
/// W [rows x columns], both padded up to multiples of 16, is cut into blocks of 16 rows x 16 columns, 64 bytes each.
/// Blocks follow each other along a row of blocks, rows of blocks from top to bottom:
///   block(r, k)  = (r/16) * (padded_columns/16) + k/16
///   byte(r, k)   = 64*block(r, k) + 4*(r%16) + k%4
///   code(r, k)   = (byte >> 2*((k%16)/4)) & 3
///   weight(r, k) = code - 1, in {-1, 0, +1};  code 3 does not occur;  padding has code 1.
/// So four bytes hold 16 weights of one row, and one shift-and-mask of a block gives the weights of four columns.
#include "tern/kernels/types.hpp"

namespace tern::kernels {

inline constexpr Index ternary_tile = 16;  ///< rows of a block; columns of a block of 2 bits a weight

/// Up to whole blocks.
constexpr Index ternary_padded(Index n) { return (n + ternary_tile - 1) / ternary_tile * ternary_tile; }

/// Where a weight's code lies in its 16 rows: it is digit byte/unit % base of that byte.
struct TernaryPlace {
  Index byte;
  int unit;
};

struct Ternary2Layout {
  static constexpr int base = 4;
  static constexpr Index block_columns = 16;
  /// Bytes of 16 rows.
  static constexpr Index tile_bytes(Index columns) { return ternary_padded(columns) / block_columns * 64; }
  /// Of row `lane` of 16, column k.
  static constexpr TernaryPlace place(Index /*columns*/, Index lane, Index k) {
    return {64 * (k / 16) + 4 * lane + k % 4, 1 << (2 * (k % 16 / 4))};
  }
};

}  // namespace tern::kernels
