#pragma once
/// AVX-512 with products of bytes (VNNI): all but those is AVX-512's.
#include "tern/kernels/simd/avx512.hpp"
#if TERN_X86

TERN_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma")
namespace tern::kernels::avx512_vnni {

using avx512::all16, avx512::all8, avx512::Floats, avx512::load, avx512::store, avx512::TernaryBlocks;
using avx512::fields_of_digits, avx512::low_digits;

#include "tern/kernels/ternary_matmul/avx512_vnni.inc"

#include "tern/kernels/ternary_matmul/bytes.inc"

#include "tern/kernels/ternary_matmul/transposed_bytes.inc"

#include "tern/kernels/grouped_matmul/avx512_vnni.inc"

#include "tern/kernels/grouped_matmul/bytes.inc"

constexpr Operations<float> all_operations() {
  Operations<float> ops = avx512::all_operations();
  ops.ternary_matmul = ternary_matmul_bytes;
  ops.ternary_matmul_transposed_int8 = ternary_matmul_transposed_int8_bytes<>;
  GroupedFormats::each([&]<class F>() { ops.groups.of<F>().matmul = grouped_matmul_bytes<F>; });
  return ops;
}

}  // namespace tern::kernels::avx512_vnni
TERN_TARGET_END
#endif
