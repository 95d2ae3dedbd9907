#pragma once
/// Ternary weights in either packing, and their scales.
#include <cassert>
#include <cstdint>
#include <cstring>

#include "tern/kernels/formats/ternary1_6.hpp"
#include "tern/kernels/formats/ternary2.hpp"
#include "tern/kernels/types.hpp"

namespace tern::kernels {

/// How codes are packed: 2 bits each (ternary2.hpp), or five a byte (ternary1_6.hpp).
enum class TernaryFormat { two_bits, five_a_byte };

/// What shares one scale: the whole tensor, a row, or 128 or 64 consecutive columns of a row.
enum class TernaryScale { tensor, row, group, group64 };

inline constexpr Index ternary_group = 128;       ///< columns that share a scale under TernaryScale::group
inline constexpr Index least_ternary_group = 64;  ///< under TernaryScale::group64

/// The sum of columns * 128 must be exact in float.
inline constexpr Index ternary_max_columns = 131072;

/// Bytes of 16 rows' codes.
constexpr Index ternary_tile_bytes(Index columns, TernaryFormat format) {
  return format == TernaryFormat::two_bits ? Ternary2Layout::tile_bytes(columns)
                                           : Ternary1_6Layout::tile_bytes(columns);
}

/// Bytes of the packed codes.
constexpr Index ternary_packed_bytes(Index rows, Index columns, TernaryFormat format = TernaryFormat::two_bits) {
  return ternary_padded(rows) / ternary_tile * ternary_tile_bytes(columns, format);
}

/// Columns of a row that share a scale.
constexpr Index ternary_span(Index columns, TernaryScale granularity) {
  return granularity == TernaryScale::group     ? ternary_group
         : granularity == TernaryScale::group64 ? least_ternary_group
                                                : columns;
}

/// Scales along one row. By constants: a division by ternary_span took mat-vec of groups of 128 twice as long.
constexpr Index ternary_groups(Index columns, TernaryScale granularity) {
  return granularity == TernaryScale::group     ? (columns + ternary_group - 1) / ternary_group
         : granularity == TernaryScale::group64 ? (columns + least_ternary_group - 1) / least_ternary_group
                                                : 1;
}

/// Scales of the whole matrix.
constexpr Index ternary_scales(Index rows, Index columns, TernaryScale granularity) {
  return granularity == TernaryScale::tensor ? 1 : rows * ternary_groups(columns, granularity);
}

/// Borrows packed weights. scales: one, or scales[row], or scales[row * groups() + column/span()].
/// At most ternary_max_columns columns.
struct TernaryView {
  const std::uint8_t* codes;
  const float* scales;
  Index rows;
  Index columns;
  TernaryScale granularity;
  TernaryFormat format = TernaryFormat::two_bits;

  Index span() const { return ternary_span(columns, granularity); }
  Index groups() const { return ternary_groups(columns, granularity); }
  /// The group that a column is in.
  Index group(Index column) const {
    return granularity == TernaryScale::group     ? column / ternary_group
           : granularity == TernaryScale::group64 ? column / least_ternary_group
                                                  : 0;
  }
  float scale(Index row, Index group) const {
    return granularity == TernaryScale::tensor ? scales[0] : scales[row * groups() + group];
  }
  /// The 16 rows from `row`, a multiple of 16: their blocks lie one after another.
  const std::uint8_t* tile(Index row) const { return codes + row / ternary_tile * ternary_tile_bytes(columns, format); }
  int weight(Index row, Index column) const {
    return format == TernaryFormat::two_bits ? weight_by<Ternary2Layout>(row, column)
                                             : weight_by<Ternary1_6Layout>(row, column);
  }

 private:
  template <class Layout>
  int weight_by(Index row, Index column) const {
    const TernaryPlace p = Layout::place(columns, row % ternary_tile, column);
    return tile(row)[p.byte] / p.unit % Layout::base - 1;
  }
};

namespace detail {

template <class Layout>
void pack_ternary_as(Index rows, Index columns, const std::int8_t* weights, std::uint8_t* codes) {
  if (columns == 0) return;  // of however many rows
  const Index bytes = Layout::tile_bytes(columns);
  const Index padded = (columns + Layout::block_columns - 1) / Layout::block_columns * Layout::block_columns;
  std::memset(codes, 0, static_cast<std::size_t>(ternary_padded(rows) / ternary_tile * bytes));
  for (Index r = 0; r < ternary_padded(rows); ++r)
    for (Index k = 0; k < padded; k += 4) {  // four bytes side by side take one digit more each: none carries over
      std::int8_t four[4] = {};
      for (Index i = 0; r < rows && i < least(columns - k, 4); ++i) four[i] = weights[r * columns + k + i];
      std::uint32_t digits, sum;
      std::memcpy(&digits, four, sizeof digits);
      digits = ((digits & 0x7f7f7f7f) + 0x01010101) ^ (digits & 0x80808080);  // weight + 1, byte by byte
      assert((digits & 0xfcfcfcfc) == 0 && (digits & digits >> 1 & 0x01010101) == 0);
      const TernaryPlace p = Layout::place(columns, r % ternary_tile, k);
      std::uint8_t* to = codes + r / ternary_tile * bytes + p.byte;
      std::memcpy(&sum, to, sizeof sum);
      sum += digits * static_cast<std::uint32_t>(p.unit);
      std::memcpy(to, &sum, sizeof sum);
    }
}

}  // namespace detail

/// Packs weights in {-1, 0, +1}, row-major and contiguous; writes ternary_packed_bytes(rows, columns, format) bytes.
inline void pack_ternary(Index rows, Index columns, const std::int8_t* weights, std::uint8_t* codes,
                         TernaryFormat format = TernaryFormat::two_bits) noexcept {
  if (format == TernaryFormat::two_bits)
    detail::pack_ternary_as<Ternary2Layout>(rows, columns, weights, codes);
  else
    detail::pack_ternary_as<Ternary1_6Layout>(rows, columns, weights, codes);
}

/// The inverse of pack_ternary.
inline void unpack_ternary(Index rows, Index columns, const std::uint8_t* codes, std::int8_t* weights,
                           TernaryFormat format = TernaryFormat::two_bits) noexcept {
  const TernaryView view{codes, nullptr, rows, columns, TernaryScale::tensor, format};
  for (Index r = 0; r < rows; ++r)
    for (Index k = 0; k < columns; ++k) weights[r * columns + k] = static_cast<std::int8_t>(view.weight(r, k));
}

}  // namespace tern::kernels
