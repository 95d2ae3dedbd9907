#pragma once
/// What the tests of matrix products share: shapes that meet every tile's edge, and matrices laid out by rows or
/// columns.
#include "support/kernels.hpp"

namespace tern::test {

using kernels::Strided;

struct ProductShape {
  Index m, n, k;
};

inline constexpr ProductShape product_shapes[] = {
    {0, 5, 3},     {5, 0, 3},    {3, 4, 0},     {1, 1, 1},    {1, 64, 16},    {2, 3, 4},
    {13, 31, 15},  {14, 32, 16}, {15, 33, 17},  {28, 64, 64}, {29, 65, 67},   {1, 200, 256},
    {6, 128, 257}, {7, 63, 255}, {64, 16, 511}, {5, 17, 513}, {43, 129, 300}, {100, 4, 576},
    {9, 33, 1041}, {150, 0, 3},  {150, 5, 0},  {31, 400, 260}};

/// A [m x n] matrix in a guarded buffer, by rows or by columns, its lines `gap` longer than need be.
template <class S>
struct Laid {
  Laid(Index m, Index n, bool by_columns, Index gap, unsigned seed)
      : line((by_columns ? m : n) + gap),
        buffer(random_buffer<S>(extent(by_columns ? n : m, gap), seed)),
        view{buffer.data(), by_columns ? 1 : line, by_columns ? line : 1} {}
  Index extent(Index lines, Index gap) const { return lines > 0 ? lines * line - gap : 0; }

  Index line;
  GuardedBuffer<S> buffer;
  Strided<const S> view;
};

template <class S>
double at(Strided<const S> a, Index i, Index j) {
  return static_cast<double>(a.data[i * a.row + j * a.column]);
}

/// Calls product(i, j, rows, columns, c) for the whole of C [m x n], and for every piece of it under many cuts; c is
/// where the piece goes, rows n apart. All cuts must give the whole's bits.
template <class S, class F>
void check_cuts(Index m, Index n, F&& product) {
  GuardedBuffer<S> whole(m * n);
  product(0, 0, m, n, whole.data());
  for (const Index rows : {1, 5, 14, 30})
    for (const Index columns : {1, 7, 32, 64, 100}) {
      GuardedBuffer<S> cut(m * n);
      for (Index i = 0; i < m; i += rows)
        for (Index j = 0; j < n; j += columns)
          product(i, j, std::min(rows, m - i), std::min(columns, n - j), cut.data() + i * n + j);
      CAPTURE(rows);
      CAPTURE(columns);
      CHECK(same_bits(whole, cut));
    }
}

/// Any cut of a matmul's rows and columns gives the whole's bits, on every ISA and however A and B lie.
template <class S, class Matmul>
void check_matmul_cuts(Matmul kernels::Operations<S>::*matmul) {
  const Index m = 31, n = 150, k = 600;
  for (const bool a_by_columns : {false, true})
    for (const bool b_by_columns : {false, true}) {
      const Laid<S> a(m, k, a_by_columns, 0, 4), b(k, n, b_by_columns, 0, 5);
      on_every_isa<S>([&](const kernels::Operations<S>& ops) {
        check_cuts<S>(m, n, [&](Index i, Index j, Index rows, Index columns, S* c) {
          (ops.*matmul)(rows, columns, k, {a.view.data + i * a.view.row, a.view.row, a.view.column},
                        {b.view.data + j * b.view.column, b.view.row, b.view.column}, c, n, false);
        });
      });
    }
}

}  // namespace tern::test
