#include "tern/layers/rows.hpp"

#include <doctest/doctest.h>

#include "tern/core/parallel.hpp"

using namespace tern;

TEST_CASE("rows: zeros, copies and sums reach every row on several threads, and skip what lies between rows") {
  ThreadPool pool(3);
  Pass pass;
  pass.parallel = pool.parallel();
  const Index rows = 1003, columns = 40;
  Matrix<float> from = Matrix<float>::Random(rows, 2 * columns), to, sums = Matrix<float>::Random(rows, 2 * columns);
  const Matrix<float> before = sums;
  copy_rows<float>(pass, from.leftCols(columns), to);
  CHECK(to == from.leftCols(columns));
  add_rows<float>(pass, from.leftCols(columns), sums.leftCols(columns));
  CHECK(sums.leftCols(columns) == before.leftCols(columns) + from.leftCols(columns));
  CHECK(sums.rightCols(columns) == before.rightCols(columns));
  zeros_like(pass, before, to);
  CHECK(to == Matrix<float>::Zero(rows, 2 * columns));
  const Matrix<float> none(0, 3);
  zeros_like(pass, none, to);
  CHECK(to.rows() == 0);
  CHECK(to.cols() == 3);
}
