#pragma once
/// All that an embedder includes: raw pointers in, raw pointers out, no allocation, no exception.
///   const auto& ops = tern::kernels::best_table().f32;
///   ops.matmul(m, n, k, {a, k, 1}, {b, n, 1}, c, n, false);
#include "tern/kernels/cross_entropy/reference.hpp"
#include "tern/kernels/gate/reference.hpp"
#include "tern/kernels/isa.hpp"
#include "tern/kernels/matmul/reference.hpp"
#include "tern/kernels/quantize/reference.hpp"
#include "tern/kernels/rms_norm/reference.hpp"
#include "tern/kernels/rope/reference.hpp"
#include "tern/kernels/softmax/reference.hpp"
#include "tern/kernels/table.hpp"
#include "tern/kernels/ternary_matmul/reference.hpp"

namespace tern::kernels {

namespace detail {

template <class S>
constexpr Operations<S> reference_operations() {
  return {.matmul = reference::matmul<S>,
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

}  // namespace detail

/// The kernels of `isa`, which must be runnable here.
inline const Table& table(Isa) { return detail::reference_table; }

/// The fastest kernels that run here.
inline const Table& best_table() { return table(best_isa()); }

}  // namespace tern::kernels
