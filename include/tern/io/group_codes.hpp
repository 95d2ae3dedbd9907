#pragma once
/// From GGUF's blocks to the codes and scales of weights in groups of 32, without a float between where that is exact.
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "tern/io/dequantize.hpp"
#include "tern/io/stored_format.hpp"
#include "tern/kernels/quantize/round_group.hpp"

namespace tern::detail {

using kernels::Half;

inline Half half_bits(const Byte* p) { return {load_little<std::uint16_t>(p)}; }
inline bool is_finite(Half h) { return (h.bits & 0x7c00) != 0x7c00; }

/// The block of 32 * groups weights, of `bytes` bytes, that holds group g of a row.
inline const Byte* block_of(const Byte* row, Index g, Index groups, Index bytes) { return row + g / groups * bytes; }

inline void trits(const Byte* q, int count, int n, std::int8_t* codes) {
  for (int m = 0; m < count; ++m) codes[m] = static_cast<std::int8_t>(trit(q[m], n) - 1);
}

/// Group g of a row whose type has codes without minimums, but Q6_K: 32 codes, and their scale.
inline Half scaled_group(GgmlType type, const Byte* row, Index g, std::int8_t* codes) {
  switch (type) {
    case GgmlType::q8_0: {
      const Byte* b = row + g * 34;
      std::memcpy(codes, b + 2, 32);
      return half_bits(b);
    }
    case GgmlType::q5_0: {
      const Byte* b = row + g * 22;
      const auto fifth = load_little<std::uint32_t>(b + 2);
      for (int j = 0; j < 16; ++j) {
        codes[j] = static_cast<std::int8_t>((low(b[6 + j]) | static_cast<int>(fifth >> j & 1) << 4) - 16);
        codes[j + 16] = static_cast<std::int8_t>((high(b[6 + j]) | static_cast<int>(fifth >> (j + 16) & 1) << 4) - 16);
      }
      return half_bits(b);
    }
    case GgmlType::q4_0: {
      const Byte* b = row + g * 18;
      for (int j = 0; j < 16; ++j) {
        codes[j] = static_cast<std::int8_t>(low(b[2 + j]) - 8);
        codes[j + 16] = static_cast<std::int8_t>(high(b[2 + j]) - 8);
      }
      return half_bits(b);
    }
    case GgmlType::tq1_0: {
      const Byte* b = block_of(row, g, 8, 54);
      const int part = static_cast<int>(g % 8);
      if (part < 5) {
        trits(b, 32, part, codes);
      } else if (part < 7) {
        trits(b + 32, 16, 2 * part - 10, codes);
        trits(b + 32, 16, 2 * part - 9, codes + 16);
      } else {
        trits(b + 32, 16, 4, codes);
        for (int n = 0; n < 4; ++n) trits(b + 48, 4, n, codes + 16 + 4 * n);
      }
      return half_bits(b + 52);
    }
    case GgmlType::tq2_0: {
      const Byte* b = block_of(row, g, 8, 66);
      const Byte* q = b + g % 8 / 4 * 32;
      const int shift = static_cast<int>(2 * (g % 4));
      for (int m = 0; m < 32; ++m) codes[m] = static_cast<std::int8_t>((q[m] >> shift & 3) - 1);
      return half_bits(b + 64);
    }
    default: {  // Q2_0
      const Byte* b = block_of(row, g, 2, 18);
      const Byte* q = b + 2 + g % 2 * 8;
      for (int m = 0; m < 32; ++m) codes[m] = static_cast<std::int8_t>((q[m / 4] >> 2 * (m % 4) & 3) - 1);
      return half_bits(b);
    }
  }
}

/// Scale and minimum of a group whose weights are scale * code + minimum, code in 0..15.
struct GroupScale {
  float scale, minimum;
};

/// Group g of a row of Q4_1 or Q4_K.
inline GroupScale nibble_group(GgmlType type, const Byte* row, Index g, std::uint8_t* codes) {
  if (type == GgmlType::q4_1) {
    const Byte* b = row + g * 20;
    for (int j = 0; j < 16; ++j) {
      codes[j] = static_cast<std::uint8_t>(low(b[4 + j]));
      codes[j + 16] = static_cast<std::uint8_t>(high(b[4 + j]));
    }
    return {half_at(b), half_at(b + 2)};
  }
  const Byte* b = block_of(row, g, 8, 144);
  const int j = static_cast<int>(g % 8), shift = j % 2 * 4;
  const Byte* q = b + 16 + j / 2 * 32;
  for (int l = 0; l < 32; ++l) codes[l] = static_cast<std::uint8_t>(q[l] >> shift & 15);
  const auto [scale, minimum] = sub_block(b + 4, j);
  return {half_at(b) * static_cast<float>(scale), -half_at(b + 2) * static_cast<float>(minimum)};
}

/// Group g of a row of Q6_K as codes of 8 bits and one scale. Q6_K has a scale for every 16 weights, d * s[0] and d *
/// s[1]. A code is a weight of the sub-block of the greater |s| times m exactly, where m is the greatest integer that
/// leaves all codes in -128..127; the other sub-block's weights are rounded, by at most half of the scale, which is at
/// most a third of the greater step of Q6_K. The scale is rounded to binary16: by 2^-11 of itself, or 2^-25.
inline Half q6_k_group(const Byte* row, Index g, std::int8_t* codes, float& exact) {
  const Byte* b = block_of(row, g, 8, 210);
  const int half = static_cast<int>(g % 8 / 4), part = static_cast<int>(g % 4);
  const Byte* ql = b + 64 * half + part % 2 * 32;
  const Byte* qh = b + 128 + 32 * half;
  const int low_shift = part / 2 * 4, high_shift = 2 * part;
  const Byte* scales = b + 192 + 8 * half + 2 * part;
  const std::int16_t s[2] = {static_cast<std::int8_t>(scales[0]), static_cast<std::int8_t>(scales[1])};
  std::int16_t q[32];
  for (int l = 0; l < 32; ++l)
    q[l] = static_cast<std::int16_t>(((ql[l] >> low_shift & 15) | (qh[l] >> high_shift & 3) << 4) - 32);
  std::int16_t least = 0, most = 0;
  for (int l = 0; l < 32; ++l) {
    const auto v = static_cast<std::int16_t>(q[l] * s[l / 16]);
    least = v < least ? v : least;
    most = v > most ? v : most;
  }
  const float d = half_at(b + 208);
  const int top = std::max(std::abs(s[0]), std::abs(s[1]));
  const int m = std::min(least < 0 ? 128 * top / -least : 128, most > 0 ? 127 * top / most : 128);
  exact = d * static_cast<float>(top) / static_cast<float>(m);
  const Half scale = kernels::to_half(exact);
  const float step = to_float(scale);
  float ratio[32];
  for (int i = 0; i < 2; ++i) {
    const float factor = step != 0 && is_finite(scale) ? d * static_cast<float>(s[i]) / step : 0;
    for (int l = 16 * i; l < 16 * i + 16; ++l) ratio[l] = factor * static_cast<float>(q[l]);
  }
  kernels::detail::round_group(ratio, -128.0f, 127.0f, 0, codes);
  return scale;
}

}  // namespace tern::detail
