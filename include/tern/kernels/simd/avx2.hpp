#pragma once
/// AVX2 with FMA: registers of 8 floats, 16 of them.
#include "tern/kernels/simd/needs.hpp"
#if TERN_X86
#include <immintrin.h>

TERN_TARGET_BEGIN("avx2,fma")
namespace tern::kernels::avx2 {

#include "tern/kernels/simd/exp.inc"

/// The operations that the vector kernels (*.inc) are written in. simd/portable.hpp says what each one does.
struct Floats {
  using Scalar = float;
  using Register = __m256;
  static constexpr Index lanes = 8, tile_rows = 6, wide_rows = 2, turned = 4;

  static Register zero() { return _mm256_setzero_ps(); }
  static Register set(float x) { return _mm256_set1_ps(x); }
  static Register load(const float* p) { return _mm256_loadu_ps(p); }
  static void store(float* p, Register a) { _mm256_storeu_ps(p, a); }
  static Register load_part(const float* p, Index n) { return _mm256_maskload_ps(p, first(n)); }
  static void store_part(float* p, Register a, Index n) { _mm256_maskstore_ps(p, first(n), a); }

  static Register add(Register a, Register b) { return _mm256_add_ps(a, b); }
  static Register sub(Register a, Register b) { return _mm256_sub_ps(a, b); }
  static Register mul(Register a, Register b) { return _mm256_mul_ps(a, b); }
  static Register div(Register a, Register b) { return _mm256_div_ps(a, b); }
  static Register fma(Register a, Register b, Register c) { return _mm256_fmadd_ps(a, b, c); }
  static Register sqrt(Register a) { return _mm256_sqrt_ps(a); }
  static Register max(Register a, Register b) { return _mm256_max_ps(a, b); }
  static Register max_magnitude(Register a, Register b) {
    const Register m = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff));
    return _mm256_castsi256_ps(
        _mm256_max_epi32(_mm256_castps_si256(_mm256_and_ps(a, m)), _mm256_castps_si256(_mm256_and_ps(b, m))));
  }
  static Register exp(Register x) {
    const Register bounded = _mm256_min_ps(set(detail::exp_top<float>), max(set(detail::exp_bottom<float>), x));
    const Register n = whole(mul(bounded, set(std::numbers::log2e_v<float>))), half = whole(mul(n, set(0.5)));
    return mul(mul(exp_reduced<Floats>(bounded, n), power_of_2(half)), power_of_2(sub(n, half)));
  }
  static void store_low_bytes(std::int8_t* p, Register a, Index n) {
    const __m256i low = _mm256_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,  //
                                         0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
    const __m256i bytes = _mm256_shuffle_epi8(_mm256_castps_si256(a), low);
    const __m128i eight = _mm_unpacklo_epi32(_mm256_castsi256_si128(bytes), _mm256_extracti128_si256(bytes, 1));
    std::int8_t part[16];
    _mm_storeu_si128(reinterpret_cast<__m128i*>(part), eight);
    std::memcpy(p, part, n == lanes ? 8 : static_cast<std::size_t>(n));
  }
  static Register bits(const std::uint8_t* p, int shift, int mask, int less) {
    const __m256i words =
        _mm256_srl_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)), _mm_cvtsi32_si128(shift));
    const __m256i found = _mm256_and_si256(words, _mm256_set1_epi32(mask));
    return _mm256_cvtepi32_ps(less == 0 ? found : _mm256_sub_epi32(found, _mm256_set1_epi32(less)));
  }
  /// By shifting into a float's fields: 2^112 mends the exponent, subnormals included.
  static Register halves(const std::uint8_t* p) {
    const __m256i bits = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    const __m256i magnitude = _mm256_slli_epi32(_mm256_and_si256(bits, _mm256_set1_epi32(0x7fff)), 13);
    const __m256i sign = _mm256_slli_epi32(_mm256_and_si256(bits, _mm256_set1_epi32(0x8000)), 16);
    return _mm256_or_ps(_mm256_mul_ps(_mm256_castsi256_ps(magnitude), _mm256_set1_ps(0x1p112f)),
                        _mm256_castsi256_ps(sign));
  }
  static void transpose(const float* b, Index column, Register* rows) {
    const __m256 r0 = halves(b, 4 * column), r1 = halves(b + column, 4 * column);
    const __m256 r2 = halves(b + 2 * column, 4 * column), r3 = halves(b + 3 * column, 4 * column);
    const __m256d low01 = _mm256_castps_pd(_mm256_unpacklo_ps(r0, r1));
    const __m256d high01 = _mm256_castps_pd(_mm256_unpackhi_ps(r0, r1));
    const __m256d low23 = _mm256_castps_pd(_mm256_unpacklo_ps(r2, r3));
    const __m256d high23 = _mm256_castps_pd(_mm256_unpackhi_ps(r2, r3));
    rows[0] = _mm256_castpd_ps(_mm256_unpacklo_pd(low01, low23));
    rows[1] = _mm256_castpd_ps(_mm256_unpackhi_pd(low01, low23));
    rows[2] = _mm256_castpd_ps(_mm256_unpacklo_pd(high01, high23));
    rows[3] = _mm256_castpd_ps(_mm256_unpackhi_pd(high01, high23));
  }

 private:
  static Register whole(Register a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  static Register power_of_2(Register n) {
    const __m256i biased = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
    return _mm256_castsi256_ps(_mm256_slli_epi32(biased, 23));
  }
  static __m256i first(Index n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  static __m256 halves(const float* p, Index step) {
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), _mm_loadu_ps(p + step), 1);
  }
};

#include "tern/kernels/ternary_matmul/strip_avx2.inc"

#include "tern/kernels/simd/kernels.inc"

#include "tern/kernels/simd/avx2_bytes.inc"

#include "tern/kernels/simd/bytes.inc"

#include "tern/kernels/micro/decoded_avx2.inc"

#include "tern/kernels/grouped_matmul/decoded_avx2.inc"

#include "tern/kernels/grouped_matmul/turned_avx2.inc"

#include "tern/kernels/ternary_matmul/decoded_avx2.inc"

struct Kernels {
  static constexpr Isa isa = Isa::avx2;

  template <class F>
  static constexpr GroupedProducts<float, F> grouped() {
    GroupedProducts<float, F> products = grouped_products<Floats, F>();
    products.matmul = grouped_matmul_many<F>;
    products.matmul_transposed_int8 = grouped_matmul_transposed_int8_bytes<TurnedFours, F>;
    return products;
  }
  static constexpr Operations<float> operations() {
    Operations<float> ops = avx2::operations<Floats>();
    ops.ternary_matmul = ternary_matmul_many;
    ops.ternary_matmul_transposed_int8 = ternary_matmul_transposed_int8_bytes<Bytes, ternary_matmul_many>;
    ops.groups = grouped_table<float>([]<class F>() { return grouped<F>(); });
    return ops;
  }
};

}  // namespace tern::kernels::avx2
TERN_TARGET_END
#endif
