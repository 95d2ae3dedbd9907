#pragma once
#include <string_view>

#include "tern/kernels/quantize/round_group.hpp"

namespace tern::kernels {

/// Weights of 8 bits, a scale for every 32 columns of a row: w = scale * code, code in -128..127. It holds Q8_0 and
/// Q5_0 exactly, and whatever has one scale a row; 8.5 bits a weight.
struct Q8 : GroupLayout<false, 8> {
  static constexpr std::string_view name = "q8";
  static constexpr int zero_code = 128;
  static constexpr float greatest = 127 * 65504.0f;  ///< magnitude of a weight

  /// Over a group: scale = max |w| / 127 in binary16, code = w / scale to nearest. An error is at most scale/2, and
  /// what binary16 rounds at the ends.
  template <class S>
  static GroupScales quantize(const S* x, Code* codes) noexcept {
    const detail::Extremes<S> of(x);
    const GroupScales to{to_half(static_cast<float>((-of.low > of.high ? -of.low : of.high) / 127)), {}};
    const S scale = static_cast<S>(to_float(to.scale));
    S ratio[group_columns];
    for (Index k = 0; k < group_columns; ++k) ratio[k] = x[k] / detail::divisor(scale);
    detail::round_group<S>(ratio, -127, 127, 0, codes);
    return to;
  }
};

}  // namespace tern::kernels
