#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tern {

/// How GGUF stores a tensor's elements; the values are those of the files. Rows are cut into blocks of `weights`
/// elements that take `bytes` each; a row is a whole number of blocks.
enum class GgmlType : std::int32_t {
  f32 = 0,
  f16 = 1,
  q4_0 = 2,
  q4_1 = 3,
  q5_0 = 6,
  q5_1 = 7,
  q8_0 = 8,
  q4_k = 12,
  q5_k = 13,
  q6_k = 14,
  f64 = 28,
  bf16 = 30,
  tq1_0 = 34,
  tq2_0 = 35,
  i2_s = 36,
  q2_0 = 42,
};

struct GgmlTypeInfo {
  GgmlType type;
  std::string_view name;
  std::size_t weights;   ///< elements in a block
  std::size_t bytes;     ///< bytes of a block
  std::size_t tail = 0;  ///< bytes after a tensor's last block
};

/// Every type a reader must size, those that tern cannot decode included.
inline constexpr std::array<GgmlTypeInfo, 36> ggml_types = {{
    {GgmlType::f32, "F32", 1, 4},        {GgmlType::f16, "F16", 1, 2},       {GgmlType::q4_0, "Q4_0", 32, 18},
    {GgmlType::q4_1, "Q4_1", 32, 20},    {GgmlType::q5_0, "Q5_0", 32, 22},   {GgmlType::q5_1, "Q5_1", 32, 24},
    {GgmlType::q8_0, "Q8_0", 32, 34},    {GgmlType{9}, "Q8_1", 32, 40},      {GgmlType{10}, "Q2_K", 256, 84},
    {GgmlType{11}, "Q3_K", 256, 110},    {GgmlType::q4_k, "Q4_K", 256, 144}, {GgmlType::q5_k, "Q5_K", 256, 176},
    {GgmlType::q6_k, "Q6_K", 256, 210},  {GgmlType{15}, "Q8_K", 256, 292},   {GgmlType{16}, "IQ2_XXS", 256, 66},
    {GgmlType{17}, "IQ2_XS", 256, 74},   {GgmlType{18}, "IQ3_XXS", 256, 98}, {GgmlType{19}, "IQ1_S", 256, 50},
    {GgmlType{20}, "IQ4_NL", 32, 18},    {GgmlType{21}, "IQ3_S", 256, 110},  {GgmlType{22}, "IQ2_S", 256, 82},
    {GgmlType{23}, "IQ4_XS", 256, 136},  {GgmlType{24}, "I8", 1, 1},         {GgmlType{25}, "I16", 1, 2},
    {GgmlType{26}, "I32", 1, 4},         {GgmlType{27}, "I64", 1, 8},        {GgmlType::f64, "F64", 1, 8},
    {GgmlType{29}, "IQ1_M", 256, 56},    {GgmlType::bf16, "BF16", 1, 2},     {GgmlType::tq1_0, "TQ1_0", 256, 54},
    {GgmlType::tq2_0, "TQ2_0", 256, 66}, {GgmlType::i2_s, "I2_S", 4, 1, 32}, {GgmlType{39}, "MXFP4", 32, 17},
    {GgmlType{40}, "NVFP4", 64, 36},     {GgmlType{41}, "Q1_0", 128, 18},
    {GgmlType::q2_0, "Q2_0", 64, 18},
}};

/// Null where the type is unknown.
inline const GgmlTypeInfo* find_ggml_type(GgmlType type) {
  const auto* found = std::find_if(ggml_types.begin(), ggml_types.end(), [&](const auto& t) { return t.type == type; });
  return found == ggml_types.end() ? nullptr : found;
}

/// Bytes of a tensor of that many elements, whole blocks.
constexpr std::size_t tensor_bytes(const GgmlTypeInfo& type, std::size_t elements) {
  return elements == 0 ? 0 : elements / type.weights * type.bytes + type.tail;
}

}  // namespace tern
