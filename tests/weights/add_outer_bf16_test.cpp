#include "tern/weights/add_outer_bf16.hpp"

#include <doctest/doctest.h>

#include "support/bf16_numbers.hpp"
#include "support/gradient_check.hpp"
#include "support/no_allocation.hpp"
#include "tern/weights/packed.hpp"

using namespace tern;
using namespace tern::test;

TEST_CASE("add_outer_bf16: what add_outer gives, rounded once, in tiles of any number and with any number of threads") {
  struct Shape {
    Index tokens, out, in;
  };
  for (const Shape s : {Shape{5, 7, 9}, Shape{1, 1, 3}, Shape{17, 1100, 33}, Shape{3, 40, 1057}, Shape{64, 530, 600}, Shape{0, 3, 4}})
    for (const Precision precision : {Precision::full, Precision::mixed}) {
      CAPTURE(s.out);
      CAPTURE(s.in);
      Random random(1);
      const Matrix<float> dy = random_matrix<float>(s.tokens, s.out, random), x = random_matrix<float>(s.tokens, s.in, random);
      const Bf16Matrix before = narrowed(random_matrix<float>(s.out, s.in, random));
      for (const Index threads : {1, 2, 3}) {
        ThreadPool pool(threads);
        Pass pass;
        pass.parallel = pool.parallel();
        pass.precision = precision;
        Matrix<float> exact = Matrix<float>::Zero(s.out, s.in);
        add_outer<float>(pass, dy, x, exact);
        Bf16Matrix dw = before;
        GradientScratch<float> scratch;
        add_outer_bf16<float>(pass, dy, x, dw, scratch);
        CHECK(dw == narrowed(widened(before) + exact));
        const std::size_t most = static_cast<std::size_t>(4 * threads * outer_tile * outer_tile);
        CHECK(scratch.products.size() <= most);
        const NoAllocation guard;
        add_outer_bf16<float>(pass, dy, x, dw, scratch);
      }
    }
}

TEST_CASE("Dense, Packed: gradients in bf16 are float's within a rounding a call") {
  Random random(2);
  const Index rows = 70, columns = 45;
  Packed<float> packed{random_matrix<float>(rows, columns, random)};
  Packed<float>::Cache cache;
  Gradients<float> narrow(StateType::bf16, packed), full(packed);
  REQUIRE(narrow.find_bf16(*packed.parameter()) != nullptr);
  Matrix<float> sizes = Matrix<float>::Zero(rows, columns);  // of the sums that are rounded
  for (int call = 0; call < 3; ++call) {
    const Matrix<float> x = random_matrix<float>(9, columns, random), dy = random_matrix<float>(9, rows, random);
    packed.accumulate({}, x, cache, dy, narrow);
    packed.accumulate({}, x, cache, dy, full);
    sizes += full[0].cwiseAbs();
    const Matrix<float> off = (widened(narrow.held(0).bf16()) - full[0]).cwiseAbs();
    // Earlier calls' roundings may have made the sum a little larger: hence 1.02, and 1e-5 of float's own roundings.
    CHECK((off.array() <= 1.02f * static_cast<float>(kernels::bf16_rounding) * sizes.array() + 1e-5f).all());
  }
}

TEST_CASE("Packed: a copy, and what is filled later, can have a gradient in bf16") {
  Packed<float> later;
  later = Packed<float>(Matrix<float>(Matrix<float>::Ones(3, 4)));
  const Packed<float> copy = later;
  CHECK(copy.parameter()->takes_bf16);
  CHECK(Dense<float>().parameter.takes_bf16);
}
