#pragma once
/// AVX-512 (F, BW, DQ, VL): registers of 16 floats, 32 of them.
#include "tern/kernels/simd/avx2.hpp"
#include "tern/kernels/simd/needs.hpp"
#if TERN_X86
#include <immintrin.h>

TERN_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")
namespace tern::kernels::avx512 {

// GCC 12 warns about its own header's uninitialised operand: where it does, the zero-masked form with a full mask
// stands instead.
inline constexpr __mmask16 all16 = 0xffff;
inline constexpr __mmask8 all8 = 0xff;

#include "tern/kernels/simd/exp.inc"

/// The operations that the vector kernels (*.inc) are written in. simd/portable.hpp says what each one does.
struct Floats {
  using Scalar = float;
  using Register = __m512;
  static constexpr Index lanes = 16, tile_rows = 7, wide_rows = 7, turned = 16;

  static Register zero() { return _mm512_setzero_ps(); }
  static Register set(float x) { return _mm512_set1_ps(x); }
  static Register load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(float* p, Register a) { _mm512_storeu_ps(p, a); }
  static Register load_part(const float* p, Index n) { return _mm512_maskz_loadu_ps(first(n), p); }
  static void store_part(float* p, Register a, Index n) { _mm512_mask_storeu_ps(p, first(n), a); }

  static Register add(Register a, Register b) { return _mm512_add_ps(a, b); }
  static Register sub(Register a, Register b) { return _mm512_sub_ps(a, b); }
  static Register mul(Register a, Register b) { return _mm512_mul_ps(a, b); }
  static Register div(Register a, Register b) { return _mm512_div_ps(a, b); }
  static Register fma(Register a, Register b, Register c) { return _mm512_fmadd_ps(a, b, c); }
  static Register sqrt(Register a) { return _mm512_maskz_sqrt_ps(all16, a); }
  static Register max(Register a, Register b) { return _mm512_maskz_max_ps(all16, a, b); }
  static Register max_magnitude(Register a, Register b) {
    const __m512i m = _mm512_set1_epi32(0x7fffffff);
    return _mm512_castsi512_ps(_mm512_maskz_max_epi32(all16, _mm512_and_si512(_mm512_castps_si512(a), m),
                                                      _mm512_and_si512(_mm512_castps_si512(b), m)));
  }
  static Register exp(Register x) {
    const Register bounded =
        _mm512_maskz_min_ps(all16, set(detail::exp_top<float>), max(set(detail::exp_bottom<float>), x));
    const Register n = _mm512_maskz_roundscale_ps(all16, mul(bounded, set(std::numbers::log2e_v<float>)), 0);
    return _mm512_maskz_scalef_ps(all16, exp_reduced<Floats>(bounded, n), n);
  }
  static void store_low_bytes(std::int8_t* p, Register a, Index n) {
    _mm512_mask_cvtepi32_storeu_epi8(p, first(n), _mm512_castps_si512(a));
  }
  /// Under an exponent that counts in wholes, a float's fraction is the bits where they stand: no shift, no conversion.
  /// (AVX2 has too few registers for the constants: slower there.)
  static Register bits(const std::uint8_t* p, int shift, int mask, int less) {
    __m512i words = _mm512_loadu_si512(p);
    if (shift > 15) words = _mm512_maskz_srli_epi32(all16, words, 16);
    const int at = shift % 16;
    const __m512i wholes = _mm512_ternarylogic_epi32(words, _mm512_set1_epi32(mask << at),
                                                     _mm512_set1_epi32((127 + 23 - at) << 23), 0xea);  // (a & b) | c
    return _mm512_sub_ps(_mm512_castsi512_ps(wholes), _mm512_set1_ps(static_cast<float>((1 << (23 - at)) + less)));
  }
  static Register halves(const std::uint8_t* p) {
    return _mm512_maskz_cvtph_ps(all16, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  /// Every line is read once and whole: rows a power of two apart drive each other out of the cache. (Reading halves
  /// or quarters of lines into their places spares shuffles, and took longer.)
  static void transpose(const float* b, Index column, Register* rows) {
    __m512 r[16];
#pragma GCC unroll 16
    for (Index i = 0; i < 16; i += 4) {
      const float* four = b + i * column;
      asm("" : "+r"(four));  // or GCC carries sixteen addresses along, for which it has no registers
      r[i] = load(four);
      r[i + 1] = load(four + column);
      r[i + 2] = load(four + 2 * column);
      r[i + 3] = load(four + 3 * column);
    }
#pragma GCC unroll 4
    for (Index f = 0; f < 16; f += 4) {
      const __m512d low01 = _mm512_castps_pd(_mm512_maskz_unpacklo_ps(all16, r[f], r[f + 1]));
      const __m512d high01 = _mm512_castps_pd(_mm512_maskz_unpackhi_ps(all16, r[f], r[f + 1]));
      const __m512d low23 = _mm512_castps_pd(_mm512_maskz_unpacklo_ps(all16, r[f + 2], r[f + 3]));
      const __m512d high23 = _mm512_castps_pd(_mm512_maskz_unpackhi_ps(all16, r[f + 2], r[f + 3]));
      r[f] = _mm512_castpd_ps(_mm512_maskz_unpacklo_pd(all8, low01, low23));
      r[f + 1] = _mm512_castpd_ps(_mm512_maskz_unpackhi_pd(all8, low01, low23));
      r[f + 2] = _mm512_castpd_ps(_mm512_maskz_unpacklo_pd(all8, high01, high23));
      r[f + 3] = _mm512_castpd_ps(_mm512_maskz_unpackhi_pd(all8, high01, high23));
    }
#pragma GCC unroll 4
    for (Index p = 0; p < 4; ++p) {
      const __m512 a0 = _mm512_maskz_shuffle_f32x4(all16, r[p], r[p + 4], 0x88),
                   a1 = _mm512_maskz_shuffle_f32x4(all16, r[p], r[p + 4], 0xdd);
      const __m512 b0 = _mm512_maskz_shuffle_f32x4(all16, r[p + 8], r[p + 12], 0x88),
                   b1 = _mm512_maskz_shuffle_f32x4(all16, r[p + 8], r[p + 12], 0xdd);
      rows[p] = _mm512_maskz_shuffle_f32x4(all16, a0, b0, 0x88);
      rows[p + 8] = _mm512_maskz_shuffle_f32x4(all16, a0, b0, 0xdd);
      rows[p + 4] = _mm512_maskz_shuffle_f32x4(all16, a1, b1, 0x88);
      rows[p + 12] = _mm512_maskz_shuffle_f32x4(all16, a1, b1, 0xdd);
    }
  }

 private:
  static __mmask16 first(Index n) { return static_cast<__mmask16>((1u << n) - 1); }
};

#include "tern/kernels/ternary_matmul/digits_avx512.inc"

#include "tern/kernels/ternary_matmul/strip_avx512.inc"

#include "tern/kernels/simd/kernels.inc"

/// Products of bytes are AVX2's.
struct Kernels {
  static constexpr Isa isa = Isa::avx512;

  template <class F>
  static constexpr GroupedProducts<float, F> grouped() {
    GroupedProducts<float, F> products = grouped_products<Floats, F>();
    constexpr GroupedProducts<float, F> bytes = avx2::Kernels::grouped<F>();
    products.matmul = bytes.matmul;
    products.matmul_transposed_int8 = bytes.matmul_transposed_int8;
    return products;
  }
  static constexpr Operations<float> operations() {
    constexpr Operations<float> bytes = avx2::Kernels::operations();
    Operations<float> ops = avx512::operations<Floats>();
    ops.ternary_matmul = bytes.ternary_matmul;
    ops.ternary_matmul_transposed_int8 = bytes.ternary_matmul_transposed_int8;
    ops.groups = grouped_table<float>([]<class F>() { return grouped<F>(); });
    return ops;
  }
};

}  // namespace tern::kernels::avx512
TERN_TARGET_END
#endif
