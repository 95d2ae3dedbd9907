#pragma once
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "tern/io/gguf.hpp"
#include "tern/weights/grouped.hpp"

namespace tern {

namespace detail {

/// Thirty-two weights as w = scale * code + minimum.
struct CodedGroup {
  std::array<float, 32> codes;
  float scale, minimum = 0;
};

/// Group g of a row of Q8_0, Q5_0 or Q4_0, its codes signed.
inline CodedGroup signed_group(GgmlType type, const Byte* row, Index g) {
  CodedGroup group;
  const Byte* b = row + g * static_cast<Index>(find_ggml_type(type)->bytes);
  group.scale = half_at(b);
  if (type == GgmlType::q8_0)
    for (std::size_t j = 0; j < 32; ++j) group.codes[j] = static_cast<float>(static_cast<std::int8_t>(b[2 + j]));
  else if (type == GgmlType::q5_0)
    decode_nibbles(b + 6, load_little<std::uint32_t>(b + 2), 1, -16, 0, group.codes.data());
  else
    decode_nibbles(b + 2, 1, -8, 0, group.codes.data());
  return group;
}

/// Group g of a row of Q4_0, Q4_1 or Q4_K, its codes in 0..15.
inline CodedGroup unsigned_group(GgmlType type, const Byte* row, Index g) {
  CodedGroup group;
  const auto bytes = static_cast<Index>(find_ggml_type(type)->bytes);
  if (type == GgmlType::q4_k) {
    const Byte* b = row + g / 8 * bytes;
    const int j = static_cast<int>(g % 8);
    const auto [scale, minimum] = sub_block(b + 4, j);
    group.scale = half_at(b) * static_cast<float>(scale);
    group.minimum = -half_at(b + 2) * static_cast<float>(minimum);
    for (std::size_t l = 0; l < 32; ++l) {
      const Byte pair = b[16 + static_cast<std::size_t>(j / 2 * 32) + l];
      group.codes[l] = static_cast<float>(j % 2 == 0 ? low(pair) : high(pair));
    }
    return group;
  }
  const Byte* b = row + g * bytes;
  group.scale = half_at(b);
  group.minimum = type == GgmlType::q4_1 ? half_at(b + 2) : -8 * group.scale;
  decode_nibbles(b + (type == GgmlType::q4_1 ? 4 : 2), 1, 0, 0, group.codes.data());
  return group;
}

/// Whether weights of that type are groups of format F as they are.
template <class F>
bool is_grouped(GgmlType type) {
  if constexpr (F::has_minimum)
    return type == GgmlType::q4_0 || type == GgmlType::q4_1 || type == GgmlType::q4_k;
  else if constexpr (F::bits == 4)
    return type == GgmlType::q4_0;
  else
    return type == GgmlType::q8_0 || type == GgmlType::q5_0 || type == GgmlType::q4_0;
}

}  // namespace detail

/// A GGUF tensor as weights in groups of 32, row r of the file as row place(r).
/// Q8 takes the codes and scales of Q8_0, Q5_0 and Q4_0 as they are, Q4_0 those of Q4_0, Q4 those of Q4_0 and Q4_1, and
/// of Q4_K with its products of scales rounded to binary16 (by at most 2^-11 of themselves). All other types that
/// dequantize() knows are rounded anew. Throws FormatError where a weight or a scale is not finite, or beyond binary16.
template <std::floating_point S, class F>
Grouped<S, F> grouped_tensor(const GgufTensor& tensor, const std::string& where,
                             const std::function<Index(Index)>& place) {
  using Code = typename Grouped<S, F>::Code;
  const Index rows = tensor.rows(), columns = tensor.columns(), groups = kernels::groups_of(columns);
  const auto not_finite = [&] { throw FormatError(where + ": a weight is not finite"); };
  std::vector<Code> codes(static_cast<std::size_t>(rows * columns));
  std::vector<kernels::Half> scales(static_cast<std::size_t>(rows * groups)),
      minimums(F::has_minimum ? scales.size() : 0);
  const bool exact = detail::is_grouped<F>(tensor.type);
  const auto* bytes = reinterpret_cast<const detail::Byte*>(tensor.bytes.data());
  const Index row_bytes = rows > 0 ? static_cast<Index>(tensor.bytes.size()) / rows : 0;
  for (Index r = 0; r < rows && exact; ++r)
    for (Index g = 0; g < groups; ++g) {
      const auto group = F::bits == 4 ? detail::unsigned_group(tensor.type, bytes + r * row_bytes, g)
                                      : detail::signed_group(tensor.type, bytes + r * row_bytes, g);
      const auto at = static_cast<std::size_t>(place(r) * groups + g);
      scales[at] = kernels::to_half(group.scale);
      if (!std::isfinite(to_float(scales[at]))) not_finite();
      if constexpr (F::has_minimum) {
        minimums[at] = kernels::to_half(group.minimum);
        if (!std::isfinite(to_float(minimums[at]))) not_finite();
      }
      for (std::size_t j = 0; j < 32; ++j) codes[at * 32 + j] = static_cast<Code>(group.codes[j]);
    }
  if (exact) return Grouped<S, F>::from_codes(rows, columns, codes, scales, minimums);

  const Matrix<float> found = dequantize<float>(tensor);
  if (!found.allFinite()) not_finite();
  if (constexpr float most = 65504; found.size() > 0 && found.cwiseAbs().maxCoeff() > most)
    throw FormatError(where + ": expected weights that binary16 holds, up to 65504, got " +
                      std::to_string(found.cwiseAbs().maxCoeff()));
  Matrix<S> placed(rows, columns);
  for (Index r = 0; r < rows; ++r) placed.row(place(r)) = found.row(r).template cast<S>();
  return Grouped<S, F>::quantize(placed);
}

}  // namespace tern
