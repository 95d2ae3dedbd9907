#pragma once
/// What formats with a scale for every 32 columns of a row share. Such a format is a struct: how many bits a code has
/// and whether groups have a minimum (GroupLayout), its name, what is stored for a code of 0, and how a group is
/// rounded (q4_0.hpp is the plainest); and a row in list.hpp.
///
/// W [rows x columns] is padded and cut into blocks of 16 rows and one or two groups, which follow each other along a
/// row of blocks, rows of blocks from top to bottom. GroupLayout says how a block's bytes lie. Beyond the matrix's edge
/// scales and minimums are 0, and codes the format's zero_code.
#include <array>
#include <cstdint>
#include <cstring>
#include <type_traits>

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

/// What a group is rounded to besides its codes.
struct GroupScales {
  Half scale, minimum;  ///< minimum 0 in a format without it
};

/// The i-th of consecutive binary16 numbers, which need not be aligned.
inline float half_at(const std::uint8_t* halves, Index i) {
  Half h;
  std::memcpy(&h, halves + 2 * i, sizeof h);
  return to_float(h);
}
inline void put_half(std::uint8_t* halves, Index i, Half h) { std::memcpy(halves + 2 * i, &h, sizeof h); }

/// Some bits of every code of a group: `bits` of them, from bit `from` of the code on, at byte `at` of 16 rows' codes.
struct CodePlane {
  int bits, from;
  Index at;

  /// Columns 4i to 4i + 3 of row r lie in the four bytes at piece(i) + 4r, above bit shift(i).
  constexpr Index piece(Index i) const { return at + 64 * (i / (8 / bits)); }
  constexpr int shift(Index i) const { return static_cast<int>(i % (8 / bits)) * bits; }
  constexpr int mask() const { return (1 << bits) - 1; }
};

/// Weights scale * code, or scale * code + minimum, for codes of as many bits as the planes have together, each 1, 2, 4
/// or 8. A block is 16 rows x 64 columns, two groups, or 32 columns where groups have minimums:
///   scale(r, g)    binary16 at byte 32*(g%2) + 2*(r%16), or 2*(r%16)
///   minimum(r, g)  binary16 at byte 32 + 2*(r%16)
///   code(r, k)     from byte 64 + 64*bits*(g%2), or 64: plane after plane, the lowest bits first. A plane of b bits
///   has
///                  the codes of 16 rows and 4 * 8/b columns in 64 bytes, four columns of a row in four bytes: those of
///                  column k at bit b * (k/4 % (8/b)) of byte 64*(k / (4 * 8/b)) + 4*(r%16) + k%4
template <bool minimums, int... plane_bits>
struct GroupLayout {
  static constexpr int bits = (plane_bits + ...);
  static constexpr bool has_minimum = minimums;
  static_assert(bits < 8 || !minimums,
                "codes of 8 bits count as signed in some products: they have a zero_code of 128");
  static constexpr double weight_bits = bits + (minimums ? 1.0 : 0.5);  ///< scales included
  static constexpr std::array<CodePlane, sizeof...(plane_bits)> planes = [] {
    std::array<CodePlane, sizeof...(plane_bits)> all{CodePlane{plane_bits, 0, 0}...};
    int from = 0;
    for (CodePlane& p : all) {
      p.from = from;
      p.at = 64 * from;
      from += p.bits;
    }
    return all;
  }();

  /// Codes as they are handed over: as they are stored, but those of 8 bits signed.
  using Code = std::conditional_t<bits == 8, std::int8_t, std::uint8_t>;
  static constexpr Index block_groups = minimums ? 1 : 2, code_bytes = 64 * bits;
  static constexpr Index block_columns = block_groups * group_columns, block_bytes = 64 + block_groups * code_bytes;
  static constexpr Index blocks_across(Index columns) { return (columns + block_columns - 1) / block_columns; }

  /// Group g of 16 rows that begin at `tile`.
  static constexpr Index scales_at(Index g) { return g / block_groups * block_bytes + 32 * (g % block_groups); }
  static constexpr Index codes_at(Index g) {
    return g / block_groups * block_bytes + 64 + code_bytes * (g % block_groups);
  }

  /// What is stored for the code at (row, column) of a group.
  static int stored(const std::uint8_t* codes, Index row, Index column) {
    int code = 0;
    for (const CodePlane& p : planes)
      code |= (codes[p.piece(column / 4) + 4 * row + column % 4] >> p.shift(column / 4) & p.mask()) << p.from;
    return code;
  }
  /// Stores one row's 32 codes, given as they are stored.
  static void put(std::uint8_t* codes, Index row, const std::uint8_t* from) {
    for (const CodePlane& p : planes)
      for (Index i = 0; i < group_columns / 4; i += 8 / p.bits) {
        const std::uint32_t mask = 0x01010101u * static_cast<std::uint32_t>(p.mask());
        std::uint32_t word = 0;
        for (Index j = i; j < i + 8 / p.bits; ++j) {
          std::uint32_t four;
          std::memcpy(&four, from + 4 * j, sizeof four);
          word |= (four >> p.from & mask) << p.shift(j);
        }
        std::memcpy(codes + p.piece(i) + 4 * row, &word, sizeof word);
      }
  }
};

/// What is added to a code of format F where it is stored: its own codes are -zero_code and above.
template <class F>
inline constexpr int code_offset = std::is_signed_v<typename F::Code> ? F::zero_code : 0;

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
  GroupBytes group(Index row, Index g) const {
    const std::uint8_t* const from = tile(row - row % group_rows);
    return {from + F::scales_at(g), from + F::codes_at(g)};
  }
  float scale(Index row, Index g) const { return half_at(group(row, g).scales, row % group_rows); }
  /// What is added to scale * code: 0 in a format without it.
  float minimum(Index row, Index g) const {
    if constexpr (F::has_minimum) return half_at(group(row, g).scales + 2 * group_rows, row % group_rows);
    return 0;
  }
  int code(Index row, Index column) const {
    return F::stored(group(row, column / group_columns).codes, row % group_rows, column % group_columns) - F::zero_code;
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

/// codes [rows x columns], row-major; scales and minimums (null in a format without) [rows x groups_of(columns)],
/// finite. Writes grouped_bytes<F>(rows, columns) bytes.
template <class F>
void pack_grouped(Index rows, Index columns, const typename F::Code* codes, const Half* scales, const Half* minimums,
                  std::uint8_t* blocks) noexcept {
  const Index groups = groups_of(columns), stored_groups = F::blocks_across(columns) * F::block_groups;
  for (Index top = 0; top < rows; top += group_rows, blocks += F::blocks_across(columns) * F::block_bytes)
    for (Index g = 0; g < stored_groups; ++g) {
      std::uint8_t* const to = blocks + F::codes_at(g);
      std::uint8_t* const halves = blocks + F::scales_at(g);
      for (Index i = 0; i < group_rows; ++i) {
        const bool inside = top + i < rows && g < groups;
        const Index row = inside ? top + i : 0, at = row * groups + (inside ? g : 0);
        const Index left = g * group_columns, count = inside ? least(columns - left, group_columns) : 0;
        std::uint8_t stored[group_columns];
        std::memset(stored, F::zero_code, sizeof stored);
        for (Index k = 0; k < count; ++k)
          stored[k] = static_cast<std::uint8_t>(codes[row * columns + left + k] + code_offset<F>);
        F::put(to, i, stored);
        put_half(halves, i, inside ? scales[at] : Half{});
        if constexpr (F::has_minimum) put_half(halves + 2 * group_rows, i, inside ? minimums[at] : Half{});
      }
    }
}

}  // namespace tern::kernels
