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
#include <cassert>
#include <cstdint>

#include "tern/kernels/types.hpp"

namespace tern::kernels {

/// What shares one scale: the whole tensor, a row, or 128 consecutive columns of a row.
enum class TernaryScale { tensor, row, group };

inline constexpr Index ternary_tile = 16;    ///< rows, and columns, of a block
inline constexpr Index ternary_group = 128;  ///< columns that share a scale under TernaryScale::group

/// The sum of columns * 128 must be exact in float.
inline constexpr Index ternary_max_columns = 131072;

constexpr Index ternary_padded(Index n) { return (n + ternary_tile - 1) / ternary_tile * ternary_tile; }

/// Bytes of the packed codes.
constexpr Index ternary_packed_bytes(Index rows, Index columns) {
  return ternary_padded(rows) * (ternary_padded(columns) / 4);
}

/// Scales along one row.
constexpr Index ternary_groups(Index columns, TernaryScale granularity) {
  return granularity == TernaryScale::group ? (columns + ternary_group - 1) / ternary_group : 1;
}

/// Scales of the whole matrix.
constexpr Index ternary_scales(Index rows, Index columns, TernaryScale granularity) {
  return granularity == TernaryScale::tensor ? 1 : rows * ternary_groups(columns, granularity);
}

/// Borrows packed weights. scales: one, or scales[row], or scales[row * groups() + column/128].
/// At most ternary_max_columns columns.
struct TernaryView {
  const std::uint8_t* codes;
  const float* scales;
  Index rows;
  Index columns;
  TernaryScale granularity;

  Index groups() const { return ternary_groups(columns, granularity); }
  float scale(Index row, Index group) const {
    return granularity == TernaryScale::tensor ? scales[0] : scales[row * groups() + group];
  }
  /// The 16 rows from `row`, a multiple of 16: their blocks lie one after another.
  const std::uint8_t* tile(Index row) const { return codes + row * (ternary_padded(columns) / 4); }
  int weight(Index row, Index column) const {
    const Index lane = row % ternary_tile, k = column % ternary_tile;
    const std::uint8_t byte = tile(row - lane)[(column - k) / ternary_tile * 64 + 4 * lane + k % 4];
    return (byte >> (2 * (k / 4)) & 3) - 1;
  }
};

/// Packs weights in {-1, 0, +1}, row-major and contiguous; writes ternary_packed_bytes(rows, columns) bytes.
inline void pack_ternary(Index rows, Index columns, const std::int8_t* weights, std::uint8_t* codes) noexcept {
  const Index blocks = ternary_padded(columns) / ternary_tile;
  for (Index r = 0; r < ternary_padded(rows); ++r)
    for (Index block = 0; block < blocks; ++block) {
      std::uint8_t* bytes = codes + (r / ternary_tile * blocks + block) * 64 + 4 * (r % ternary_tile);
      for (Index b = 0; b < 4; ++b) {
        unsigned byte = 0;
        for (Index f = 0; f < 4; ++f) {
          const Index k = block * ternary_tile + 4 * f + b;
          const int weight = r < rows && k < columns ? weights[r * columns + k] : 0;
          assert(weight >= -1 && weight <= 1);
          byte |= static_cast<unsigned>(weight + 1) << (2 * f);
        }
        bytes[b] = static_cast<std::uint8_t>(byte);
      }
    }
}

/// The inverse of pack_ternary.
inline void unpack_ternary(Index rows, Index columns, const std::uint8_t* codes, std::int8_t* weights) noexcept {
  const TernaryView view{codes, nullptr, rows, columns, TernaryScale::tensor};
  for (Index r = 0; r < rows; ++r)
    for (Index k = 0; k < columns; ++k) weights[r * columns + k] = static_cast<std::int8_t>(view.weight(r, k));
}

}  // namespace tern::kernels
