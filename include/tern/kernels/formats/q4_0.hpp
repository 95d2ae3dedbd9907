#pragma once
#include <cmath>
#include <string_view>

#include "tern/kernels/quantize/round_group.hpp"

namespace tern::kernels {

/// Weights of 4 bits, a scale for every 32 columns of a row: w = scale * (code - 8), code in 0..15. It holds Q4_0
/// exactly; 4.5 bits a weight.
struct Q4_0 : GroupLayout<false, 4> {
  static constexpr std::string_view name = "q4_0";
  static constexpr int zero_code = 8;
  static constexpr float greatest = 8 * 65504.0f;  ///< magnitude of a weight

  /// Over a group: scale = m / -8 in binary16, where m is the weight of the largest magnitude, with its sign, because
  /// -8 is there and 8 is not; code = w / scale + 8 to nearest, at most 15. An error is at most scale/2, or scale of a
  /// weight as large as m with the other sign, and what binary16 rounds at the ends.
  template <class S>
  static GroupScales quantize(const S* x, Code* codes) noexcept {
    const detail::Extremes<S> of(x);
    S top = of.high > -of.low ? of.high : of.low;
    for (Index k = 0; of.high == -of.low && k < group_columns; ++k)
      if (std::abs(x[k]) == of.high) {
        top = x[k];  // of both signs the first
        break;
      }
    const GroupScales to{to_half(static_cast<float>(top / -8)), {}};
    const S scale = static_cast<S>(to_float(to.scale));
    S ratio[group_columns];
    for (Index k = 0; k < group_columns; ++k) ratio[k] = x[k] / detail::divisor(scale);
    detail::round_group<S>(ratio, -8, 7, 8, codes);
    return to;
  }
};

}  // namespace tern::kernels
