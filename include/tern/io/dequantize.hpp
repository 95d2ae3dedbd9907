#pragma once
/// From GGUF's blocks to floats; formulas and layouts are those of docs/file_formats.md.
#include <span>
#include <string>

#include "tern/core/error.hpp"
#include "tern/io/bytes.hpp"
#include "tern/io/ggml_type.hpp"
#include "tern/kernels/bf16.hpp"
#include "tern/kernels/half.hpp"

namespace tern {

namespace detail {

using Byte = std::uint8_t;

inline float half_at(const Byte* p) { return to_float(kernels::Half{load_little<std::uint16_t>(p)}); }
inline int low(Byte b) { return b & 15; }
inline int high(Byte b) { return b >> 4; }

/// w = scale * (q + shift) + offset for 32 weights: low nibbles first, then high ones.
inline void decode_nibbles(const Byte* q, float scale, int shift, float offset, float* y) {
  for (int j = 0; j < 16; ++j) {
    y[j] = scale * static_cast<float>(low(q[j]) + shift) + offset;
    y[j + 16] = scale * static_cast<float>(high(q[j]) + shift) + offset;
  }
}

/// As decode_nibbles, with the fifth bit of weight j in bit j of `fifth`.
inline void decode_nibbles(const Byte* q, std::uint32_t fifth, float scale, int shift, float offset, float* y) {
  const auto bit = [&](int j) { return static_cast<int>(fifth >> j & 1u) << 4; };
  for (int j = 0; j < 16; ++j) {
    y[j] = scale * static_cast<float>((low(q[j]) | bit(j)) + shift) + offset;
    y[j + 16] = scale * static_cast<float>((high(q[j]) | bit(j + 16)) + shift) + offset;
  }
}

inline void decode_q8_0(const Byte* b, float* y) {
  const float d = half_at(b);
  for (int j = 0; j < 32; ++j) y[j] = d * static_cast<float>(static_cast<std::int8_t>(b[2 + j]));
}

/// Scale and minimum, 6 bits each, of sub-block j < 8 of a Q4_K or Q5_K block.
struct SubBlock {
  int scale, minimum;
};
inline SubBlock sub_block(const Byte* s, int j) {
  if (j < 4) return {s[j] & 63, s[j + 4] & 63};
  return {low(s[j + 4]) | s[j - 4] >> 6 << 4, high(s[j + 4]) | s[j] >> 6 << 4};
}

/// w = d*sc*q - dmin*mn. Each 32 bytes hold two sub-blocks, the first in the low nibbles; the fifth bits, if any, of
/// sub-block j are bits j of 32 bytes more.
inline void decode_k45(const Byte* b, const Byte* fifth, const Byte* q, float* y) {
  const float d = half_at(b), dmin = half_at(b + 2);
  for (int j = 0; j < 8; ++j) {
    const auto [sc, mn] = sub_block(b + 4, j);
    const float scale = d * static_cast<float>(sc), minimum = dmin * static_cast<float>(mn);
    for (int l = 0; l < 32; ++l) {
      const Byte pair = q[j / 2 * 32 + l];
      const int bit = fifth == nullptr ? 0 : (fifth[l] >> j & 1) << 4;
      y[j * 32 + l] = scale * static_cast<float>((j % 2 == 0 ? low(pair) : high(pair)) | bit) - minimum;
    }
  }
}

inline void decode_q6_k(const Byte* b, float* y) {
  const float d = half_at(b + 208);
  for (int half = 0; half < 2; ++half) {
    const Byte* ql = b + 64 * half;
    const Byte* qh = b + 128 + 32 * half;
    const Byte* scales = b + 192 + 8 * half;
    for (int part = 0; part < 4; ++part)
      for (int l = 0; l < 32; ++l) {
        const Byte pair = ql[l + part % 2 * 32];
        const int q = (part < 2 ? low(pair) : high(pair)) | (qh[l] >> 2 * part & 3) << 4;
        const auto scale = static_cast<std::int8_t>(scales[l / 16 + 2 * part]);
        y[128 * half + 32 * part + l] = d * static_cast<float>(scale) * static_cast<float>(q - 32);
      }
  }
}

/// Trit n, the first the most significant, of a byte that holds ceil(q * 256 / 243); 0, 1 or 2.
inline int trit(Byte b, int n) {
  constexpr std::array<int, 5> powers = {1, 3, 9, 27, 81};
  return static_cast<Byte>(b * powers[static_cast<std::size_t>(n)]) * 3 >> 8;
}

inline void decode_tq1_0(const Byte* b, float* y) {
  const float d = half_at(b + 52);
  const auto put = [&](int first, int bytes, int trits, const Byte* q) {
    for (int n = 0; n < trits; ++n)
      for (int m = 0; m < bytes; ++m) y[first + m + bytes * n] = d * static_cast<float>(trit(q[m], n) - 1);
  };
  put(0, 32, 5, b);
  put(160, 16, 5, b + 32);
  put(240, 4, 4, b + 48);
}

inline void decode_tq2_0(const Byte* b, float* y) {
  const float d = half_at(b + 64);
  for (int half = 0; half < 2; ++half)
    for (int n = 0; n < 4; ++n)
      for (int m = 0; m < 32; ++m)
        y[128 * half + 32 * n + m] = d * static_cast<float>((b[32 * half + m] >> 2 * n & 3) - 1);
}

/// Code 3 is 2d.
inline void decode_q2_0(const Byte* b, float* y) {
  const float d = half_at(b);
  for (int i = 0; i < 64; ++i) y[i] = d * static_cast<float>((b[2 + i / 4] >> 2 * (i % 4) & 3) - 1);
}

/// Numbers of type T that decode() turns into floats, 32 at a time, which compilers do side by side.
template <class T, class Decode>
void decode_numbers(Bytes numbers, std::span<float> y, Decode&& decode) {
  constexpr std::size_t most = 32;
  const std::byte* from = numbers.data();
  T raw[most];
  std::size_t i = 0;
  for (; i + most <= y.size(); i += most, from += most * sizeof(T)) {
    for (std::size_t j = 0; j < most; ++j) raw[j] = load_little<T>(from + j * sizeof(T));
    for (std::size_t j = 0; j < most; ++j) y[i + j] = decode(raw[j]);
  }
  for (; i < y.size(); ++i, from += sizeof(T)) y[i] = decode(load_little<T>(from));
}

template <class Decode>
void decode_blocks(const GgmlTypeInfo& info, Bytes blocks, std::span<float> y, Decode&& decode) {
  const Byte* b = reinterpret_cast<const Byte*>(blocks.data());
  for (std::size_t i = 0; i < y.size(); i += info.weights, b += info.bytes) decode(b, y.data() + i);
}

}  // namespace detail

/// Decodes y.size() weights, a whole number of blocks of `type`, from `blocks`, which holds exactly those.
/// Throws ValueError where the sizes disagree, or where the type is one that tern cannot decode.
inline void dequantize(GgmlType type, Bytes blocks, std::span<float> y) {
  using detail::Byte;
  using detail::half_at;
  const auto* info = find_ggml_type(type);
  if (info == nullptr) throw ValueError("dequantize: unknown tensor type " + std::to_string(static_cast<int>(type)));
  if (type == GgmlType::i2_s)
    throw ValueError("dequantize: I2_S has several layouts: expected decode_i2_s(), which is told which");
  if (y.size() % info->weights != 0 || blocks.size() != y.size() / info->weights * info->bytes)
    throw ValueError("dequantize " + std::string(info->name) + ": expected blocks of " + std::to_string(info->bytes) +
                     " bytes for " + std::to_string(info->weights) + " weights, got " + std::to_string(blocks.size()) +
                     " bytes for " + std::to_string(y.size()) + " weights");
  const auto blocks_by = [&](auto&& decode) { detail::decode_blocks(*info, blocks, y, decode); };
  switch (type) {
    case GgmlType::f32:
      return detail::decode_numbers<float>(blocks, y, [](float x) { return x; });
    case GgmlType::f64:
      return detail::decode_numbers<double>(blocks, y, [](double x) { return static_cast<float>(x); });
    case GgmlType::f16:
      return detail::decode_numbers<std::uint16_t>(blocks, y,
                                                   [](std::uint16_t x) { return to_float(kernels::Half{x}); });
    case GgmlType::bf16:
      return detail::decode_numbers<std::uint16_t>(blocks, y,
                                                   [](std::uint16_t x) { return to_float(kernels::Bf16{x}); });
    case GgmlType::q4_0:
      return blocks_by([](const Byte* b, float* w) { detail::decode_nibbles(b + 2, half_at(b), -8, -0.0f, w); });
    case GgmlType::q4_1:
      return blocks_by(
          [](const Byte* b, float* w) { detail::decode_nibbles(b + 4, half_at(b), 0, half_at(b + 2), w); });
    case GgmlType::q5_0:
      return blocks_by([](const Byte* b, float* w) {
        detail::decode_nibbles(b + 6, load_little<std::uint32_t>(b + 2), half_at(b), -16, -0.0f, w);
      });
    case GgmlType::q5_1:
      return blocks_by([](const Byte* b, float* w) {
        detail::decode_nibbles(b + 8, load_little<std::uint32_t>(b + 4), half_at(b), 0, half_at(b + 2), w);
      });
    case GgmlType::q8_0:
      return blocks_by(detail::decode_q8_0);
    case GgmlType::q4_k:
      return blocks_by([](const Byte* b, float* w) { detail::decode_k45(b, nullptr, b + 16, w); });
    case GgmlType::q5_k:
      return blocks_by([](const Byte* b, float* w) { detail::decode_k45(b, b + 16, b + 48, w); });
    case GgmlType::q6_k:
      return blocks_by(detail::decode_q6_k);
    case GgmlType::tq1_0:
      return blocks_by(detail::decode_tq1_0);
    case GgmlType::tq2_0:
      return blocks_by(detail::decode_tq2_0);
    case GgmlType::q2_0:
      return blocks_by(detail::decode_q2_0);
    case GgmlType::i2_s:
      break;
  }
  throw ValueError("dequantize: tensors of type " + std::string(info->name) + " are not decoded");
}

}  // namespace tern
