#pragma once
/// The kernels without any library: plain loops, and the instruction sets that have kernels of their own. Who embeds
/// kernels includes this header alone; kernels.hpp adds xsimd's, for the processors that have none of their own, and
/// takes half as long again to compile.
///   const auto matmul = tern::kernels::native::best_kernel<&tern::kernels::Operations<float>::matmul>();
///   matmul(m, n, k, {a, k, 1}, {b, n, 1}, c, n, false);
/// compiles one kernel (g++ 12, -O2: a ternary product 3 to 4 s), best_table().f32.matmul all of them (12 to 17 s).
/// What packed products need beside: quantize/absmean.hpp and pack_ternary, or quantize/grouped.hpp and pack_grouped,
/// for weights; quantize_int8, or quantize_activations, for tokens; stack_bytes to spare on the calling thread.
/// Arguments are not checked: checked.hpp does that.
///
/// A program of many files compiles them once: where TERN_COMPILED_KERNELS is defined, as the target
/// tern::compiled_kernels has it, this header only declares what the library defines.
#include <cassert>

#include "tern/kernels/isa.hpp"
#include "tern/kernels/table.hpp"
#ifndef TERN_COMPILED_KERNELS
#include "tern/kernels/native_tables.hpp"
#endif

namespace tern::kernels::native {

/// The fastest instruction set that runs here and has kernels of its own: plain loops where only the portable ones
/// would be faster.
inline Isa best_isa() {
  const Isa isa = kernels::best_isa();
  return isa == Isa::portable ? Isa::reference : isa;
}

#ifdef TERN_COMPILED_KERNELS
/// The kernels of `isa`, which must be runnable here, and not Isa::portable.
const Table& table(Isa isa);

/// One of them: kernel<&Operations<float>::matmul>(isa) is table(isa).f32.matmul.
template <auto member>
auto kernel(Isa isa) {
  return table(isa).kernel(member);
}
#else
/// The kernels of `isa`, which must be runnable here, and not Isa::portable.
inline const Table& table(Isa isa) {
  assert(runnable(isa) && isa != Isa::portable);
  return detail::native_table(isa);
}

/// One of them: kernel<&Operations<float>::matmul>(isa) is table(isa).f32.matmul, and the others are not compiled.
template <auto member>
auto kernel(Isa isa) {
  assert(runnable(isa) && isa != Isa::portable);
  return detail::native_kernel<member>(isa);
}
#endif

/// The fastest kernels that run here.
inline const Table& best_table() {
  static const Table& best = table(best_isa());
  return best;
}

/// One of them: best_kernel<&Operations<float>::matmul>() is best_table().f32.matmul.
template <auto member>
auto best_kernel() {
  static const auto best = kernel<member>(best_isa());
  return best;
}

}  // namespace tern::kernels::native
