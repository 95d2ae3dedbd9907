#pragma once
#include <string_view>

#include "tern/kernels/quantize/round_group.hpp"

namespace tern::kernels {

/// Weights of 4 bits, a scale and a minimum for every 32 columns of a row: w = scale * code + minimum, code in 0..15.
/// It holds Q4_0 (minimum = -8 * scale) and Q4_1 exactly, and Q4_K but for the rounding of its products of scales to
/// binary16 (relative 2^-11); 5 bits a weight.
struct Q4 : GroupLayout<true, 4> {
  static constexpr std::string_view name = "q4";
  static constexpr int zero_code = 0;
  static constexpr float greatest = 65504;  ///< magnitude of a weight

  /// Over a group: minimum = min w and scale = (max w - min w) / 15 in binary16, code = (w - minimum) / scale to
  /// nearest. An error is at most scale/2, and what binary16 rounds at the ends.
  template <class S>
  static GroupScales quantize(const S* x, Code* codes) noexcept {
    const detail::Extremes<S> of(x);
    const GroupScales to{to_half(static_cast<float>((of.high - of.low) / 15)), to_half(static_cast<float>(of.low))};
    const S minimum = static_cast<S>(to_float(to.minimum)), scale = static_cast<S>(to_float(to.scale));
    S ratio[group_columns];
    for (Index k = 0; k < group_columns; ++k) ratio[k] = (x[k] - minimum) / detail::divisor(scale);
    detail::round_group<S>(ratio, 0, 15, 0, codes);
    return to;
  }
};

}  // namespace tern::kernels
