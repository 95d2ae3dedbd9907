#pragma once
/// Every kernel: the native ones, and the portable ones made with xsimd.
///   const auto& ops = tern::kernels::best_table().f32;
///   ops.matmul(m, n, k, {a, k, 1}, {b, n, 1}, c, n, false);
#include "tern/kernels/native.hpp"
#include "tern/kernels/simd/portable.hpp"

namespace tern::kernels {

namespace detail {
template <class Arch>
inline constexpr Table portable_table{Isa::portable, portable::operations<portable::Vector<float, Arch>>(),
                                      portable::operations<portable::Vector<double, Arch>>()};
}  // namespace detail

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

}  // namespace tern::kernels
