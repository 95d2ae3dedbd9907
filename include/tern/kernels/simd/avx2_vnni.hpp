#pragma once
/// AVX2 with products of bytes (AVX-VNNI): all but those is AVX2's.
#include "tern/kernels/simd/avx2.hpp"
#if TERN_X86

TERN_TARGET_BEGIN("avx2,fma,avxvnni")
namespace tern::kernels::avx2_vnni {

inline void add_dots(__m256i& low, __m256i& high, __m256i first, __m256i second, __m256i q) {
  asm("%{vex%} vpdpbusd %4, %2, %0\n\t%{vex%} vpdpbusd %4, %3, %1"
      : "+&x"(low), "+&x"(high)
      : "x"(first), "x"(second), "x"(q));
}

#include "tern/kernels/simd/avx2_vnni.inc"

}  // namespace tern::kernels::avx2_vnni
TERN_TARGET_END
#endif
