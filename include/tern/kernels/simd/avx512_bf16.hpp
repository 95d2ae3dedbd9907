#pragma once
/// AVX-512 with products of bytes, of bf16 pairs, and permutations of bytes (VNNI, BF16, VBMI): what multiplies floats
/// or bytes is the processors' that lack the latter two.
#include "tern/kernels/simd/avx512_vnni.hpp"
#if TERN_X86

TERN_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16,avx512vbmi,avx2,fma")
namespace tern::kernels::avx512_bf16 {

using avx512::all16, avx512::all8, avx512::Floats, avx512::low_digits;

#include "tern/kernels/micro/bf16_tiles.inc"

#include "tern/kernels/matmul_mixed/avx512_bf16.inc"

#include "tern/kernels/bf16_matmul/avx512_bf16.inc"

#include "tern/kernels/ternary_matmul/digits_avx512_vbmi.inc"

#include "tern/kernels/ternary_matmul/strip_avx512.inc"

#include "tern/kernels/ternary_matmul/blocks.inc"

#include "tern/kernels/simd/avx512_vnni_bytes.inc"

#include "tern/kernels/micro/quads.inc"

#include "tern/kernels/ternary_matmul/bytes.inc"

#include "tern/kernels/ternary_matmul/avx512_bf16.inc"

#include "tern/kernels/grouped_matmul/avx512_bf16.inc"

struct Kernels {
  static constexpr Isa isa = Isa::avx512_bf16;

  template <class F>
  static constexpr GroupedProducts<float, F> grouped() {
    GroupedProducts<float, F> products = avx512_vnni::Kernels::grouped<F>();
    products.matmul_transposed = grouped_matmul_transposed<F>;
    return products;
  }
  static constexpr Operations<float> operations() {
    Operations<float> ops = avx512_vnni::Kernels::operations();
    ops.matmul_mixed = matmul_mixed;
    ops.ternary_matmul = avx512_vnni::ternary_matmul_pairs<ternary_matmul_bytes<Bytes>>;
    ops.ternary_matmul_transposed = ternary_matmul_transposed;
    ops.groups = grouped_table<float>([]<class F>() { return grouped<F>(); });
    ops.bf16 = {bf16_matmul, bf16_matmul_transposed};
    return ops;
  }
};

}  // namespace tern::kernels::avx512_bf16
TERN_TARGET_END
#endif
