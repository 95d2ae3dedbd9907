#pragma once
/// What the vector kernels (*.inc) need: included before a target region opens, because nothing may be inside one.
#include <bit>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numbers>
#include <utility>

#include "tern/kernels/adam/reference.hpp"
#include "tern/kernels/bf16_numbers/reference.hpp"
#include "tern/kernels/formats/bf16.hpp"
#include "tern/kernels/formats/list.hpp"
#include "tern/kernels/formats/ternary.hpp"
#include "tern/kernels/grouped_matmul/turned_weight.hpp"
#include "tern/kernels/micro/strips_ahead.hpp"
#include "tern/kernels/quantize/rounding_noise.hpp"
#include "tern/kernels/table.hpp"
#include "tern/kernels/target.hpp"
#include "tern/kernels/types.hpp"

namespace tern::kernels::detail {

/// How far ahead of a product the lines of weights that it meets as one stream are fetched, in bytes: processors fetch
/// ahead on their own to the end of a page only, which few tokens have passed too soon to be served.
inline constexpr Index lines_ahead = 8192;

/// Whether this is a Zen 4 (or 3). It follows one stream beyond its page: AVX-512 products of one token, q8 and q4,
/// read 1.23 and 1.09 times as fast where nothing is fetched for them; AVX2 ones, which load less at once, do not. And
/// its products take activations from memory as fast as from registers: four tokens and a strip, all whose sums are in
/// registers, are 1.05 to 1.12 times as fast as eight and two, where weights are near.
inline bool is_zen4() {
#if TERN_X86
  return __builtin_cpu_is("amdfam19h");
#else
  return false;
#endif
}

/// Beyond these exp rounds to infinity and to 0.
template <class S>
inline constexpr S exp_top = sizeof(S) == 4 ? S(89) : S(710);
template <class S>
inline constexpr S exp_bottom = sizeof(S) == 4 ? S(-104) : S(-746);

/// ln 2 = ln2_high + ln2_low to twice S's precision.
template <class S>
inline constexpr S ln2_high = std::numbers::ln2_v<S>;
template <class S>
inline constexpr S ln2_low = static_cast<S>(std::numbers::ln2_v<long double> - static_cast<long double>(ln2_high<S>));

/// 1/i!, the Taylor coefficients of exp.
template <class S>
constexpr S inverse_factorial(int i) {
  double f = 1;
  for (; i > 1; --i) f *= i;
  return static_cast<S>(1 / f);
}

}  // namespace tern::kernels::detail
