#include "tern/core/state_matrix.hpp"

#include <doctest/doctest.h>

using namespace tern;

TEST_CASE("state matrix: zeros in S or in bf16, of the shape asked for") {
  const auto full = StateMatrix<float>::zero(StateType::full, 2, 3), narrow = StateMatrix<float>::zero(StateType::bf16, 2, 3);
  for (const auto* m : {&full, &narrow}) {
    CHECK(m->rows() == 2);
    CHECK(m->cols() == 3);
    CHECK(m->size() == 6);
  }
  CHECK(full.type() == StateType::full);
  CHECK(narrow.type() == StateType::bf16);
  CHECK(full.bytes() == 24);
  CHECK(narrow.bytes() == 12);
  CHECK(StateMatrix<double>::zero(StateType::full, 2, 3).bytes() == 48);
  CHECK(full.full().isZero(0));
  CHECK(all_zero(6, narrow.bf16().data()));
  CHECK(name(full.type()) == "full");
  CHECK(name(narrow.type()) == "bf16");
}

TEST_CASE("state matrix: asked for what it is not, it says what it is") {
  const auto full = StateMatrix<float>::zero(StateType::full, 2, 3), narrow = StateMatrix<float>::zero(StateType::bf16, 2, 3);
  CHECK_THROWS_WITH_AS(full.bf16(), "state matrix: expected one in bf16, got one in full", ValueError);
  CHECK_THROWS_WITH_AS(narrow.full(), "state matrix: expected one in full, got one in bf16", ValueError);
}

TEST_CASE("state matrix: equal where shape, type and numbers are") {
  const StateMatrix<float> ones = Matrix<float>::Ones(2, 3), zeros = Matrix<float>::Zero(2, 3);
  StateMatrix<float> cleared = ones;
  CHECK(cleared == ones);
  CHECK(!(ones == zeros));
  CHECK(!(zeros == StateMatrix<float>::zero(StateType::full, 3, 2)));
  CHECK(!(zeros == StateMatrix<float>::zero(StateType::bf16, 2, 3)));
  cleared.set_zero();
  CHECK(cleared == zeros);
  StateMatrix<float> narrow = Bf16Matrix(2, 3);
  narrow.bf16()(1, 2) = 0x3f80;
  CHECK(!(narrow == StateMatrix<float>::zero(StateType::bf16, 2, 3)));
  narrow.set_zero();
  CHECK(narrow == StateMatrix<float>::zero(StateType::bf16, 2, 3));
}
