#pragma once
/// Ternary weights, five a byte: 1.6 bits each.
///
/// W [rows x columns], rows padded up to a multiple of 16, columns to one of 20, is cut into blocks of 16 rows x 20
/// columns, 64 bytes each, along 16 rows as in ternary2.hpp. Four blocks side by side are a strip of 80 columns; the
/// last strip of 16 rows has the blocks that are left. In a strip of n blocks, with c = k%80:
///   block j      = c < 16n ? c/16 : (c - 16n)/4
///   digit i      = c < 16n ? (c%16)/4 : 4
///   byte(r, k)   = 64 * ((r/16) * (padded_columns/20) + 4*(k/80) + j) + 4*(r%16) + k%4
///   code(r, k)   = byte / 3^i % 3
///   weight(r, k) = code - 1, in {-1, 0, +1};  padding has code 1.
/// So the four low digits of a block, two bits each, are the block of ternary2.hpp that holds columns 16j to 16j+15 of
/// the strip, and the high digits of all its blocks make one such block more: what multiplies those serves both
/// formats. A group of 128 columns begins in the middle of a strip, but always with one of these blocks.
#include <cstdint>
#include <cstring>

#include "tern/kernels/formats/ternary2.hpp"

namespace tern::kernels {

inline constexpr Index ternary_strip = 80;  ///< columns of a strip

struct Ternary1_6Layout {
  static constexpr int base = 3;
  static constexpr Index block_columns = 20;
  /// Blocks of 16 rows.
  static constexpr Index blocks(Index columns) { return (columns + block_columns - 1) / block_columns; }
  /// Bytes of 16 rows.
  static constexpr Index tile_bytes(Index columns) { return blocks(columns) * 64; }
  /// Of row `lane` of 16, column k.
  static constexpr TernaryPlace place(Index columns, Index lane, Index k) {
    constexpr int powers[] = {1, 3, 9, 27, 81};
    const Index first = 4 * (k / ternary_strip), n = least(4, blocks(columns) - first), c = k % ternary_strip;
    const bool low = c < 16 * n;
    return {64 * (first + (low ? c / 16 : (c - 16 * n) / 4)) + 4 * lane + k % 4, low ? powers[c % 16 / 4] : 81};
  }
};

/// The digits 0 to 3 of a number below 81, two bits each; filled up with zeros to an index of seven bits.
struct TritFields {
  alignas(64) std::uint8_t of[128];
};
constexpr TritFields trit_fields() {
  TritFields fields{};
  for (int v = 0; v < 81; ++v)
    fields.of[v] = static_cast<std::uint8_t>(v % 3 | v / 3 % 3 << 2 | v / 9 % 3 << 4 | v / 27 << 6);
  return fields;
}
inline constexpr TritFields fields_of_trits = trit_fields();

/// Decodes a strip of `blocks` <= 4 blocks into blocks + 1 of ternary2.hpp; codes beyond the strip are 0. `to` has
/// room for five.
inline void decode_strip(const std::uint8_t* codes, Index blocks, std::uint8_t* to) noexcept {
  std::uint8_t high[64] = {};
  for (Index j = 0; j < blocks; ++j)
    for (Index i = 0; i < 64; ++i) {
      const int v = codes[64 * j + i], digit = (v >= 81) + (v >= 162);
      to[64 * j + i] = fields_of_trits.of[v - 81 * digit];
      high[i] = static_cast<std::uint8_t>(high[i] | digit << (2 * j));
    }
  std::memcpy(to + 64 * blocks, high, sizeof high);
}

}  // namespace tern::kernels
