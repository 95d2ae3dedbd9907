#include "support/kernels.hpp"

using namespace tern::kernels;
using namespace tern::test;

namespace {

/// Random weights, and the same packed, at a wall.
struct Weights {
  Weights(Index rows, Index columns, unsigned seed)
      : dense(random_buffer<float>(rows * columns, seed)),
        packed(bf16_packed_size(rows, columns)),
        view{packed.data(), rows, columns} {
    pack();
  }
  void pack() { pack_bf16(view.rows, view.columns, dense.data(), view.columns, packed.data()); }
  float operator()(Index r, Index k) const { return to_float(to_bf16(dense[r * view.columns + k])); }

  GuardedBuffer<float> dense;
  GuardedBuffer<Bf16> packed;
  Bf16View view;
};

/// What rounding activations to bf16 amounts to, in roundings of S: packed weights are not rounded again.
template <class S>
constexpr double rounded_activations = bf16_factors<S> / 2;

constexpr Index awkward_rows[] = {1, 16, 31, 33, 130}, awkward_columns[] = {0, 1, 15, 17, 33, 577},
                awkward_tokens[] = {0, 1, 8, 13, 130};

}  // namespace

TEST_CASE("bf16: what was packed is read back rounded, at the documented byte, and zeros fill the edge") {
  for (const Index rows : {1, 32, 33})
    for (const Index columns : {0, 1, 16, 17, 35}) {
      CAPTURE(rows);
      CAPTURE(columns);
      const Weights w(rows, columns, 3);
      const Index padded = (columns + 15) / 16 * 16;
      REQUIRE(w.packed.size() == (rows + 31) / 32 * 32 * padded);
      Index wrong = 0;
      for (Index r = 0; r < (rows + 31) / 32 * 32; ++r)
        for (Index k = 0; k < padded; ++k) {
          const Index byte = 128 * ((r / 32) * (padded / 2) + k / 2) + 4 * (r % 32) + 2 * (k % 2);
          const bool inside = r < rows && k < columns;
          const float expected = inside ? w(r, k) : 0;
          wrong += to_float(w.packed[byte / 2]) != expected || (inside && w.view.weight(r, k) != expected);
        }
      CHECK(wrong == 0);
    }
}

TEST_CASE_TEMPLATE("bf16_matmul: every ISA agrees with a sum in double", S, float, double) {
  for (const Index rows : awkward_rows)
    for (const Index columns : awkward_columns)
      for (const Index tokens : awkward_tokens) {
        CAPTURE(rows);
        CAPTURE(columns);
        CAPTURE(tokens);
        const Weights w(rows, columns, 5);
        const Index x_row = columns + 3, y_row = rows + 2;
        const auto x = random_buffer<S>(std::max<Index>(0, tokens * x_row - 3), 6);
        on_every_isa<S>([&](const Operations<S>& ops) {
          GuardedBuffer<S> y(std::max<Index>(0, tokens * y_row - 2));
          for (S& value : y) value = S(7);
          ops.bf16.matmul(w.view, 0, rows, tokens, x.data(), x_row, y.data(), y_row);
          Index wrong = 0;
          for (Index t = 0; t < tokens; ++t)
            for (Index r = 0; r < y_row && t * y_row + r < y.size(); ++r) {
              double sum = 0, magnitude = 0;
              for (Index k = 0; k < columns && r < rows; ++k) {
                const double term = static_cast<double>(x[t * x_row + k]) * static_cast<double>(w(r, k));
                sum += term;
                magnitude += std::abs(term);
              }
              const double roundings = static_cast<double>(columns + 2) + rounded_activations<S>;
              wrong += r < rows ? !within(y[t * y_row + r], sum, roundings, magnitude) : y[t * y_row + r] != S(7);
            }
          CHECK(wrong == 0);
        });
      }
}

TEST_CASE("bf16_matmul: any cut of rows and tokens gives the same bits") {
  const Index rows = 40, columns = 5000, tokens = 70;  // more of both than are met at once
  const Weights w(rows, columns, 9);
  const auto x = random_buffer<float>(tokens * columns, 10);
  on_every_isa<float>([&](const Operations<float>& ops) {
    GuardedBuffer<float> whole(tokens * rows), cut(tokens * rows);
    ops.bf16.matmul(w.view, 0, rows, tokens, x.data(), columns, whole.data(), rows);
    for (const Index at_once : {1, 8, 30})
      for (Index r = 0; r < rows; r += 32)
        for (Index t = 0; t < tokens; t += at_once)
          ops.bf16.matmul(w.view, r, std::min(rows, r + 32), std::min(at_once, tokens - t), x.data() + t * columns,
                          columns, cut.data() + t * rows, rows);
    CHECK(same_bits(whole, cut));
  });
}

TEST_CASE_TEMPLATE("bf16_matmul_transposed: adds dy * W, in any cut of columns and tokens", S, float, double) {
  for (const Index rows : {1, 31, 130, 1050})
    for (const Index columns : {1, 17, 33, 129})
      for (const Index tokens : {0, 1, 20, 130}) {
        CAPTURE(rows);
        CAPTURE(columns);
        CAPTURE(tokens);
        const Weights w(rows, columns, 12);
        const auto dy = random_buffer<S>(tokens * rows, 13), before = random_buffer<S>(tokens * columns, 14);
        on_every_isa<S>([&](const Operations<S>& ops) {
          auto whole = copy(before), cut = copy(before);
          ops.bf16.matmul_transposed(w.view, 0, columns, tokens, dy.data(), rows, whole.data(), columns);
          for (Index k = 0; k < columns; k += 48)
            for (Index t = 0; t < tokens; t += 9)
              ops.bf16.matmul_transposed(w.view, k, std::min(columns, k + 48), std::min<Index>(9, tokens - t),
                                         dy.data() + t * rows, rows, cut.data() + t * columns, columns);
          CHECK(same_bits(whole, cut));
          Index wrong = 0;
          for (Index t = 0; t < tokens; ++t)
            for (Index k = 0; k < columns; ++k) {
              double sum = static_cast<double>(before[t * columns + k]), magnitude = std::abs(sum);
              for (Index r = 0; r < rows; ++r) {
                const double term = static_cast<double>(dy[t * rows + r]) * static_cast<double>(w(r, k));
                sum += term;
                magnitude += std::abs(term);
              }
              const double roundings = static_cast<double>(rows + 2) + rounded_activations<S>;
              wrong += !within(whole[t * columns + k], sum, roundings, magnitude);
            }
          CHECK(wrong == 0);
        });
      }
}

TEST_CASE("bf16_matmul: exact where nothing rounds, in every lane, forward and backward") {
  // Small integers: any misplaced row, column or pair shows.
  const Index rows = 77, columns = 130, tokens = 13;
  Weights w(rows, columns, 1);
  auto x = random_buffer<float>(tokens * columns, 2), dy = random_buffer<float>(tokens * rows, 3);
  for (Index i = 0; i < w.dense.size(); ++i) w.dense[i] = static_cast<float>(i % 13 - 6);
  for (Index i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 17 - 8);
  for (Index i = 0; i < dy.size(); ++i) dy[i] = static_cast<float>(i % 19 - 9);
  w.pack();
  on_every_isa<float>([&](const Operations<float>& ops) {
    GuardedBuffer<float> y(tokens * rows), dx(tokens * columns);
    ops.bf16.matmul(w.view, 0, rows, tokens, x.data(), columns, y.data(), rows);
    ops.bf16.matmul_transposed(w.view, 0, columns, tokens, dy.data(), rows, dx.data(), columns);
    Index wrong = 0;
    for (Index t = 0; t < tokens; ++t) {
      for (Index r = 0; r < rows; ++r) {
        float sum = 0;
        for (Index k = 0; k < columns; ++k) sum += x[t * columns + k] * w.dense[r * columns + k];
        wrong += y[t * rows + r] != sum;
      }
      for (Index k = 0; k < columns; ++k) {
        float sum = 0;
        for (Index r = 0; r < rows; ++r) sum += dy[t * rows + r] * w.dense[r * columns + k];
        wrong += dx[t * columns + k] != sum;
      }
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("bf16_matmul: a row of NaN stays in its row") {
  const Index rows = 40, columns = 21, tokens = 9;
  const Weights w(rows, columns, 7);
  auto x = random_buffer<float>(tokens * columns, 6);
  x[3 * columns + 20] = std::numeric_limits<float>::quiet_NaN();
  on_every_isa<float>([&](const Operations<float>& ops) {
    GuardedBuffer<float> y(tokens * rows);
    ops.bf16.matmul(w.view, 0, rows, tokens, x.data(), columns, y.data(), rows);
    for (Index t = 0; t < tokens; ++t)
      for (Index r = 0; r < rows; ++r) CHECK(std::isnan(y[t * rows + r]) == (t == 3));
  });
}
