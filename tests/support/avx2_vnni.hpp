#pragma once
/// The kernels of avx2_vnni on processors without AVX-VNNI: AVX-512 has its instruction in another encoding, and the
/// same source compiled for that gives the same bits.
#include "support/kernels.hpp"
#include "tern/kernels/simd/avx2.hpp"

#if TERN_X86
TERN_TARGET_BEGIN("avx2,fma,avx512vl,avx512vnni")
namespace tern::kernels::avx2_vnni_encoded_for_avx512 {

inline void add_dots(__m256i& low, __m256i& high, __m256i first, __m256i second, __m256i q) {
  low = _mm256_dpbusd_epi32(low, first, q);
  high = _mm256_dpbusd_epi32(high, second, q);
}

#include "tern/kernels/simd/avx2_vnni.inc"

}  // namespace tern::kernels::avx2_vnni_encoded_for_avx512
TERN_TARGET_END
#endif

namespace tern::test {

/// As on_every_isa, and avx2_vnni where AVX-512 lends its encoding: for products of bytes.
template <class S, class F>
void on_every_isa_of_bytes(F&& f) {
  on_every_isa<S>(f);
#if TERN_X86
  if constexpr (sizeof(S) == sizeof(float))
    if (kernels::runnable(kernels::Isa::avx512_vnni)) {
      CAPTURE("avx2_vnni, encoded for AVX-512");
      f(kernels::avx2_vnni_encoded_for_avx512::Kernels::operations());
    }
#endif
}

}  // namespace tern::test
