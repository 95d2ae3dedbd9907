#pragma once
#include <cmath>
#include <cstdint>

#include "tern/kernels/formats/ternary.hpp"

namespace tern::kernels {

/// clamp(round_half_even(x), -1, 1): one half is even to 0.
template <class S>
std::int8_t ternary_code(S x) noexcept {
  return static_cast<std::int8_t>((x > S(0.5)) - (x < S(-0.5)));
}

/// BitNet b1.58's rounding of weights to {-1, 0, +1} (arXiv 2402.17764), over each tensor, row or group:
///   s = max(mean |w|, 1e-5),  codes = clamp(round_half_even(w / s), -1, 1)
/// w [rows x columns], its rows w_row apart; codes [rows x columns] contiguous;
/// scales: ternary_scales(rows, columns, granularity) of them.
template <class S>
void quantize_absmean(Index rows, Index columns, const S* w, Index w_row, TernaryScale granularity, std::int8_t* codes,
                      S* scales) noexcept {
  const bool whole = granularity == TernaryScale::tensor;
  const Index height = whole ? rows : 1;
  const Index width = ternary_span(columns, granularity);
  for (Index top = 0; top < rows; top += height)
    for (Index left = 0; left < columns; left += width) {
      const Index right = left + width < columns ? left + width : columns;
      double sum = 0;
      for (Index r = top; r < top + height; ++r)
        for (Index k = left; k < right; ++k) sum += std::abs(static_cast<double>(w[r * w_row + k]));
      const double mean = sum / static_cast<double>(height * (right - left));
      const S s = static_cast<S>(mean < 1e-5 ? 1e-5 : mean);
      *scales++ = s;
      for (Index r = top; r < top + height; ++r)
        for (Index k = left; k < right; ++k) codes[r * columns + k] = ternary_code(w[r * w_row + k] / s);
    }
  if (whole && rows * columns == 0) *scales = S(1e-5);
}

}  // namespace tern::kernels
