#pragma once
/// Weights of 8 bits, a scale for every 32 columns of a row: w = scale * code, code in -128..127. It holds Q8_0 and
/// Q5_0 exactly, and whatever has one scale a row; 8.5 bits a weight.
///
/// A block is 16 rows x 64 columns, two groups, 1088 bytes:
///   scale(r, g)  binary16 at byte 32*(g%2) + 2*(r%16)
///   code(r, k)   plus 128 at byte 64 + 64*((k%64)/4) + 4*(r%16) + k%4
/// Beyond the matrix's edge scales are 0 and codes 0 (byte 128).
#include "tern/kernels/formats/grouped.hpp"

namespace tern::kernels {

struct Q8 {
  static constexpr int bits = 8, zero_code = 128;
  static constexpr bool has_minimum = false;
  static constexpr Index block_columns = 64, block_bytes = 1088;
  static constexpr Index blocks_across(Index columns) { return (columns + block_columns - 1) / block_columns; }

  static GroupBytes group(const std::uint8_t* tile, Index g) {
    const std::uint8_t* block = tile + (g >> 1) * block_bytes;
    return {block + 32 * (g & 1), block + 64 + 512 * (g & 1)};
  }
  static int code(const std::uint8_t* codes, Index row, Index column) {
    return codes[64 * (column / 4) + 4 * row + column % 4] - zero_code;
  }
};

/// codes [rows x columns], row-major; scales [rows x groups_of(columns)], finite.
/// Writes grouped_bytes<Q8>(rows, columns) bytes.
inline void pack_q8(Index rows, Index columns, const std::int8_t* codes, const Half* scales,
                    std::uint8_t* blocks) noexcept {
  std::int8_t room[group_columns];
  for (Index top = 0; top < rows; top += group_rows)
    for (Index g = 0; g < groups_of(columns); g += 2, blocks += Q8::block_bytes) {
      std::memset(blocks, 0, 64);
      std::memset(blocks + 64, Q8::zero_code, Q8::block_bytes - 64);
      for (Index i = 0; i < group_rows && top + i < rows; ++i)
        for (Index half = 0; half < 2 && g + half < groups_of(columns); ++half) {
          const Index row = top + i, left = (g + half) * group_columns;
          put_half(blocks + 32 * half, i, scales[row * groups_of(columns) + g + half]);
          const std::int8_t* from =
              whole_group<std::int8_t>(codes + row * columns + left, columns - left, std::int8_t{0}, room);
          for (Index k = 0; k < group_columns; k += 4) {
            std::uint32_t four;
            std::memcpy(&four, from + k, sizeof four);
            four ^= 0x80808080u;  // plus 128
            std::memcpy(blocks + 64 + 512 * half + 16 * k + 4 * i, &four, sizeof four);
          }
        }
    }
}

}  // namespace tern::kernels
