/// Blocks of every type that GGUF files have, random ones: they decode or the type is refused; rows of them pack in every
/// format, or are refused, and what a format holds as it is in the file comes out so. Three bytes say which type, which
/// format and how the rows lie; the rest are blocks.
#include "tern/io/pack_rows.hpp"

#include "fuzz/support/target.hpp"

namespace {

using namespace tern;

Matrix<float> numbers(const TensorRows& t) {
  Matrix<float> rows(t.rows, t.columns);
  for (Index r = 0; r < t.rows; ++r)
    dequantize(t.type, detail::row_bytes(t, r), {rows.row(r).data(), static_cast<std::size_t>(t.columns)});
  return rows;
}

/// Types that q8 and f32 hold without rounding.
bool is_held_exactly(GgmlType type) {
  for (const auto exact : {GgmlType::q8_0, GgmlType::q5_0, GgmlType::q4_0, GgmlType::tq1_0, GgmlType::tq2_0, GgmlType::q2_0})
    if (type == exact) return true;
  return false;
}

}  // namespace

void tern::fuzz::run(Bytes input) {
  if (input.size() < 3) return;
  const auto byte = [&](std::size_t i) { return std::to_integer<std::size_t>(input[i]); };
  const GgmlTypeInfo& type = ggml_types[byte(0) % ggml_types.size()];
  const std::size_t pick = byte(1) % (weight_formats.size() + 1);
  const std::size_t blocks = (input.size() - 3) / type.bytes, in_row = 1 + byte(2) % 4, rows = blocks / in_row;

  TensorRows t{type.type, static_cast<Index>(rows), static_cast<Index>(in_row * type.weights),
               input.subspan(3, rows * in_row * type.bytes), "fuzz"};
  if (byte(2) % 8 >= 4 && rows % 2 == 0) t.order.head_dim = static_cast<Index>(rows);
  std::optional<WeightFormat> wanted;
  if (pick < weight_formats.size()) wanted = WeightFormat(pick);

  // A row of few weights is packed beside thirty-one of none, in 32 bits a weight, through a strip of floats.
  const Frugal frugal(input.size(), 768);
  std::optional<Packed<float>> packed;
  succeeds<FormatError>([&] { packed = pack_rows<float>(t, wanted); });
  if (!packed) return;
  const Matrix<float> expected = numbers(t);
  expect(packed->rows() == t.rows && packed->columns() == t.columns);
  expect(expected.allFinite());
  const bool exact = packed->format() == WeightFormat::f32 || packed->format() == WeightFormat::f32_tiled ||
                     (packed->format() == WeightFormat::q8 && is_held_exactly(type.type));
  Matrix<float> row(1, t.columns);
  for (Index r = 0; r < t.rows; ++r) {
    packed->row(r, row.data());
    expect(row.allFinite());
    if (exact) expect(row == expected.row(r));
  }
}
