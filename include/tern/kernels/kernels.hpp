#pragma once
/// Every kernel: the native ones, and the portable ones made with xsimd.
///   const auto& ops = tern::kernels::best_table().f32;
///   ops.matmul(m, n, k, {a, k, 1}, {b, n, 1}, c, n, false);
#include "tern/kernels/native.hpp"
#ifndef TERN_COMPILED_KERNELS
#include "tern/kernels/portable_table.hpp"
#endif

namespace tern::kernels {

#ifdef TERN_COMPILED_KERNELS
/// The kernels of `isa`, which must be runnable here. The portable ones are as wide as the flags allow
/// with which they were compiled.
const Table& table(Isa isa);

/// The fastest kernels that run here.
inline const Table& best_table() {
  static const Table& best = table(best_isa());
  return best;
}
#else
/// The kernels of `isa`, which must be runnable here.
template <class Arch = xsimd::default_arch>
const Table& table(Isa isa) {
  return isa == Isa::portable ? detail::portable_table<Arch> : native::table(isa);
}

/// The fastest kernels that run here.
template <class Arch = xsimd::default_arch>
const Table& best_table() {
  static const Table& best = table<Arch>(best_isa());
  return best;
}
#endif

}  // namespace tern::kernels
