#pragma once
#include <array>
#include <optional>

#include "tern/io/ggml_type.hpp"
#include "tern/weights/weight_format.hpp"

namespace tern {

/// What a file's type becomes in memory where it is kept as it is stored.
struct StoredFormat {
  GgmlType type;
  WeightFormat format;
};

/// Every type that dequantize() takes. TQ2_0 and Q2_0 are kept as q8 where a code is 3, which is not ternary.
inline constexpr std::array<StoredFormat, 15> stored_formats = {{
    {GgmlType::f32, WeightFormat::f32},
    {GgmlType::f64, WeightFormat::f32},
    {GgmlType::f16, WeightFormat::bf16},
    {GgmlType::bf16, WeightFormat::bf16},
    {GgmlType::q4_0, WeightFormat::q4_0},
    {GgmlType::q4_1, WeightFormat::q4},
    {GgmlType::q4_k, WeightFormat::q4},
    {GgmlType::q5_0, WeightFormat::q8},
    {GgmlType::q5_1, WeightFormat::q8},
    {GgmlType::q5_k, WeightFormat::q8},
    {GgmlType::q6_k, WeightFormat::q8},
    {GgmlType::q8_0, WeightFormat::q8},
    {GgmlType::tq1_0, WeightFormat::ternary},
    {GgmlType::tq2_0, WeightFormat::ternary},
    {GgmlType::q2_0, WeightFormat::ternary},
}};

/// None where tern cannot decode the type.
constexpr std::optional<WeightFormat> stored_format(GgmlType type) {
  for (const StoredFormat& s : stored_formats)
    if (s.type == type) return s.format;
  return std::nullopt;
}

}  // namespace tern
