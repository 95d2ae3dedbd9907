#include "support/matrices.hpp"

using namespace tern::kernels;
using namespace tern::test;

namespace {

/// A matrix of bf16 in a guarded buffer, as Laid has it.
struct LaidBf16 {
  LaidBf16(Index m, Index n, bool by_columns, Index gap, unsigned seed)
      : source(m, n, by_columns, gap, seed),
        buffer(source.buffer.size()),
        view{buffer.data(), source.view.row, source.view.column} {
    for (Index i = 0; i < buffer.size(); ++i) buffer[i] = to_bf16(source.buffer[i]);
  }
  double operator()(Index i, Index j) const {
    return static_cast<double>(to_float(view.data[i * view.row + j * view.column]));
  }

  Laid<float> source;
  GuardedBuffer<Bf16> buffer;
  Strided<const Bf16> view;
};

}  // namespace

TEST_CASE("bf16: rounds to nearest, ties to even") {
  const std::pair<float, std::uint16_t> cases[] = {{0.f, 0},
                                                   {-0.f, 0x8000},
                                                   {1.f, 0x3f80},
                                                   {1.00390625f, 0x3f80},
                                                   {1.01171875f, 0x3f82},
                                                   {1.004f, 0x3f81},
                                                   {3.3895314e38f, 0x7f80 - 1},
                                                   {3.4e38f, 0x7f80}};
  for (const auto& [input, bits] : cases) {
    const float x = input;  // Clang 14 captures no structured binding
    CAPTURE(x);
    CHECK(to_bf16(x).bits == bits);
    if (bits != 0x7f80) CHECK(std::abs(to_float(to_bf16(x)) - x) <= static_cast<float>(bf16_rounding) * std::abs(x));
  }
  CHECK(std::isnan(to_float(to_bf16(std::numeric_limits<float>::quiet_NaN()))));
  CHECK(std::isinf(to_float(to_bf16(std::numeric_limits<float>::infinity()))));
}

TEST_CASE_TEMPLATE("matmul_bf16, matmul_mixed: every ISA agrees with a sum in double", S, float, double) {
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
          const Laid<S> a(s.m, s.k, layout % 2 == 1, gap, 1), before(s.m, s.n, false, gap, 3);
          const LaidBf16 b(s.k, s.n, layout / 2 == 1, gap, 2);
          Laid<S> wide(s.k, s.n, layout / 2 == 1, gap, 2);
          for (Index i = 0; i < b.buffer.size(); ++i) wide.buffer[i] = static_cast<S>(to_float(b.buffer[i]));
          on_every_isa<S>([&](const Operations<S>& ops) {
            GuardedBuffer<S> c = copy(before.buffer), mixed = copy(before.buffer);
            ops.matmul_bf16(s.m, s.n, s.k, a.view, b.view, c.data(), s.n + gap, accumulate);
            ops.matmul_mixed(s.m, s.n, s.k, a.view, wide.view, mixed.data(), s.n + gap, accumulate);
            if (ops.matmul_mixed != ops.matmul) CHECK(same_bits(c, mixed));
            Index wrong = 0;
            for (Index i = 0; i < s.m; ++i)
              for (Index j = 0; j < s.n + gap && i * (s.n + gap) + j < c.size(); ++j) {
                const S was = before.buffer[i * (s.n + gap) + j], is = c[i * (s.n + gap) + j];
                double sum = accumulate ? static_cast<double>(was) : 0, magnitude = std::abs(sum), rounded = 0;
                for (Index p = 0; p < s.k && j < s.n; ++p) {
                  const double term = at(a.view, i, p) * b(p, j);
                  sum += term;
                  magnitude += std::abs(term);
                  rounded += sizeof(S) == 4 ? bf16_rounding * std::abs(term) : 0;
                }
                // In roundings of S: those of the sum, and of A to bf16.
                const double eps = static_cast<double>(std::numeric_limits<S>::epsilon());
                const double roundings = static_cast<double>(s.k + 2) + (magnitude > 0 ? rounded / eps / magnitude : 0);
                wrong += j < s.n ? !within(is, sum, roundings, magnitude) : is != was;
                wrong += j < s.n ? !within(mixed[i * (s.n + gap) + j], sum, roundings, magnitude) : 0;
              }
            CHECK(wrong == 0);
          });
        }
}

TEST_CASE("matmul_bf16: any cut of rows and columns gives the same bits") {
  const Index m = 31, n = 150, k = 1100;
  for (const bool b_by_columns : {false, true}) {
    const Laid<float> a(m, k, false, 0, 4);
    const LaidBf16 b(k, n, b_by_columns, 0, 5);
    on_every_isa<float>([&](const Operations<float>& ops) {
      check_cuts<float>(m, n, [&](Index i, Index j, Index rows, Index columns, float* c) {
        ops.matmul_bf16(rows, columns, k, {a.view.data + i * k, k, 1},
                        {b.view.data + j * b.view.column, b.view.row, b.view.column}, c, n, false);
      });
    });
  }
}

TEST_CASE("matmul_bf16: exact where nothing rounds, in every lane") {
  // Small integers: any misplaced row, column or pair shows.
  const Index m = 13, n = 130, k = 77;
  GuardedBuffer<float> a(m * k);
  GuardedBuffer<Bf16> b(k * n);
  for (Index i = 0; i < a.size(); ++i) a[i] = static_cast<float>(i % 17 - 8);
  for (Index i = 0; i < b.size(); ++i) b[i] = to_bf16(static_cast<float>(i % 13 - 6));
  for (const bool by_columns : {false, true})
    on_every_isa<float>([&](const Operations<float>& ops) {
      const Strided<const Bf16> right =
          by_columns ? Strided<const Bf16>{b.data(), 1, k} : Strided<const Bf16>{b.data(), n, 1};
      GuardedBuffer<float> c(m * n);
      ops.matmul_bf16(m, n, k, {a.data(), k, 1}, right, c.data(), n, false);
      Index wrong = 0;
      for (Index i = 0; i < m; ++i)
        for (Index j = 0; j < n; ++j) {
          float sum = 0;
          for (Index p = 0; p < k; ++p) sum += a[i * k + p] * to_float(right.data[p * right.row + j * right.column]);
          wrong += c[i * n + j] != sum;
        }
      CHECK(wrong == 0);
    });
}

TEST_CASE("matmul_bf16: a row of NaN stays in its row") {
  on_every_isa<float>([](const Operations<float>& ops) {
    const Index m = 9, n = 40, k = 21;
    GuardedBuffer<float> a = random_buffer<float>(m * k, 6), c(m * n);
    const LaidBf16 b(k, n, false, 0, 7);
    a[3 * k + 20] = std::numeric_limits<float>::quiet_NaN();
    ops.matmul_bf16(m, n, k, {a.data(), k, 1}, b.view, c.data(), n, false);
    for (Index i = 0; i < m; ++i)
      for (Index j = 0; j < n; ++j) CHECK(std::isnan(c[i * n + j]) == (i == 3));
  });
}
