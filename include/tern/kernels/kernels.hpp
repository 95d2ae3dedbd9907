#pragma once
/// All that an embedder includes: raw pointers in, raw pointers out, no allocation, no exception.
///   const auto& ops = tern::kernels::best_table().f32;
///   ops.matmul(m, n, k, {a, k, 1}, {b, n, 1}, c, n, false);
#include "tern/kernels/cross_entropy/reference.hpp"
#include "tern/kernels/gate/reference.hpp"
#include "tern/kernels/isa.hpp"
#include "tern/kernels/matmul/reference.hpp"
#include "tern/kernels/matmul_bf16/reference.hpp"
#include "tern/kernels/quantize/reference.hpp"
#include "tern/kernels/rms_norm/reference.hpp"
#include "tern/kernels/rope/reference.hpp"
#include "tern/kernels/simd/avx2.hpp"
#include "tern/kernels/simd/avx512.hpp"
#include "tern/kernels/simd/avx512_bf16.hpp"
#include "tern/kernels/simd/neon.hpp"
#include "tern/kernels/simd/neon_dotprod.hpp"
#include "tern/kernels/simd/portable.hpp"
#include "tern/kernels/softmax/reference.hpp"
#include "tern/kernels/table.hpp"
#include "tern/kernels/ternary_matmul/reference.hpp"

namespace tern::kernels {

namespace detail {

template <class S>
constexpr Operations<S> reference_operations() {
  return {.matmul = reference::matmul<S>,
          .matmul_mixed = reference::matmul<S>,
          .matmul_bf16 = reference::matmul_bf16<S>,
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
          .ternary_matmul = reference::ternary_matmul<S>,
          .ternary_matmul_transposed = reference::ternary_matmul_transposed<S>};
}

inline constexpr Table reference_table{Isa::reference, reference_operations<float>(), reference_operations<double>()};

template <class Arch>
inline constexpr Table portable_table{Isa::portable, portable::operations<portable::Vector<float, Arch>>(),
                                      portable::operations<portable::Vector<double, Arch>>()};
// Double is for checking gradients: there the portable kernels do.
#if TERN_X86
template <class Arch>
inline constexpr Table avx2_table{Isa::avx2, avx2::all_operations(), portable_table<Arch>.f64};
template <class Arch>
inline constexpr Table avx512_table{Isa::avx512, avx512::all_operations(), portable_table<Arch>.f64};
template <class Arch>
inline constexpr Table avx512_bf16_table{Isa::avx512_bf16, avx512_bf16::all_operations(), portable_table<Arch>.f64};
#elif TERN_ARM64
template <class Arch>
inline constexpr Table neon_table{Isa::neon, neon::all_operations(), portable_table<Arch>.f64};
template <class Arch>
inline constexpr Table neon_dotprod_table{Isa::neon_dotprod, neon_dotprod::all_operations(), portable_table<Arch>.f64};
#endif

}  // namespace detail

/// The kernels of `isa`, which must be runnable here.
template <class Arch = xsimd::default_arch>
const Table& table(Isa isa) {
  assert(runnable(isa));
  switch (isa) {
#if TERN_X86
    case Isa::avx2:
      return detail::avx2_table<Arch>;
    case Isa::avx512:
      return detail::avx512_table<Arch>;
    case Isa::avx512_bf16:
      return detail::avx512_bf16_table<Arch>;
#elif TERN_ARM64
    case Isa::neon:
      return detail::neon_table<Arch>;
    case Isa::neon_dotprod:
      return detail::neon_dotprod_table<Arch>;
#endif
    case Isa::portable:
      return detail::portable_table<Arch>;
    default:
      return detail::reference_table;
  }
}

/// The fastest kernels that run here.
template <class Arch = xsimd::default_arch>
const Table& best_table() {
  static const Table& best = table<Arch>(best_isa());
  return best;
}

}  // namespace tern::kernels
