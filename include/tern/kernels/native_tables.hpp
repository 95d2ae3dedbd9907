#pragma once
/// The table of each instruction set, which native.hpp gives out: plain loops, and the sets that have kernels of their
/// own.
#include <tuple>

#include "tern/kernels/adam/reference.hpp"
#include "tern/kernels/bf16_matmul/reference.hpp"
#include "tern/kernels/bf16_numbers/reference.hpp"
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
          reference::grouped_matmul_transposed<F, S>, reference::grouped_matmul_transposed_int8<F, S>};
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
          .sqrt = reference::sqrt<S>,
          .narrow_bf16 = reference::narrow_bf16<S>,
          .widen_bf16 = reference::widen_bf16<S>,
          .add_to_bf16 = reference::add_to_bf16<S>,
          .adam_bf16 = reference::adam_bf16<S>,
          .groups = grouped_table<S>([]<class F>() { return reference_products<F, S>(); }),
          .bf16 = {reference::bf16_matmul<S>, reference::bf16_matmul_transposed<S>}};
}

struct ReferenceKernels {
  static constexpr Isa isa = Isa::reference;

  template <class F>
  static constexpr GroupedProducts<float, F> grouped() {
    return reference_products<F, float>();
  }
  static constexpr Operations<float> operations() { return reference_operations<float>(); }
};

/// Some instruction sets, as their Kernels: `isa`, operations(), and grouped<F>() for any format in groups.
template <class... Sets>
struct InstructionSets {
  /// get.operator()<Set>() for the one of `isa`, or the first. What a set's functions return are constants: of its
  /// kernels those are compiled that get takes.
  template <class Get>
  static auto get(Isa isa, Get get) {
    using First = std::tuple_element_t<0, std::tuple<Sets...>>;
    auto got = get.template operator()<First>();
    (void)((Sets::isa == isa && (got = get.template operator()<Sets>(), true)) || ...);
    return got;
  }
};

#if TERN_X86
using NativeSets = InstructionSets<ReferenceKernels, avx2::Kernels, avx2_vnni::Kernels, avx512::Kernels,
                                   avx512_vnni::Kernels, avx512_bf16::Kernels>;
#elif TERN_ARM64
using NativeSets = InstructionSets<ReferenceKernels, neon::Kernels, neon_dotprod::Kernels>;
#else
using NativeSets = InstructionSets<ReferenceKernels>;
#endif

/// Double is for checking gradients: there plain loops do.
template <class Set>
inline constexpr Table table_of{Set::isa, Set::operations(), reference_operations<double>()};

/// See native::table.
inline const Table& native_table(Isa isa) {
  return *NativeSets::get(isa, []<class Set>() { return &table_of<Set>; });
}

/// See native::kernel.
template <auto member>
auto native_kernel(Isa isa) {
  return NativeSets::get(isa, []<class Set>() {
    constexpr auto kernel = table_of<Set>.kernel(member);
    return kernel;
  });
}

}  // namespace tern::kernels::detail

namespace tern::kernels::native {

/// The products of `isa`, which must be runnable here, with weights of a format F in groups: one of GroupedFormats, or of
/// your own (docs/adding_a_weight_format.md).
template <class F>
GroupedProducts<float, F> grouped_products(Isa isa) {
  return detail::NativeSets::get(isa, []<class Set>() {
    constexpr GroupedProducts<float, F> products = Set::template grouped<F>();
    return products;
  });
}

}  // namespace tern::kernels::native
