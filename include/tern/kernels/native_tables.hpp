#pragma once
/// The table of each instruction set, which native.hpp gives out: plain loops, and the sets that have kernels of their
/// own.
#include "tern/kernels/bf16_matmul/reference.hpp"
#include "tern/kernels/cross_entropy/reference.hpp"
#include "tern/kernels/gate/reference.hpp"
#include "tern/kernels/grouped_matmul/reference.hpp"
#include "tern/kernels/isa.hpp"
#include "tern/kernels/matmul/reference.hpp"
#include "tern/kernels/quantize/reference.hpp"
#include "tern/kernels/rms_norm/reference.hpp"
#include "tern/kernels/rope/reference.hpp"
#include "tern/kernels/simd/avx2.hpp"
#include "tern/kernels/simd/avx2_vnni.hpp"
#include "tern/kernels/simd/avx512.hpp"
#include "tern/kernels/simd/avx512_bf16.hpp"
#include "tern/kernels/simd/avx512_vnni.hpp"
#include "tern/kernels/simd/neon.hpp"
#include "tern/kernels/simd/neon_dotprod.hpp"
#include "tern/kernels/softmax/reference.hpp"
#include "tern/kernels/table.hpp"
#include "tern/kernels/ternary_matmul/reference.hpp"

namespace tern::kernels::detail {

template <class F, class S>
constexpr GroupedProducts<S, F> reference_products() {
  return {reference::grouped_matmul<F, S>, reference::grouped_matmul_float<F, S>,
          reference::grouped_matmul_transposed<F, S>};
}

template <class S>
constexpr Operations<S> reference_operations() {
  return {.matmul = reference::matmul<S>,
          .matmul_mixed = reference::matmul<S>,
          .rms_norm = reference::rms_norm<S>,
          .rms_norm_backward = reference::rms_norm_backward<S>,
          .rms_norm_backward_gain = reference::rms_norm_backward_gain<S>,
          .softmax = reference::softmax<S>,
          .softmax_backward = reference::softmax_backward<S>,
          .gate = reference::gate<S>,
          .gate_backward = reference::gate_backward<S>,
          .rope = reference::rope<S>,
          .cross_entropy = reference::cross_entropy<S>,
          .quantize_int8 = reference::quantize_int8<S>,
          .quantize_gradient = reference::quantize_gradient<S>,
          .ternary_matmul = reference::ternary_matmul<S>,
          .ternary_matmul_float = reference::ternary_matmul_float<S>,
          .ternary_matmul_transposed = reference::ternary_matmul_transposed<S>,
          .ternary_matmul_transposed_int8 = reference::ternary_matmul_transposed_int8<S>,
          .q8 = reference_products<Q8, S>(),
          .q4 = reference_products<Q4, S>(),
          .q4_0 = reference_products<Q4_0, S>(),
          .bf16 = {reference::bf16_matmul<S>, reference::bf16_matmul_transposed<S>}};
}

// Double is for checking gradients: there plain loops do.
inline constexpr Table reference_table{Isa::reference, reference_operations<float>(), reference_operations<double>()};
#if TERN_X86
inline constexpr Table avx2_table{Isa::avx2, avx2::all_operations(), reference_operations<double>()};
inline constexpr Table avx2_vnni_table{Isa::avx2_vnni, avx2_vnni::all_operations(), reference_operations<double>()};
inline constexpr Table avx512_table{Isa::avx512, avx512::all_operations(), reference_operations<double>()};
inline constexpr Table avx512_vnni_table{Isa::avx512_vnni, avx512_vnni::all_operations(),
                                         reference_operations<double>()};
inline constexpr Table avx512_bf16_table{Isa::avx512_bf16, avx512_bf16::all_operations(),
                                         reference_operations<double>()};
#elif TERN_ARM64
inline constexpr Table neon_table{Isa::neon, neon::all_operations(), reference_operations<double>()};
inline constexpr Table neon_dotprod_table{Isa::neon_dotprod, neon_dotprod::all_operations(),
                                          reference_operations<double>()};
#endif

/// get.operator()<table>() for the table of `isa`. A table is a constant: of its kernels those are compiled that get
/// takes.
template <class Get>
auto from_native_table(Isa isa, Get get) {
  switch (isa) {
#if TERN_X86
    case Isa::avx2:
      return get.template operator()<avx2_table>();
    case Isa::avx2_vnni:
      return get.template operator()<avx2_vnni_table>();
    case Isa::avx512:
      return get.template operator()<avx512_table>();
    case Isa::avx512_vnni:
      return get.template operator()<avx512_vnni_table>();
    case Isa::avx512_bf16:
      return get.template operator()<avx512_bf16_table>();
#elif TERN_ARM64
    case Isa::neon:
      return get.template operator()<neon_table>();
    case Isa::neon_dotprod:
      return get.template operator()<neon_dotprod_table>();
#endif
    default:
      return get.template operator()<reference_table>();
  }
}

/// See native::table.
inline const Table& native_table(Isa isa) {
  return *from_native_table(isa, []<const Table & t>() { return &t; });
}

/// See native::kernel.
template <auto member>
auto native_kernel(Isa isa) {
  return from_native_table(isa, []<const Table & t>() {
    constexpr auto kernel = t.kernel(member);
    return kernel;
  });
}

}  // namespace tern::kernels::detail
