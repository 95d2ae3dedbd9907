#include "support/matrices.hpp"

using namespace tern::kernels;
using namespace tern::test;

TEST_CASE_TEMPLATE("matmul_mixed: every ISA agrees with a sum in double", S, float, double) {
  for (const ProductShape s : product_shapes)
    for (const int layout : {0, 1, 2, 3})
      for (const Index gap : {0, 3})
        for (const bool accumulate : {false, true}) {
          CAPTURE(s.m);
          CAPTURE(s.n);
          CAPTURE(s.k);
          CAPTURE(layout);
          CAPTURE(gap);
          CAPTURE(accumulate);
          const Laid<S> a(s.m, s.k, layout % 2 == 1, gap, 1), b(s.k, s.n, layout / 2 == 1, gap, 2);
          const Laid<S> before(s.m, s.n, false, gap, 3);
          on_every_isa<S>([&](const Operations<S>& ops) {
            GuardedBuffer<S> c = copy(before.buffer);
            ops.matmul_mixed(s.m, s.n, s.k, a.view, b.view, c.data(), s.n + gap, accumulate);
            Index wrong = 0;
            for (Index i = 0; i < s.m; ++i)
              for (Index j = 0; j < s.n + gap && i * (s.n + gap) + j < c.size(); ++j) {
                const S was = before.buffer[i * (s.n + gap) + j], is = c[i * (s.n + gap) + j];
                double sum = accumulate ? static_cast<double>(was) : 0, magnitude = std::abs(sum);
                for (Index p = 0; p < s.k && j < s.n; ++p) {
                  sum += at(a.view, i, p) * at(b.view, p, j);
                  magnitude += std::abs(at(a.view, i, p) * at(b.view, p, j));
                }
                // In roundings of S: those of the sum, and in float of both factors to bf16.
                const double roundings = static_cast<double>(s.k + 2) + bf16_factors<S>;
                wrong += j < s.n ? !within(is, sum, roundings, magnitude) : is != was;
              }
            CHECK(wrong == 0);
          });
        }
}

TEST_CASE("matmul_mixed: any cut of rows and columns gives the same bits") {
  check_matmul_cuts<float>(&Operations<float>::matmul_mixed);
}

TEST_CASE("matmul_mixed: many rows, columns and tokens at once give the bits of few") {
  const Index m = 131, n = 1165, k = 1100;  // a few columns more than stay packed at once
  const GuardedBuffer<float> before = random_buffer<float>(m * n, 8);
  for (const int layout : {0, 1, 2, 3}) {
    CAPTURE(layout);
    const bool accumulate = layout % 3 == 0;
    const Laid<float> a(m, k, layout % 2 == 1, 3, 6), b(k, n, layout / 2 == 1, 5, 7);
    on_every_isa<float>([&](const Operations<float>& ops) {
      GuardedBuffer<float> whole = copy(before), pieces = copy(before);
      ops.matmul_mixed(m, n, k, a.view, b.view, whole.data(), n, accumulate);
      for (Index i = 0; i < m; i += 70)
        for (Index j = 0; j < n; j += 600)
          ops.matmul_mixed(std::min<Index>(70, m - i), std::min<Index>(600, n - j), k,
                           {a.view.data + i * a.view.row, a.view.row, a.view.column},
                           {b.view.data + j * b.view.column, b.view.row, b.view.column}, pieces.data() + i * n + j, n,
                           accumulate);
      CHECK(same_bits(whole, pieces));
    });
  }
}

TEST_CASE("matmul_mixed: exact where nothing rounds, in every lane") {
  // Small integers: any misplaced row, column or pair shows.
  const Index m = 13, n = 130, k = 77;
  for (const int layout : {0, 1, 2, 3}) {
    Laid<float> a(m, k, layout % 2 == 1, 0, 1), b(k, n, layout / 2 == 1, 0, 2);
    for (Index i = 0; i < a.buffer.size(); ++i) a.buffer[i] = static_cast<float>(i % 17 - 8);
    for (Index i = 0; i < b.buffer.size(); ++i) b.buffer[i] = static_cast<float>(i % 13 - 6);
    on_every_isa<float>([&](const Operations<float>& ops) {
      GuardedBuffer<float> c(m * n);
      ops.matmul_mixed(m, n, k, a.view, b.view, c.data(), n, false);
      Index wrong = 0;
      for (Index i = 0; i < m; ++i)
        for (Index j = 0; j < n; ++j) {
          double sum = 0;
          for (Index p = 0; p < k; ++p) sum += at(a.view, i, p) * at(b.view, p, j);
          wrong += static_cast<double>(c[i * n + j]) != sum;
        }
      CHECK(wrong == 0);
    });
  }
}

TEST_CASE("matmul_mixed: a row of NaN stays in its row") {
  on_every_isa<float>([](const Operations<float>& ops) {
    const Index m = 9, n = 40, k = 21;
    GuardedBuffer<float> a = random_buffer<float>(m * k, 6), b = random_buffer<float>(k * n, 7), c(m * n);
    a[3 * k + 20] = std::numeric_limits<float>::quiet_NaN();
    ops.matmul_mixed(m, n, k, {a.data(), k, 1}, {b.data(), n, 1}, c.data(), n, false);
    for (Index i = 0; i < m; ++i)
      for (Index j = 0; j < n; ++j) CHECK(std::isnan(c[i * n + j]) == (i == 3));
  });
}
