#include "tern/kernels/native.hpp"

#ifdef XSIMD_VERSION_MAJOR
#error "native.hpp is for those who have no xsimd"
#endif

#include "support/kernels.hpp"

using namespace tern::kernels;

TEST_CASE("native: the tables are those of kernels.hpp, the portable one left out") {
  for (const Isa isa : runnable_isas())
    if (isa != Isa::portable) CHECK(&native::table(isa) == &table(isa));
  if (best_isa() != Isa::portable) CHECK(&native::best_table() == &best_table());
  CHECK(native::best_table().isa != Isa::portable);
}
