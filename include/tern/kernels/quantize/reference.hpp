#pragma once
#include <bit>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "tern/kernels/quantize/rounding_noise.hpp"
#include "tern/kernels/types.hpp"

namespace tern::kernels::reference {

/// One scale a row, 8 bits a number. See Operations::quantize_int8.
/// Magnitudes are compared as integers, which orders them equally and lets a NaN reach the scale instead of vanishing.
template <class S>
void quantize_int8(Index rows, Index columns, const S* x, Index x_row, std::int8_t* q, Index q_row, S* scale) noexcept {
  using Bits = std::conditional_t<sizeof(S) == 4, std::uint32_t, std::uint64_t>;
  constexpr Bits magnitude = ~Bits(0) >> 1;
  for (Index t = 0; t < rows; ++t, x += x_row, q += q_row) {
    Bits top = std::bit_cast<Bits>(S(1e-5));
    for (Index k = 0; k < columns; ++k) {
      const Bits bits = std::bit_cast<Bits>(x[k]) & magnitude;
      top = bits > top ? bits : top;
    }
    scale[t] = std::bit_cast<S>(top) / S(127);
    for (Index k = 0; k < columns; ++k) {
      const S v = std::nearbyint(x[k] / scale[t]);
      q[k] = static_cast<std::int8_t>(v >= S(127) ? S(127) : v > S(-128) ? v : S(-128));
    }
  }
}

/// Gradients to 8 bits. See Operations::quantize_gradient.
template <class S>
void quantize_gradient(Index rows, Index columns, const S* x, Index x_row, const S* factor, bool stochastic,
                       std::int8_t* q, Index q_row, S* scale) noexcept {
  for (Index t = 0; t < rows; ++t, x += x_row, q += q_row) {
    S top = 0;
    for (Index k = 0; k < columns; ++k) {
      const S v = std::abs(factor != nullptr ? factor[k] * x[k] : x[k]);
      top = v <= top ? top : v;
      if (std::isnan(v)) break;
    }
    scale[t] = top / S(127);
    const S unit = scale[t] == 0 ? S(1) : scale[t];
    const std::uint32_t seed = noise_seed(scale[t]);
    for (Index k = 0; k < columns; ++k) {
      S v = (factor != nullptr ? factor[k] * x[k] : x[k]) / unit;
      if (stochastic) v += rounding_noise<S>(seed, k);
      v = std::nearbyint(v);
      q[k] = static_cast<std::int8_t>(v >= S(127) ? S(127) : v > S(-128) ? v : S(-128));
    }
  }
}

}  // namespace tern::kernels::reference
