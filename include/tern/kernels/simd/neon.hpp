#pragma once
/// NEON, which every AArch64 has: registers of 4 floats, 32 of them. No flag is needed, hence no target region.
#include "tern/kernels/simd/needs.hpp"
#if TERN_ARM64
#include <arm_neon.h>

namespace tern::kernels::neon {

#include "tern/kernels/simd/exp.inc"

/// The operations that the vector kernels (*.inc) are written in. simd/portable.hpp says what each one does.
struct Floats {
  using Scalar = float;
  using Register = float32x4_t;
  static constexpr Index lanes = 4, tile_rows = 6, wide_rows = 6, turned = 4;

  static Register zero() { return vdupq_n_f32(0); }
  static Register set(float x) { return vdupq_n_f32(x); }
  static Register load(const float* p) { return vld1q_f32(p); }
  static void store(float* p, Register a) { vst1q_f32(p, a); }
  static Register load_part(const float* p, Index n) {
    float part[lanes] = {};
    std::memcpy(part, p, static_cast<std::size_t>(n) * sizeof(float));
    return load(part);
  }
  static void store_part(float* p, Register a, Index n) {
    float part[lanes];
    store(part, a);
    std::memcpy(p, part, static_cast<std::size_t>(n) * sizeof(float));
  }

  static Register add(Register a, Register b) { return vaddq_f32(a, b); }
  static Register sub(Register a, Register b) { return vsubq_f32(a, b); }
  static Register mul(Register a, Register b) { return vmulq_f32(a, b); }
  static Register div(Register a, Register b) { return vdivq_f32(a, b); }
  static Register fma(Register a, Register b, Register c) { return vfmaq_f32(c, a, b); }
  static Register sqrt(Register a) { return vsqrtq_f32(a); }
  static Register max(Register a, Register b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
  static Register max_magnitude(Register a, Register b) {
    return vreinterpretq_f32_u32(vmaxq_u32(vreinterpretq_u32_f32(vabsq_f32(a)), vreinterpretq_u32_f32(vabsq_f32(b))));
  }
  static Register exp(Register x) {
    const Register bounded = vminq_f32(vmaxq_f32(x, set(detail::exp_bottom<float>)), set(detail::exp_top<float>));
    const Register n = vrndnq_f32(mul(bounded, set(std::numbers::log2e_v<float>))), half = vrndnq_f32(mul(n, set(0.5)));
    return mul(mul(exp_reduced<Floats>(bounded, n), power_of_2(half)), power_of_2(sub(n, half)));
  }
  static void store_low_bytes(std::int8_t* p, Register a, Index n) {
    const uint16x4_t words = vmovn_u32(vreinterpretq_u32_f32(a));
    std::uint8_t part[8];
    vst1_u8(part, vmovn_u16(vcombine_u16(words, words)));
    std::memcpy(p, part, static_cast<std::size_t>(n));
  }
  static Register bits(const std::uint8_t* p, int shift, int mask, int less) {
    const uint32x4_t words = vshlq_u32(vreinterpretq_u32_u8(vld1q_u8(p)), vdupq_n_s32(-shift));
    const uint32x4_t found = vandq_u32(words, vdupq_n_u32(static_cast<std::uint32_t>(mask)));
    return vcvtq_f32_s32(vsubq_s32(vreinterpretq_s32_u32(found), vdupq_n_s32(less)));
  }
  static Register halves(const std::uint8_t* p) { return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(p))); }
  static void transpose(const float* b, Index column, Register* rows) {
    const Register r0 = load(b), r1 = load(b + column), r2 = load(b + 2 * column), r3 = load(b + 3 * column);
    const float64x2_t even01 = vreinterpretq_f64_f32(vtrn1q_f32(r0, r1));
    const float64x2_t odd01 = vreinterpretq_f64_f32(vtrn2q_f32(r0, r1));
    const float64x2_t even23 = vreinterpretq_f64_f32(vtrn1q_f32(r2, r3));
    const float64x2_t odd23 = vreinterpretq_f64_f32(vtrn2q_f32(r2, r3));
    rows[0] = vreinterpretq_f32_f64(vzip1q_f64(even01, even23));
    rows[1] = vreinterpretq_f32_f64(vzip1q_f64(odd01, odd23));
    rows[2] = vreinterpretq_f32_f64(vzip2q_f64(even01, even23));
    rows[3] = vreinterpretq_f32_f64(vzip2q_f64(odd01, odd23));
  }

 private:
  static Register power_of_2(Register n) {
    return vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127)), 23));
  }
};

#include "tern/kernels/ternary_matmul/strip_neon.inc"

#include "tern/kernels/simd/kernels.inc"

#include "tern/kernels/simd/neon_bytes.inc"

#include "tern/kernels/simd/bytes.inc"

struct FloatKernels {
  template <class F>
  static constexpr GroupedProducts<float, F> grouped() {
    return grouped_products<Floats, F>();
  }
  static constexpr Operations<float> operations() { return neon::operations<Floats>(); }
};
struct Kernels : WithBytes<FloatKernels, Bytes> {
  static constexpr Isa isa = Isa::neon;
};

}  // namespace tern::kernels::neon
#endif
