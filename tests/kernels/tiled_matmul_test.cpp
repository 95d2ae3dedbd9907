#include "support/kernels.hpp"
#include "tern/kernels/matmul/tiled.hpp"

using namespace tern::kernels;
using namespace tern::test;

namespace {

/// Random weights, and the same in tiles, at a wall.
template <class S>
struct Weights {
  Weights(Index rows, Index columns, unsigned seed)
      : dense(random_buffer<S>(rows * columns, seed)),
        packed(tiled_size(rows, columns)),
        view{packed.data(), rows, columns} {
    pack_tiled(rows, columns, dense.data(), columns, packed.data());
  }

  GuardedBuffer<S> dense, packed;
  TiledView<S> view;
};

}  // namespace

TEST_CASE("tiled: what was packed is read back, at the documented place, and zeros fill the edge") {
  for (const Index rows : {1, 32, 33})
    for (const Index columns : {0, 1, 17}) {
      CAPTURE(rows);
      CAPTURE(columns);
      const Weights<float> w(rows, columns, 3);
      Index wrong = 0;
      for (Index r = 0; r < (rows + 31) / 32 * 32; ++r)
        for (Index k = 0; k < columns; ++k) {
          const float at = w.packed[32 * ((r / 32) * columns + k) + r % 32];
          wrong += r < rows ? at != w.dense[r * columns + k] || w.view.weight(r, k) != at : at != 0;
        }
      CHECK(wrong == 0);
    }
}

TEST_CASE_TEMPLATE("tiled_matmul: the bits of matmul with rows one after another, in any cut", S, float, double) {
  for (const Index rows : {1, 31, 32, 33, 130})
    for (const Index columns : {0, 1, 17, 256, 577})
      for (const Index tokens : {0, 1, 2, 7, 8, 9, 15, 33}) {
        CAPTURE(rows);
        CAPTURE(columns);
        CAPTURE(tokens);
        const Weights<S> w(rows, columns, 5);
        const Index x_row = columns + 3, y_row = rows + 2;
        const auto x = random_buffer<S>(std::max<Index>(0, tokens * x_row - 3), 6);
        on_every_isa<S>([&](const Operations<S>& ops) {
          GuardedBuffer<S> expected(std::max<Index>(0, tokens * y_row - 2)), whole(expected.size()),
              cut(expected.size());
          for (GuardedBuffer<S>* y : {&expected, &whole, &cut})
            for (S& value : *y) value = S(7);
          ops.matmul(tokens, rows, columns, {x.data(), x_row, 1}, {w.dense.data(), 1, columns}, expected.data(), y_row,
                     false);
          tiled_matmul(ops, w.view, 0, rows, tokens, x.data(), x_row, whole.data(), y_row);
          CHECK(same_bits(whole, expected));
          for (Index r = 0; r < rows; r += 32)
            for (Index t = 0; t < tokens; t += 3)
              tiled_matmul(ops, w.view, r, std::min(rows, r + 32), std::min<Index>(3, tokens - t), x.data() + t * x_row,
                           x_row, cut.data() + t * y_row, y_row);
          CHECK(same_bits(cut, expected));
        });
      }
}

TEST_CASE_TEMPLATE("tiled_matmul_transposed: adds dy * W, in any cut of columns and tokens", S, float, double) {
  for (const Index rows : {1, 31, 33, 130})
    for (const Index columns : {1, 17, 64, 129})
      for (const Index tokens : {0, 1, 8, 20}) {
        CAPTURE(rows);
        CAPTURE(columns);
        CAPTURE(tokens);
        const Weights<S> w(rows, columns, 12);
        const auto dy = random_buffer<S>(tokens * rows, 13), before = random_buffer<S>(tokens * columns, 14);
        on_every_isa<S>([&](const Operations<S>& ops) {
          auto whole = copy(before), cut = copy(before);
          tiled_matmul_transposed(ops, w.view, 0, columns, tokens, dy.data(), rows, whole.data(), columns);
          Index wrong = 0;
          for (Index t = 0; t < tokens; ++t)
            for (Index k = 0; k < columns; ++k) {
              double sum = static_cast<double>(before[t * columns + k]), magnitude = std::abs(sum);
              for (Index r = 0; r < rows; ++r) {
                const double term =
                    static_cast<double>(dy[t * rows + r]) * static_cast<double>(w.dense[r * columns + k]);
                sum += term;
                magnitude += std::abs(term);
              }
              wrong += !within(whole[t * columns + k], sum, static_cast<double>(rows + 2), magnitude);
            }
          CHECK(wrong == 0);
          for (Index k = 0; k < columns; k += 16)
            for (Index t = 0; t < tokens; t += 3)
              tiled_matmul_transposed(ops, w.view, k, std::min(columns, k + 16), std::min<Index>(3, tokens - t),
                                      dy.data() + t * rows, rows, cut.data() + t * columns, columns);
          CHECK(same_bits(cut, whole));
        });
      }
}
