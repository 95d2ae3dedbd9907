#pragma once
/// binary16, the 16-bit float of IEEE 754, by integer arithmetic: the same bits on every machine.
#include <bit>
#include <cstdint>

namespace tern::kernels {

struct Half {
  std::uint16_t bits;
};

/// Exact. Without branches, so that many turn side by side.
inline float to_float(Half half) {
  const std::uint32_t sign = std::uint32_t{half.bits & 0x8000u} << 16;
  const std::uint32_t exponent = (half.bits >> 10) & 0x1fu;
  const std::uint32_t fraction = half.bits & 0x3ffu;
  const std::uint32_t normal = (exponent == 31 ? 255u : exponent + 112u) << 23 | fraction << 13;
  const float subnormal = static_cast<float>(static_cast<std::int32_t>(fraction)) * 0x1p-24f;  // or zero
  return std::bit_cast<float>(sign | (exponent == 0 ? std::bit_cast<std::uint32_t>(subnormal) : normal));
}

/// Rounds to nearest, ties to even; what is too large becomes infinite, NaN stays NaN.
inline Half to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7fffffffu;
  const auto with_sign = [sign](std::uint32_t rest) { return Half{static_cast<std::uint16_t>(sign | rest)}; };
  if (magnitude > 0x7f800000u) return with_sign(0x7e00u | (magnitude >> 13 & 0x3ffu));
  if (magnitude >= 0x477ff000u) return with_sign(0x7c00u);  // 65520 and more
  if (magnitude < 0x38800000u) {  // below 2^-14: adding 0.5 rounds to a multiple of 2^-24, ties to even
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return with_sign(std::bit_cast<std::uint32_t>(shifted) - 0x3f000000u);
  }
  const std::uint32_t rounded = magnitude + 0xfffu + (magnitude >> 13 & 1u);
  return with_sign((rounded - 0x38000000u) >> 13);
}

}  // namespace tern::kernels
