#pragma once
/// The kernels without any library: plain loops, and the instruction sets that have kernels of their own. Who embeds
/// kernels includes this header alone; kernels.hpp adds xsimd's, for the processors that have none of their own, and
/// takes twice as long to compile.
///   const auto& ops = tern::kernels::native::best_table().f32;
///   ops.matmul(m, n, k, {a, k, 1}, {b, n, 1}, c, n, false);
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

/// The kernels of `isa`, which must be runnable here, and not Isa::portable.
#ifdef TERN_COMPILED_KERNELS
const Table& table(Isa isa);
#else
inline const Table& table(Isa isa) {
  assert(runnable(isa) && isa != Isa::portable);
  return detail::native_table(isa);
}
#endif

/// The fastest kernels that run here: plain loops where only the portable ones would be faster.
inline const Table& best_table() {
  static const Table& best = table(best_isa() == Isa::portable ? Isa::reference : best_isa());
  return best;
}

}  // namespace tern::kernels::native
