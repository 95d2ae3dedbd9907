#pragma once
/// What q8, q4 and q4_0 share: weights of few bits, with a scale for every 32 columns of a row.
///
/// W [rows x columns] is padded and cut into blocks of 16 rows, which follow each other along a row of blocks, rows of
/// blocks from top to bottom. A format says how wide a block is and how its bytes lie (q8.hpp, q4.hpp, q4_0.hpp). What
/// is stored for a code is that plus the format's zero_code.
#include <cstdint>
#include <cstring>

#include "tern/kernels/half.hpp"
#include "tern/kernels/types.hpp"

namespace tern::kernels {

inline constexpr Index group_rows = 16;           ///< rows of a block
inline constexpr Index group_columns = 32;        ///< columns of a row of weights that share a scale
inline constexpr Index activation_columns = 128;  ///< columns of a token that share a scale

constexpr Index groups_of(Index columns) { return (columns + group_columns - 1) / group_columns; }
constexpr Index activation_groups(Index columns) { return (columns + activation_columns - 1) / activation_columns; }

/// Sixteen rows of one group: `scales` begins their binary16 scales, `codes` their codes.
struct GroupBytes {
  const std::uint8_t* scales;
  const std::uint8_t* codes;
};

/// The i-th of consecutive binary16 numbers, which need not be aligned.
inline float half_at(const std::uint8_t* halves, Index i) {
  Half h;
  std::memcpy(&h, halves + 2 * i, sizeof h);
  return to_float(h);
}
inline void put_half(std::uint8_t* halves, Index i, Half h) { std::memcpy(halves + 2 * i, &h, sizeof h); }

/// The code of 4 bits at (row, column) of 16 rows' codes, eight columns in 64 bytes: 16 x 4 low halves, 16 x 4 high
/// ones.
inline int nibble(const std::uint8_t* codes, Index row, Index column) {
  return codes[64 * (column / 8) + 4 * row + column % 4] >> (column % 8 < 4 ? 0 : 4) & 15;
}

/// One row's codes of a group, made 32 with `filling` where columns end before. `room` has space for them.
template <class Code>
const Code* whole_group(const Code* codes, Index columns, Code filling, Code* room) {
  if (columns >= group_columns) return codes;
  for (Index k = 0; k < group_columns; ++k) room[k] = k < columns ? codes[k] : filling;
  return room;
}

/// Puts one row's 32 codes of 4 bits into those of 16 rows, as nibble() finds them.
inline void put_nibbles(std::uint8_t* codes, Index row, const std::uint8_t* from) {
  for (Index eight = 0; eight < 4; ++eight) {
    std::uint32_t low, high;
    std::memcpy(&low, from + 8 * eight, sizeof low);
    std::memcpy(&high, from + 8 * eight + 4, sizeof high);
    low |= high << 4;
    std::memcpy(codes + 64 * eight + 4 * row, &low, sizeof low);
  }
}

/// Borrows packed weights of a format F.
template <class F>
struct GroupedView {
  const std::uint8_t* blocks;
  Index rows;
  Index columns;

  /// The 16 rows from `row`, a multiple of 16: their blocks lie one after another.
  const std::uint8_t* tile(Index row) const {
    return blocks + row / group_rows * F::blocks_across(columns) * F::block_bytes;
  }
  GroupBytes group(Index row, Index g) const { return F::group(tile(row - row % group_rows), g); }
  float scale(Index row, Index g) const { return half_at(group(row, g).scales, row % group_rows); }
  /// What is added to scale * code: 0 in a format without it.
  float minimum(Index row, Index g) const {
    if constexpr (F::has_minimum) return half_at(group(row, g).scales + 2 * group_rows, row % group_rows);
    return 0;
  }
  int code(Index row, Index column) const {
    return F::code(group(row, column / group_columns).codes, row % group_rows, column % group_columns);
  }
  template <class S>
  S weight(Index row, Index column) const {
    const Index g = column / group_columns;
    return static_cast<S>(scale(row, g)) * static_cast<S>(code(row, column)) + static_cast<S>(minimum(row, g));
  }
};

/// Bytes of packed weights of format F.
template <class F>
constexpr Index grouped_bytes(Index rows, Index columns) {
  return (rows + group_rows - 1) / group_rows * F::blocks_across(columns) * F::block_bytes;
}

}  // namespace tern::kernels
