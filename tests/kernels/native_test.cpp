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

TEST_CASE("native: a kernel alone is the one of the table") {
  for (const Isa isa : runnable_isas()) {
    if (isa == Isa::portable) continue;
    CHECK((native::kernel<&Operations<float>::gate>(isa) == native::table(isa).f32.gate));
    CHECK((native::kernel<&Operations<double>::matmul>(isa) == native::table(isa).f64.matmul));
    GroupedFormats::each([&]<class F>() {
      CHECK((native::kernel<&GroupedProducts<float, F>::matmul>(isa) ==
             native::table(isa).f32.template grouped<F>().matmul));
    });
  }
  CHECK((native::best_kernel<&Operations<float>::rope>() == native::best_table().f32.rope));
}
