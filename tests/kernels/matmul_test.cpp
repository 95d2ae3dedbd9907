#include "support/matrices.hpp"

using namespace tern::kernels;
using namespace tern::test;

TEST_CASE_TEMPLATE("matmul: every ISA agrees with a sum in double", S, float, double) {
  for (const ProductShape s : product_shapes)
    for (const bool a_by_columns : {false, true})
      for (const bool b_by_columns : {false, true})
        for (const Index gap : {0, 3})
          for (const bool accumulate : {false, true}) {
            CAPTURE(s.m);
            CAPTURE(s.n);
            CAPTURE(s.k);
            CAPTURE(a_by_columns);
            CAPTURE(b_by_columns);
            CAPTURE(gap);
            CAPTURE(accumulate);
            const Laid<S> a(s.m, s.k, a_by_columns, gap, 1), b(s.k, s.n, b_by_columns, gap, 2);
            const Laid<S> before(s.m, s.n, false, gap, 3);
            on_every_isa<S>([&](const Operations<S>& ops) {
              GuardedBuffer<S> c = copy(before.buffer);
              ops.matmul(s.m, s.n, s.k, a.view, b.view, c.data(), s.n + gap, accumulate);
              Index wrong = 0;
              for (Index i = 0; i < s.m; ++i)
                for (Index j = 0; j < s.n + gap && i * (s.n + gap) + j < c.size(); ++j) {
                  const S was = before.buffer[i * (s.n + gap) + j], is = c[i * (s.n + gap) + j];
                  double sum = accumulate ? static_cast<double>(was) : 0, magnitude = std::abs(sum);
                  for (Index p = 0; p < s.k && j < s.n; ++p) {
                    sum += at(a.view, i, p) * at(b.view, p, j);
                    magnitude += std::abs(at(a.view, i, p) * at(b.view, p, j));
                  }
                  wrong += j < s.n ? !within(is, sum, static_cast<double>(s.k + 2), magnitude) : is != was;
                }
              CHECK(wrong == 0);
            });
          }
}

TEST_CASE_TEMPLATE("matmul: any cut of rows and columns gives the same bits", S, float, double) {
  check_matmul_cuts<S>(&Operations<S>::matmul);
}

TEST_CASE("matmul: a row of NaN stays in its row") {
  on_every_isa<float>([](const Operations<float>& ops) {
    const Index m = 9, n = 40, k = 20;
    GuardedBuffer<float> a = random_buffer<float>(m * k, 6), b = random_buffer<float>(k * n, 7), c(m * n);
    a[3 * k + 2] = std::numeric_limits<float>::quiet_NaN();
    ops.matmul(m, n, k, {a.data(), k, 1}, {b.data(), n, 1}, c.data(), n, false);
    for (Index i = 0; i < m; ++i)
      for (Index j = 0; j < n; ++j) CHECK(std::isnan(c[i * n + j]) == (i == 3));
  });
}
