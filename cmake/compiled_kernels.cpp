// What native.hpp and kernels.hpp only declare where TERN_COMPILED_KERNELS is defined, as it must be here.
#include "tern/kernels/kernels.hpp"
#include "tern/kernels/native_tables.hpp"
#include "tern/kernels/portable_table.hpp"

#ifndef TERN_COMPILED_KERNELS
#error "define TERN_COMPILED_KERNELS for this file and for all that include tern's headers"
#endif

namespace tern::kernels {

const Table& native::table(Isa isa) {
  assert(runnable(isa) && isa != Isa::portable);
  return detail::native_table(isa);
}

const Table& table(Isa isa) {
  return isa == Isa::portable ? detail::portable_table<xsimd::default_arch> : native::table(isa);
}

}  // namespace tern::kernels
