#pragma once
/// Weights of 4 bits, a scale for every 32 columns of a row: w = scale * (code - 8), code in 0..15. It holds Q4_0
/// exactly; 4.5 bits a weight.
///
/// A block is 16 rows x 64 columns, two groups, 576 bytes:
///   scale(r, g)  binary16 at byte 32*(g%2) + 2*(r%16)
///   code(r, k)   at byte 64 + 64*((k%64)/8) + 4*(r%16) + k%4, in its low half where k%8 < 4, else in its high half
/// Beyond the matrix's edge scales are 0 and codes 8.
#include "tern/kernels/formats/grouped.hpp"

namespace tern::kernels {

struct Q4_0 {
  static constexpr int bits = 4, zero_code = 8;
  static constexpr bool has_minimum = false;
  static constexpr Index block_columns = 64, block_bytes = 576;
  static constexpr Index blocks_across(Index columns) { return (columns + block_columns - 1) / block_columns; }

  static GroupBytes group(const std::uint8_t* tile, Index g) {
    const std::uint8_t* block = tile + (g >> 1) * block_bytes;
    return {block + 32 * (g & 1), block + 64 + 256 * (g & 1)};
  }
  static int code(const std::uint8_t* codes, Index row, Index column) { return nibble(codes, row, column) - zero_code; }
};

/// codes [rows x columns] in 0..15, row-major; scales [rows x groups_of(columns)], finite.
/// Writes grouped_bytes<Q4_0>(rows, columns) bytes.
inline void pack_q4_0(Index rows, Index columns, const std::uint8_t* codes, const Half* scales,
                      std::uint8_t* blocks) noexcept {
  std::uint8_t room[group_columns];
  for (Index top = 0; top < rows; top += group_rows)
    for (Index g = 0; g < groups_of(columns); g += 2, blocks += Q4_0::block_bytes) {
      std::memset(blocks, 0, 64);
      std::memset(blocks + 64, Q4_0::zero_code * 17, Q4_0::block_bytes - 64);
      for (Index i = 0; i < group_rows && top + i < rows; ++i)
        for (Index half = 0; half < 2 && g + half < groups_of(columns); ++half) {
          const Index row = top + i, left = (g + half) * group_columns;
          put_half(blocks + 32 * half, i, scales[row * groups_of(columns) + g + half]);
          put_nibbles(blocks + 64 + 256 * half, i,
                      whole_group<std::uint8_t>(codes + row * columns + left, columns - left, Q4_0::zero_code, room));
        }
    }
}

}  // namespace tern::kernels
