#include <vector>

#include "support/avx2_vnni.hpp"
#include "tern/kernels/ternary_matmul/reference.hpp"

using namespace tern::kernels;
using namespace tern::test;

namespace {

/// Packed random weights with their scales, both at a wall.
struct Weights {
  Weights(Index rows, Index columns, TernaryScale granularity, TernaryFormat format, unsigned seed, bool ones = false)
      : dense(ones ? std::vector<std::int8_t>(static_cast<std::size_t>(rows * columns), 1)
                   : random_ternary(rows * columns, seed)),
        codes(ternary_packed_bytes(rows, columns, format)),
        scales(random_buffer<float>(ternary_scales(rows, columns, granularity), seed)),
        view{codes.data(), scales.data(), rows, columns, granularity, format} {
    pack_ternary(rows, columns, dense.data(), codes.data(), format);
  }
  int at(Index r, Index k) const { return dense[static_cast<std::size_t>(r * view.columns + k)]; }
  double scale(Index r, Index k) const { return static_cast<double>(view.scale(r, view.group(k))); }

  std::vector<std::int8_t> dense;
  GuardedBuffer<std::uint8_t> codes;
  GuardedBuffer<float> scales;
  TernaryView view;
};

GuardedBuffer<std::int8_t> random_codes(Index n, unsigned seed) {
  GuardedBuffer<std::int8_t> q(n);
  std::minstd_rand random(seed);
  for (auto& x : q) x = static_cast<std::int8_t>(static_cast<int>(random() >> 5) % 255 - 127);
  return q;
}

constexpr TernaryScale granularities[] = {TernaryScale::tensor, TernaryScale::row, TernaryScale::group,
                                          TernaryScale::group64};
constexpr TernaryFormat formats[] = {TernaryFormat::two_bits, TernaryFormat::five_a_byte};

struct Shape {
  Index rows, columns, tokens;
};

/// Calls f(granularity, format) for each pair.
template <class F>
void on_every_kind(F&& f) {
  for (const TernaryFormat format : formats)
    for (const TernaryScale granularity : granularities) {
      CAPTURE(static_cast<int>(format));
      CAPTURE(static_cast<int>(granularity));
      f(granularity, format);
    }
}

}  // namespace

TEST_CASE_TEMPLATE("ternary_matmul: every ISA gives the exact bits", S, float, double) {
  for (const Index rows : {1, 16, 31, 65})
    for (const Index columns : {0, 1, 15, 17, 20, 21, 63, 65, 79, 81, 128, 129, 160, 300})
      for (const Index tokens : {0, 1, 7, 33, 70})
        on_every_kind([&](TernaryScale granularity, TernaryFormat format) {
          CAPTURE(rows);
          CAPTURE(columns);
          CAPTURE(tokens);
          const Weights w(rows, columns, granularity, format, 5);
          const Index q_row = columns + 3, y_row = rows + 2;
          const Index span = granularity == TernaryScale::group     ? 128
                             : granularity == TernaryScale::group64 ? 64
                                                                    : columns;
          const auto q = random_codes(std::max<Index>(0, tokens * q_row - 3), 6);
          const auto scale = random_buffer<S>(tokens, 7);
          on_every_isa_of_bytes<S>([&](const Operations<S>& ops) {
            GuardedBuffer<S> y(std::max<Index>(0, tokens * y_row - 2));
            ops.ternary_matmul(w.view, 0, rows, tokens, q.data(), q_row, scale.data(), y.data(), y_row);
            Index wrong = 0;
            for (Index t = 0; t < tokens; ++t)
              for (Index r = 0; r < rows; ++r) {
                double sum = 0;
                for (Index first = 0; first < columns; first += span) {
                  std::int64_t integer = 0;
                  for (Index k = first; k < std::min(columns, first + span); ++k)
                    integer += q[t * q_row + k] * w.at(r, k);
                  sum += w.scale(r, first) * static_cast<double>(integer);
                }
                wrong += y[t * y_row + r] != static_cast<S>(static_cast<double>(scale[t]) * sum);
              }
            CHECK(wrong == 0);
          });
        });
}

TEST_CASE("ternary_matmul: saturated inputs stay exact, of many columns and tokens") {
  for (const Index columns : {2560, 16384, 16389})
    for (const Index tokens : {1, 9, 65})
      for (const int code : {127, -127, -128})
        on_every_kind([&](TernaryScale granularity, TernaryFormat format) {
          CAPTURE(columns);
          CAPTURE(tokens);
          Weights w(17, columns, granularity, format, 8, true);
          for (float& s : w.scales) s = 1;
          GuardedBuffer<std::int8_t> q(tokens * columns);
          for (auto& x : q) x = static_cast<std::int8_t>(code);
          GuardedBuffer<float> scale(tokens);
          for (float& s : scale) s = 1;
          on_every_isa_of_bytes<float>([&](const Operations<float>& ops) {
            GuardedBuffer<float> y(17 * tokens);
            ops.ternary_matmul(w.view, 0, 17, tokens, q.data(), columns, scale.data(), y.data(), 17);
            Index wrong = 0;
            for (const float value : y) wrong += value != static_cast<float>(code * columns);
            CHECK(wrong == 0);
          });
        });
}

TEST_CASE("ternary_matmul: any cut of rows and tokens gives the same bits") {
  const Index rows = 100, columns = 300, tokens = 150;
  on_every_kind([&](TernaryScale granularity, TernaryFormat format) {
    const Weights w(rows, columns, granularity, format, 9);
    const auto q = random_codes(tokens * columns, 10);
    const auto scale = random_buffer<float>(tokens, 11);
    on_every_isa_of_bytes<float>([&](const Operations<float>& ops) {
      GuardedBuffer<float> whole(tokens * rows), cut(tokens * rows);
      ops.ternary_matmul(w.view, 0, rows, tokens, q.data(), columns, scale.data(), whole.data(), rows);
      ops.ternary_matmul(w.view, 16, 16, tokens, q.data(), columns, scale.data(), whole.data(), rows);  // nothing
      for (Index r = 0; r < rows; r += 48)
        for (Index t = 0; t < tokens; t += 10)
          ops.ternary_matmul(w.view, r, std::min(rows, r + 48), std::min<Index>(10, tokens - t), q.data() + t * columns,
                             columns, scale.data() + t, cut.data() + t * rows, rows);
      CHECK(same_bits(whole, cut));
    });
  });
}

TEST_CASE(
    "ternary_matmul: activations too long for one stretch, more rows than meet one at once, and both packings give one "
    "sum") {
  for (const auto& [rows, columns, tokens] :
       {Shape{20, 8192, 8}, {530, 9001, 15}, {20, 24960, 15}, {18, 70001, 3}, {402, 1120, 270}, {18, 1000, 130}}) {
    const auto q = random_codes(tokens * columns, 15);
    const auto scale = random_buffer<float>(tokens, 16);
    for (const TernaryScale granularity : granularities) {
      const Weights two(rows, columns, granularity, TernaryFormat::two_bits, 17),
          five(rows, columns, granularity, TernaryFormat::five_a_byte, 17);
      GuardedBuffer<float> expected(tokens * rows);
      reference::ternary_matmul(two.view, 0, rows, tokens, q.data(), columns, scale.data(), expected.data(), rows);
      on_every_isa_of_bytes<float>([&](const Operations<float>& ops) {
        for (const TernaryView& w : {two.view, five.view}) {
          GuardedBuffer<float> y(tokens * rows);
          ops.ternary_matmul(w, 0, rows, tokens, q.data(), columns, scale.data(), y.data(), rows);
          CHECK(same_bits(y, expected));
        }
      });
    }
  }
}

TEST_CASE_TEMPLATE("ternary_matmul_float: is x * W^T, in any cut of rows and tokens", S, float, double) {
  for (const Index rows : {1, 16, 31, 130})
    for (const Index columns : {0, 1, 17, 63, 81, 128, 129, 300})
      for (const Index tokens : {0, 1, 33})
        on_every_kind([&](TernaryScale granularity, TernaryFormat format) {
          CAPTURE(rows);
          CAPTURE(columns);
          CAPTURE(tokens);
          const Weights w(rows, columns, granularity, format, 22);
          const Index x_row = columns + 3, y_row = rows + 2;
          const auto x = random_buffer<S>(std::max<Index>(0, tokens * x_row - 3), 23);
          on_every_isa<S>([&](const Operations<S>& ops) {
            GuardedBuffer<S> whole(std::max<Index>(0, tokens * y_row - 2)), cut(whole.size());
            for (Index i = 0; i < whole.size(); ++i) whole[i] = cut[i] = -7;  // it overwrites rows, and nothing between
            ops.ternary_matmul_float(w.view, 0, rows, tokens, x.data(), x_row, whole.data(), y_row);
            for (Index r = 0; r < rows; r += 48)
              for (Index t = 0; t < tokens; t += 10)
                ops.ternary_matmul_float(w.view, r, std::min(rows, r + 48), std::min<Index>(10, tokens - t),
                                         x.data() + t * x_row, x_row, cut.data() + t * y_row, y_row);
            CHECK(same_bits(whole, cut));
            Index wrong = 0;
            for (Index t = 0; t < tokens; ++t) {
              for (Index r = 0; r < rows; ++r) {
                double sum = 0, magnitude = 0;
                for (Index k = 0; k < columns; ++k) {
                  const double term = static_cast<double>(x[t * x_row + k]) * w.scale(r, k) * w.at(r, k);
                  sum += term;
                  magnitude += std::abs(term);
                }
                // In roundings of S: of each product, and of the sum, which goes on from panel to panel.
                wrong += !within(whole[t * y_row + r], sum, static_cast<double>(columns + 3), magnitude);
              }
              for (Index i = rows; t + 1 < tokens && i < y_row; ++i) wrong += whole[t * y_row + i] != S(-7);
            }
            CHECK(wrong == 0);
          });
        });
}

TEST_CASE_TEMPLATE("ternary_matmul_transposed: adds dy * W, in any cut of columns", S, float, double) {
  for (const Index rows : {1, 16, 130, 300})
    for (const Index columns : {1, 17, 81, 129, 300})
      for (const Index tokens : {0, 1, 20})
        on_every_kind([&](TernaryScale granularity, TernaryFormat format) {
          CAPTURE(rows);
          CAPTURE(columns);
          CAPTURE(tokens);
          const Weights w(rows, columns, granularity, format, 12);
          const auto dy = random_buffer<S>(tokens * rows, 13), before = random_buffer<S>(tokens * columns, 14);
          on_every_isa<S>([&](const Operations<S>& ops) {
            auto whole = copy(before), cut = copy(before);
            ops.ternary_matmul_transposed(w.view, 0, columns, tokens, dy.data(), rows, whole.data(), columns);
            for (Index k = 0; k < columns; k += 48)
              ops.ternary_matmul_transposed(w.view, k, std::min(columns, k + 48), tokens, dy.data(), rows, cut.data(),
                                            columns);
            CHECK(same_bits(whole, cut));
            Index wrong = 0;
            for (Index t = 0; t < tokens; ++t)
              for (Index k = 0; k < columns; ++k) {
                double sum = static_cast<double>(before[t * columns + k]), magnitude = std::abs(sum);
                for (Index r = 0; r < rows; ++r) {
                  const double term = static_cast<double>(dy[t * rows + r]) * w.scale(r, k) * w.at(r, k);
                  sum += term;
                  magnitude += std::abs(term);
                }
                // In roundings of S: those of the sum; in float also dy and the scale, each to bf16.
                wrong +=
                    !within(whole[t * columns + k], sum, static_cast<double>(rows + 3) + bf16_factors<S>, magnitude);
              }
            CHECK(wrong == 0);
          });
        });
}

TEST_CASE_TEMPLATE("ternary_matmul_transposed_int8: every ISA gives the exact bits, in any cut", S, float, double) {
  for (const Index rows : {0, 1, 15, 16, 17, 130, 257, 300})
    for (const Index columns : {1, 17, 81, 129, 300})
      for (const Index tokens : {0, 1, 5, 6, 20, 97})
        on_every_kind([&](TernaryScale granularity, TernaryFormat format) {
          if (granularity != TernaryScale::tensor) return;  // scales take no part
          CAPTURE(rows);
          CAPTURE(columns);
          CAPTURE(tokens);
          const Weights w(rows, columns, granularity, format, 18);
          const Index q_row = rows + 3, dx_row = columns + 2;
          const auto q = random_codes(std::max<Index>(0, tokens * q_row - 3), 19);
          const auto scale = random_buffer<S>(tokens, 20);
          const auto before = random_buffer<S>(std::max<Index>(0, tokens * dx_row - 2), 21);
          on_every_isa_of_bytes<S>([&](const Operations<S>& ops) {
            auto whole = copy(before), cut = copy(before);
            ops.ternary_matmul_transposed_int8(w.view, 0, columns, tokens, q.data(), q_row, scale.data(), whole.data(),
                                               dx_row);
            ops.ternary_matmul_transposed_int8(w.view, 0, 0, tokens, q.data(), q_row, scale.data(), whole.data(),
                                               dx_row);
            for (Index k = 0; k < columns; k += 48)
              for (Index t = 0; t < tokens; t += 10)
                ops.ternary_matmul_transposed_int8(w.view, k, std::min(columns, k + 48),
                                                   std::min<Index>(10, tokens - t), q.data() + t * q_row, q_row,
                                                   scale.data() + t, cut.data() + t * dx_row, dx_row);
            CHECK(same_bits(whole, cut));
            Index wrong = 0;
            for (Index t = 0; t < tokens; ++t)
              for (Index k = 0; k < columns; ++k) {
                int sum = 0;
                for (Index r = 0; r < rows; ++r) sum += q[t * q_row + r] * w.at(r, k);
                const Index at = t * dx_row + k;
                wrong += whole[at] != std::fma(scale[t], static_cast<S>(sum), before[at]);
              }
            CHECK(wrong == 0);
          });
        });
}

TEST_CASE("ternary_matmul_transposed_int8: saturated inputs stay exact, of many rows") {
  for (const int code : {127, -127, -128})
    for (const TernaryFormat format : formats)
      for (const Index rows : {Index(16389), ternary_max_columns + 1, 2 * ternary_max_columns}) {
        const Index columns = 17, tokens = 2;
        const Weights w(rows, columns, TernaryScale::tensor, format, 22, true);
        GuardedBuffer<std::int8_t> q(tokens * rows);
        for (auto& x : q) x = static_cast<std::int8_t>(code);
        const float scale[] = {1, 1};
        on_every_isa_of_bytes<float>([&](const Operations<float>& ops) {
          GuardedBuffer<float> dx(tokens * columns);
          for (float& x : dx) x = 0;
          ops.ternary_matmul_transposed_int8(w.view, 0, columns, tokens, q.data(), rows, scale, dx.data(), columns);
          Index wrong = 0;
          for (const float x : dx) wrong += x != static_cast<float>(code * rows);
          CHECK(wrong == 0);
        });
      }
}

TEST_CASE("ternary_matmul_transposed_int8: more rows, columns and tokens than are met at once") {
  for (const auto& [rows, columns, tokens] : {Shape{2 * 4096 + 17, 133, 3}, {1120, 402, 270}}) {
    const auto q = random_codes(tokens * rows, 23);
    const auto scale = random_buffer<float>(tokens, 24);
    for (const TernaryFormat format : formats) {
      const Weights w(rows, columns, TernaryScale::tensor, format, 25);
      GuardedBuffer<float> expected(tokens * columns);
      for (float& x : expected) x = 1;
      reference::ternary_matmul_transposed_int8(w.view, 0, columns, tokens, q.data(), rows, scale.data(),
                                                expected.data(), columns);
      on_every_isa_of_bytes<float>([&](const Operations<float>& ops) {
        GuardedBuffer<float> dx(tokens * columns);
        for (float& x : dx) x = 1;
        ops.ternary_matmul_transposed_int8(w.view, 0, columns, tokens, q.data(), rows, scale.data(), dx.data(),
                                           columns);
        CHECK(same_bits(dx, expected));
      });
    }
  }
}
