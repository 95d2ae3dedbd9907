#pragma once
/// AVX-512 with products of bytes (VNNI): all but those is AVX-512's.
#include "tern/kernels/simd/avx512.hpp"
#if TERN_X86

TERN_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma")
namespace tern::kernels::avx512_vnni {

using avx512::all16, avx512::all8, avx512::Floats, avx512::load, avx512::store, avx512::TernaryBlocks;
using avx512::fields_of_digits, avx512::low_digits;

#include "tern/kernels/simd/avx512_vnni_bytes.inc"

#include "tern/kernels/simd/bytes.inc"

#include "tern/kernels/micro/quads_avx512.inc"

#include "tern/kernels/grouped_matmul/turned_avx512.inc"

#include "tern/kernels/micro/decoded_avx512.inc"

#include "tern/kernels/grouped_matmul/decoded_avx512.inc"

#include "tern/kernels/ternary_matmul/decoded_avx512.inc"

struct Kernels {
  static constexpr Isa isa = Isa::avx512_vnni;
  using Few = WithBytes<avx512::Kernels, Bytes, TurnedEights>;

  template <class F>
  static constexpr GroupedProducts<float, F> grouped() {
    GroupedProducts<float, F> products = Few::grouped<F>();
    products.matmul = grouped_matmul_pairs<F>;
    return products;
  }
  static constexpr Operations<float> operations() {
    Operations<float> ops = Few::operations();
    ops.ternary_matmul = ternary_matmul_pairs<ternary_matmul_bytes<Bytes>>;
    ops.ternary_matmul_transposed_int8 = ternary_matmul_transposed_int8_pairs;
    ops.groups = grouped_table<float>([]<class F>() { return grouped<F>(); });
    return ops;
  }
};

}  // namespace tern::kernels::avx512_vnni
TERN_TARGET_END
#endif
