#pragma once
#include <array>
#include <optional>

#include "tern/io/ggml_type.hpp"
#include "tern/weights/weight_format.hpp"

namespace tern {

namespace detail {

/// What a file's type is to formats in groups: weights scale * code, code in least..greatest, with a scale for every
/// 32; or scale * code + minimum, code in 0..greatest.
struct CodeRange {
  int least, greatest;
  bool has_minimum;
};

/// None where a type's groups have no such codes. Q6_K's are made: see q6_k_group.
constexpr std::optional<CodeRange> code_range(GgmlType type) {
  switch (type) {
    case GgmlType::q8_0:
    case GgmlType::q6_k:
      return CodeRange{-128, 127, false};
    case GgmlType::q5_0:
      return CodeRange{-16, 15, false};
    case GgmlType::q4_0:
      return CodeRange{-8, 7, false};
    case GgmlType::tq1_0:
    case GgmlType::tq2_0:
    case GgmlType::q2_0:
      return CodeRange{-1, 2, false};
    case GgmlType::q4_1:
    case GgmlType::q4_k:
      return CodeRange{0, 15, true};
    default:
      return std::nullopt;
  }
}

/// Whether format F holds the groups of a file's type as they are: every code has a place, and every minimum.
template <class F>
constexpr bool takes_groups(GgmlType type) {
  const std::optional<CodeRange> codes = code_range(type);
  if (!codes) return false;
  if constexpr (F::has_minimum) return codes->greatest - codes->least < 1 << F::bits;
  return !codes->has_minimum && codes->least >= -F::zero_code && codes->greatest < (1 << F::bits) - F::zero_code;
}

}  // namespace detail

/// What a file's type becomes in memory where it is kept as it is stored; none where tern cannot decode the type. Of
/// the formats in groups it is the one of the fewest bits that takes the type's groups, else q8. TQ2_0 and Q2_0 are
/// kept as q8 where a code is 3, which is not ternary.
constexpr std::optional<WeightFormat> stored_format(GgmlType type) {
  switch (type) {
    case GgmlType::f32:
    case GgmlType::f64:
      return WeightFormat::f32;
    case GgmlType::f16:
    case GgmlType::bf16:
      return WeightFormat::bf16;
    case GgmlType::tq1_0:
    case GgmlType::tq2_0:
    case GgmlType::q2_0:
      return WeightFormat::ternary;
    case GgmlType::q4_0:
    case GgmlType::q4_1:
    case GgmlType::q4_k:
    case GgmlType::q5_0:
    case GgmlType::q5_1:
    case GgmlType::q5_k:
    case GgmlType::q6_k:
    case GgmlType::q8_0: {
      WeightFormat best = WeightFormat::q8;
      kernels::GroupedFormats::each([&]<class F>() {
        if (detail::takes_groups<F>(type) && F::weight_bits < info(best).bits) best = weight_format<F>;
      });
      return best;
    }
    default:
      return std::nullopt;
  }
}

}  // namespace tern
