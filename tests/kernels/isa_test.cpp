#include "tern/kernels/isa.hpp"

#include <doctest/doctest.h>

#include <iostream>

#include "tern/kernels/kernels.hpp"

using namespace tern::kernels;

TEST_CASE("isa: names are unique and parse back") {
  for (const Isa isa : all_isas) {
    CHECK(parse_isa(name(isa)) == isa);
    CHECK(needs(isa) != "unknown");
  }
  CHECK_FALSE(parse_isa("avx3").has_value());
  CHECK_FALSE(parse_isa("").has_value());
}

TEST_CASE("isa: reference and portable always run, the best is the last") {
  const auto isas = runnable_isas();
  REQUIRE(isas.size() >= 2);
  CHECK(isas[0] == Isa::reference);
  CHECK(isas[1] == Isa::portable);
  CHECK(best_isa() == isas.back());
  for (const Isa isa : isas) CHECK(runnable(isa));
}

TEST_CASE("isa: the log says which run here, and none is of another architecture") {
  std::cout << "instruction sets:";
  for (const Isa isa : runnable_isas()) std::cout << ' ' << name(isa);
  std::cout << "; not here:";
  for (const Isa isa : all_isas)
    if (!runnable(isa)) std::cout << ' ' << name(isa);
  std::cout << '\n';
  CHECK(runnable(Isa::neon) == (TERN_ARM64 == 1));
  if (!TERN_X86) CHECK_FALSE(runnable(Isa::avx2));
  if (!TERN_ARM64) CHECK_FALSE(runnable(Isa::neon_dotprod));
}

TEST_CASE("table: each ISA has its own row, complete") {
  for (const Isa isa : runnable_isas()) {
    CAPTURE(name(isa));
    const Table& t = table(isa);
    CHECK(t.isa == isa);
    CHECK((t.f32.matmul != nullptr));
    CHECK((t.f64.matmul != nullptr));
    CHECK((t.f32.ternary_matmul_transposed != nullptr));
    CHECK((t.f64.ternary_matmul_transposed != nullptr));
    CHECK((t.f32.bf16.matmul_transposed != nullptr));
    if (isa != Isa::reference) CHECK((t.f32.matmul != table(Isa::reference).f32.matmul));
  }
  CHECK(best_table().isa == best_isa());
}

TEST_CASE("table: a copy may be changed and used") {
  Table copy = table(Isa::reference);
  copy.f32.softmax = [](Index n, float, float* x) noexcept {
    for (Index i = 0; i < n; ++i) x[i] = 7;
  };
  float x[2] = {1, 2};
  copy.operations<float>().softmax(2, 1, x);
  CHECK(x[1] == 7);
}
