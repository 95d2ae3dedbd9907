#pragma once
#include "tern/io/gguf.hpp"
#include "tern/io/ternary_codes.hpp"

namespace tern {

/// Which build of bitnet.cpp wrote an I2_S tensor. Files do not say, and sizes do not show it: it must be known.
enum class I2sLayout {
  groups_of_128,  ///< x86: 128 weights, rows flattened, in 32 bytes
  groups_of_64,   ///< ARM: 64 weights in 16 bytes
  four_rows,      ///< x86 without ACT_PARALLEL: a column of four rows in a byte
};

namespace detail {

/// Where I2_S keeps the codes of [rows x columns], not empty. Throws an Error where the layout's groups do not fit.
template <class Error>
FourCodes i2_s_codes(I2sLayout layout, Index rows, Index columns, const std::string& where) {
  const Index stride = layout == I2sLayout::groups_of_128 ? 32 : layout == I2sLayout::groups_of_64 ? 16 : columns;
  if (rows * columns % (4 * stride) != 0)
    throw Error(where + ": expected whole groups of " + std::to_string(4 * stride) + " weights, got [" +
                std::to_string(rows) + " x " + std::to_string(columns) + "]");
  return {static_cast<std::size_t>(stride), true};
}

}  // namespace detail

/// An I2_S tensor: rows * columns / 4 bytes of codes as docs/packed_layouts.md shows them, one f32 scale, 28 bytes that
/// mean nothing. Throws FormatError "<where>: ..." for another type or size, a shape that the layout cannot have, code
/// 3, a scale that is not finite and above 0, and where every weight is zero.
inline TernaryCodes decode_i2_s(const GgufTensor& tensor, I2sLayout layout, const std::string& where) {
  const Index rows = tensor.rows(), columns = tensor.columns();
  if (tensor.type != GgmlType::i2_s)
    throw FormatError(where + ": expected type I2_S, got " + std::string(find_ggml_type(tensor.type)->name));
  const std::size_t expected = tensor_bytes(*find_ggml_type(GgmlType::i2_s), static_cast<std::size_t>(rows * columns));
  if (tensor.bytes.size() != expected)
    throw FormatError(where + ": expected " + std::to_string(expected) + " bytes, got " +
                      std::to_string(tensor.bytes.size()));
  if (expected == 0) return {rows, columns, {}, 1};
  const auto codes = detail::i2_s_codes<FormatError>(layout, rows, columns, where);
  const std::size_t size = static_cast<std::size_t>(rows * columns) / 4;
  return codes.decode(rows, columns, tensor.bytes.first(size), load_little<float>(tensor.bytes.data() + size), where);
}

/// The inverse: what GgufWriter::add takes with GgmlType::i2_s and dims {columns, rows}. Throws ValueError for a shape
/// that the layout cannot have.
inline std::vector<std::byte> encode_i2_s(const TernaryCodes& w, I2sLayout layout) {
  if (w.codes.empty()) return {};
  auto bytes = detail::i2_s_codes<ValueError>(layout, w.rows, w.columns, "encode I2_S").encode(w);
  const std::size_t size = bytes.size();
  bytes.resize(size + find_ggml_type(GgmlType::i2_s)->tail);
  store_little(bytes.data() + size, w.scale);
  return bytes;
}

}  // namespace tern
