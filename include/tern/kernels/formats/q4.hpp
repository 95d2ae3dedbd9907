#pragma once
/// Weights of 4 bits, a scale and a minimum for every 32 columns of a row: w = scale * code + minimum, code in 0..15.
/// It holds Q4_0 (minimum = -8 * scale) and Q4_1 exactly, and Q4_K but for the rounding of its products of scales to
/// binary16 (relative 2^-11); 5 bits a weight.
///
/// A block is 16 rows x 32 columns, one group, 320 bytes:
///   scale(r)    binary16 at byte 2*(r%16)
///   minimum(r)  binary16 at byte 32 + 2*(r%16)
///   code(r, k)  at byte 64 + 64*((k%32)/8) + 4*(r%16) + k%4, in its low half where k%8 < 4, else in its high half
/// Beyond the matrix's edge all bytes are 0.
#include "tern/kernels/formats/grouped.hpp"

namespace tern::kernels {

struct Q4 {
  static constexpr int bits = 4, zero_code = 0;
  static constexpr bool has_minimum = true;
  static constexpr Index block_columns = 32, block_bytes = 320;
  static constexpr Index blocks_across(Index columns) { return groups_of(columns); }

  static GroupBytes group(const std::uint8_t* tile, Index g) {
    return {tile + g * block_bytes, tile + g * block_bytes + 64};
  }
  static int code(const std::uint8_t* codes, Index row, Index column) { return nibble(codes, row, column); }
};

/// codes [rows x columns] in 0..15, row-major; scales and minimums [rows x groups_of(columns)], finite.
/// Writes grouped_bytes<Q4>(rows, columns) bytes.
inline void pack_q4(Index rows, Index columns, const std::uint8_t* codes, const Half* scales, const Half* minimums,
                    std::uint8_t* blocks) noexcept {
  std::uint8_t room[group_columns];
  for (Index top = 0; top < rows; top += group_rows)
    for (Index g = 0; g < groups_of(columns); ++g, blocks += Q4::block_bytes) {
      std::memset(blocks, 0, Q4::block_bytes);
      for (Index i = 0; i < group_rows && top + i < rows; ++i) {
        const Index row = top + i, left = g * group_columns;
        put_half(blocks, i, scales[row * groups_of(columns) + g]);
        put_half(blocks + 32, i, minimums[row * groups_of(columns) + g]);
        put_nibbles(blocks + 64, i,
                    whole_group<std::uint8_t>(codes + row * columns + left, columns - left, Q4::zero_code, room));
      }
    }
}

}  // namespace tern::kernels
