#include <tuple>
#include <vector>

#include "support/avx2_vnni.hpp"
#include "tern/kernels/quantize/grouped.hpp"

using namespace tern::kernels;
using namespace tern::test;

namespace {

/// Packed random weights, at a wall, with what they were packed from.
template <class F>
struct Weights {
  static constexpr int least_code = -F::zero_code, most_code = least_code + (1 << F::bits) - 1;

  /// With `code` given, every code is that one, every scale 1 and every minimum 0.
  Weights(Index rows, Index columns, unsigned seed, std::optional<int> code = {})
      : codes(static_cast<std::size_t>(rows * columns)),
        scales(static_cast<std::size_t>(rows * groups_of(columns))),
        minimums(scales.size()),
        blocks(grouped_bytes<F>(rows, columns)),
        view{blocks.data(), rows, columns} {
    std::minstd_rand random(seed);
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (int& c : codes) c = code ? *code : least_code + static_cast<int>(random() >> 5) % (most_code - least_code + 1);
    for (Half& s : scales) s = to_half(code ? 1 : uniform(random));
    for (Half& m : minimums) m = to_half(code ? 0 : uniform(random));
    std::vector<typename F::Code> handed;
    for (const int c : codes) handed.push_back(static_cast<typename F::Code>(c + F::zero_code - code_offset<F>));
    pack_grouped<F>(rows, columns, handed.data(), scales.data(), minimums.data(), blocks.data());
  }
  int code(Index r, Index k) const { return codes[static_cast<std::size_t>(r * view.columns + k)]; }
  float scale(Index r, Index g) const { return at(scales, r, g); }
  float minimum(Index r, Index g) const { return F::has_minimum ? at(minimums, r, g) : 0; }
  double weight(Index r, Index k) const {
    const Index g = k / group_columns;
    return static_cast<double>(scale(r, g)) * code(r, k) + static_cast<double>(minimum(r, g));
  }

  std::vector<int> codes;
  std::vector<Half> scales, minimums;
  GuardedBuffer<std::uint8_t> blocks;
  GroupedView<F> view;

 private:
  float at(const std::vector<Half>& halves, Index r, Index g) const {
    return to_float(halves[static_cast<std::size_t>(r * groups_of(view.columns) + g)]);
  }
};

GuardedBuffer<std::int8_t> random_codes(Index n, unsigned seed) {
  GuardedBuffer<std::int8_t> q(n);
  std::minstd_rand random(seed);
  for (auto& x : q) x = static_cast<std::int8_t>(static_cast<int>(random() >> 5) % 255 - 127);
  return q;
}

/// The chain that table.hpp promises, from what was packed.
template <class F, class S>
S chain(const Weights<F>& w, Index r, const std::int8_t* q, const S* scale) {
  S total = 0;
  for (Index top = 0; top < w.view.columns; top += activation_columns) {
    S part = 0;
    for (Index first = top; first < std::min(w.view.columns, top + activation_columns); first += group_columns) {
      std::int64_t sum = 0, plain = 0;
      for (Index k = first; k < std::min(w.view.columns, first + group_columns); ++k) {
        sum += q[k] * w.code(r, k);
        plain += q[k];
      }
      const Index g = first / group_columns;
      part = std::fma(static_cast<S>(sum), static_cast<S>(w.scale(r, g)), part);
      if (F::has_minimum) part = std::fma(static_cast<S>(plain), static_cast<S>(w.minimum(r, g)), part);
    }
    total = std::fma(part, scale[top / activation_columns], total);
  }
  return total;
}

template <class F, class S>
struct Case {
  using Format = F;
  using Scalar = S;
};

/// Each row's largest weight, at a wall.
template <class S, class F>
GuardedBuffer<S> sizes_of(const Weights<F>& w) {
  GuardedBuffer<S> sizes(w.view.rows);
  for (Index r = 0; r < w.view.rows; ++r) {
    sizes[r] = 0;
    for (Index k = 0; k < w.view.columns; ++k)
      sizes[r] = std::max(sizes[r], static_cast<S>(std::abs(w.view.template weight<float>(r, k))));
  }
  return sizes;
}

/// What table.hpp and turned_weight.hpp promise of weight (r, k) under its row's size, from what was packed.
template <class F>
int rounded_again(const Weights<F>& w, float size, Index r, Index k) {
  const float inverse = size > 0 ? 63 / size : 0;
  const Index g = k / group_columns;
  const auto fixed = [&](float x) { return static_cast<std::int64_t>(std::nearbyint(x * inverse * 256)); };
  const std::int64_t whole = w.code(r, k) * fixed(w.scale(r, g)) + fixed(w.minimum(r, g)) + 128;
  return static_cast<int>((whole - (whole & 255)) / 256);
}

/// Every format, and each with both scalars.
template <class List>
struct Cases;
template <class... F>
struct Cases<Formats<F...>> {
  using Tuple = std::tuple<Case<F, float>..., Case<F, double>...>;
};
using AllFormats = GroupedFormats::Tuple;
using AllCases = Cases<GroupedFormats>::Tuple;

}  // namespace

TEST_CASE_TEMPLATE_DEFINE("grouped: what was packed is read back", F, grouped_1) {
  for (const Index rows : {1, 16, 17})
    for (const Index columns : {0, 1, 31, 32, 33, 64, 65, 100}) {
      const Weights<F> w(rows, columns, 3);
      Index wrong = 0;
      for (Index r = 0; r < rows; ++r)
        for (Index k = 0; k < columns; ++k) {
          const Index g = k / group_columns;
          wrong += w.view.code(r, k) != w.code(r, k) || w.view.scale(r, g) != w.scale(r, g) ||
                   w.view.minimum(r, g) != w.minimum(r, g);
        }
      CHECK(wrong == 0);
    }
}

TEST_CASE_TEMPLATE_DEFINE("grouped_matmul: every ISA gives the exact bits", C, grouped_2) {
  using F = typename C::Format;
  using S = typename C::Scalar;
  for (const Index rows : {1, 16, 31})
    for (const Index columns : {0, 1, 31, 33, 64, 127, 129, 300})
      for (const Index tokens : {0, 1, 7, 33, 70}) {
        CAPTURE(rows);
        CAPTURE(columns);
        CAPTURE(tokens);
        const Weights<F> w(rows, columns, 5);
        const Index q_row = columns + 3, y_row = rows + 2, scale_row = activation_groups(columns) + 1;
        const auto q = random_codes(std::max<Index>(0, tokens * q_row - 3), 6);
        const auto scale = random_buffer<S>(std::max<Index>(0, tokens * scale_row - 1), 7);
        on_every_isa_of_bytes<S>([&](const Operations<S>& ops) {
          GuardedBuffer<S> y(std::max<Index>(0, tokens * y_row - 2));
          ops.template grouped<F>().matmul(w.view, 0, rows, tokens, q.data(), q_row, scale.data(), scale_row, y.data(),
                                           y_row);
          Index wrong = 0;
          for (Index t = 0; t < tokens; ++t)
            for (Index r = 0; r < rows; ++r)
              wrong += y[t * y_row + r] != chain<F, S>(w, r, q.data() + t * q_row, scale.data() + t * scale_row);
          CHECK(wrong == 0);
        });
      }
}

TEST_CASE_TEMPLATE_DEFINE("grouped_matmul: saturated inputs stay exact, of many columns and tokens", F, grouped_3) {
  for (const Index columns : {2560, 16390})
    for (const Index tokens : {1, 3, 9, 65})
      for (const int activation : {127, -127})
        for (const int code : {Weights<F>::least_code, Weights<F>::most_code}) {
          CAPTURE(columns);
          CAPTURE(tokens);
          const Weights<F> w(17, columns, 8, code);
          GuardedBuffer<std::int8_t> q(tokens * columns);
          for (auto& x : q) x = static_cast<std::int8_t>(activation);
          GuardedBuffer<float> scale(tokens * activation_groups(columns));
          for (float& s : scale) s = 0x1p-11f;  // sums of a token's groups are then exact in float
          on_every_isa_of_bytes<float>([&](const Operations<float>& ops) {
            GuardedBuffer<float> y(17 * tokens);
            ops.template grouped<F>().matmul(w.view, 0, 17, tokens, q.data(), columns, scale.data(),
                                             activation_groups(columns), y.data(), 17);
            const float expected = chain<F, float>(w, 0, q.data(), scale.data());
            Index wrong = 0;
            for (const float value : y) wrong += value != expected;
            CHECK(wrong == 0);
          });
        }
}

TEST_CASE_TEMPLATE_DEFINE("grouped_matmul: more rows, columns and tokens than are met at once", F, grouped_12) {
  const Index rows = 402, columns = 1100, tokens = 270, groups = activation_groups(columns);
  const Weights<F> w(rows, columns, 29);
  const auto q = random_codes(tokens * columns, 30);
  const auto scale = random_buffer<float>(tokens * groups, 31);
  GuardedBuffer<float> expected(tokens * rows);
  table(Isa::reference).f32.grouped<F>().matmul(w.view, 0, rows, tokens, q.data(), columns, scale.data(), groups,
                                                expected.data(), rows);
  on_every_isa_of_bytes<float>([&](const Operations<float>& ops) {
    GuardedBuffer<float> y(tokens * rows);
    ops.grouped<F>().matmul(w.view, 0, rows, tokens, q.data(), columns, scale.data(), groups, y.data(), rows);
    CHECK(same_bits(y, expected));
  });
}

TEST_CASE_TEMPLATE_DEFINE("grouped_matmul: any few tokens, of weights near and far", F, grouped_13) {
  for (const Index rows : {40, 2005}) {
    const Index columns = 1300, groups = activation_groups(columns), q_row = columns + 5, y_row = rows + 2;
    const Weights<F> w(rows, columns, 33);
    for (Index tokens = 2; tokens <= 13; ++tokens) {
      CAPTURE(rows);
      CAPTURE(tokens);
      const auto q = random_codes(tokens * q_row - 5, 34);
      const auto scale = random_buffer<float>(tokens * groups, 35),
                 before = random_buffer<float>(tokens * y_row - 2, 36);
      auto expected = copy(before);
      table(Isa::reference).f32.grouped<F>().matmul(w.view, 0, rows, tokens, q.data(), q_row, scale.data(), groups,
                                                    expected.data(), y_row);
      on_every_isa_of_bytes<float>([&](const Operations<float>& ops) {
        auto y = copy(before);
        ops.grouped<F>().matmul(w.view, 0, rows, tokens, q.data(), q_row, scale.data(), groups, y.data(), y_row);
        CHECK(same_bits(y, expected));
      });
    }
  }
}

TEST_CASE_TEMPLATE_DEFINE("grouped_matmul: any cut of rows and tokens gives the same bits", F, grouped_4) {
  const Index rows = 100, columns = 300, tokens = 150, groups = activation_groups(columns);
  const Weights<F> w(rows, columns, 9);
  const auto q = random_codes(tokens * columns, 10);
  const auto scale = random_buffer<float>(tokens * groups, 11);
  on_every_isa_of_bytes<float>([&](const Operations<float>& ops) {
    GuardedBuffer<float> whole(tokens * rows), cut(tokens * rows);
    ops.template grouped<F>().matmul(w.view, 0, rows, tokens, q.data(), columns, scale.data(), groups, whole.data(),
                                     rows);
    ops.template grouped<F>().matmul(w.view, 16, 16, tokens, q.data(), columns, scale.data(), groups, whole.data(),
                                     rows);  // nothing
    for (Index r = 0; r < rows; r += 48)
      for (Index t = 0; t < tokens; t += 10)
        ops.template grouped<F>().matmul(w.view, r, std::min(rows, r + 48), std::min<Index>(10, tokens - t),
                                         q.data() + t * columns, columns, scale.data() + t * groups, groups,
                                         cut.data() + t * rows, rows);
    CHECK(same_bits(whole, cut));
  });
}

TEST_CASE_TEMPLATE_DEFINE("grouped_matmul_float: is x * W^T, in any cut of rows and tokens", C, grouped_5) {
  using F = typename C::Format;
  using S = typename C::Scalar;
  for (const Index rows : {1, 16, 31, 130})
    for (const Index columns : {0, 1, 31, 33, 64, 127, 129, 300})
      for (const Index tokens : {0, 1, 7, 33}) {
        CAPTURE(rows);
        CAPTURE(columns);
        CAPTURE(tokens);
        const Weights<F> w(rows, columns, 15);
        const Index x_row = columns + 3, y_row = rows + 2;
        const auto x = random_buffer<S>(std::max<Index>(0, tokens * x_row - 3), 16);
        on_every_isa<S>([&](const Operations<S>& ops) {
          const auto& products = ops.template grouped<F>();
          GuardedBuffer<S> whole(std::max<Index>(0, tokens * y_row - 2)), cut(whole.size());
          for (Index i = 0; i < whole.size(); ++i) whole[i] = cut[i] = -7;  // it overwrites rows, and nothing between
          products.matmul_float(w.view, 0, rows, tokens, x.data(), x_row, whole.data(), y_row);
          for (Index r = 0; r < rows; r += 48)
            for (Index t = 0; t < tokens; t += 8)  // the last one alone
              products.matmul_float(w.view, r, std::min(rows, r + 48), std::min<Index>(8, tokens - t),
                                    x.data() + t * x_row, x_row, cut.data() + t * y_row, y_row);
          CHECK(same_bits(whole, cut));
          Index wrong = 0;
          for (Index t = 0; t < tokens; ++t) {
            for (Index r = 0; r < rows; ++r) {
              double sum = 0, magnitude = 0;
              for (Index k = 0; k < columns; ++k) {
                const double term = static_cast<double>(x[t * x_row + k]) * w.weight(r, k);
                sum += term;
                magnitude += std::abs(term);
              }
              // In roundings of S: of each weight, each product, and the sum, which goes on from panel to panel.
              wrong += !within(whole[t * y_row + r], sum, static_cast<double>(columns + 4), magnitude);
            }
            for (Index i = rows; t + 1 < tokens && i < y_row; ++i) wrong += whole[t * y_row + i] != S(-7);
          }
          CHECK(wrong == 0);
        });
      }
}

TEST_CASE_TEMPLATE_DEFINE("grouped_matmul_float: multiplies by the very weights that are dequantised", F, grouped_6) {
  const Index rows = 37, columns = 150;
  const Weights<F> w(rows, columns, 17);
  GuardedBuffer<float> one(columns * columns);
  for (Index k = 0; k < columns; ++k) one[k * columns + k] = 1;
  on_every_isa<float>([&](const Operations<float>& ops) {
    GuardedBuffer<float> y(columns * rows);
    ops.template grouped<F>().matmul_float(w.view, 0, rows, columns, one.data(), columns, y.data(), rows);
    Index wrong = 0;
    for (Index k = 0; k < columns; ++k)
      for (Index r = 0; r < rows; ++r) wrong += y[k * rows + r] != w.view.template weight<float>(r, k);
    CHECK(wrong == 0);
  });
}

TEST_CASE_TEMPLATE_DEFINE("grouped_matmul_transposed: adds dy * W, in any cut of columns", C, grouped_7) {
  using F = typename C::Format;
  using S = typename C::Scalar;
  for (const Index rows : {1, 16, 130, 330})
    for (const Index columns : {1, 33, 129, 300})
      for (const Index tokens : {0, 1, 20}) {
        CAPTURE(rows);
        CAPTURE(columns);
        CAPTURE(tokens);
        const Weights<F> w(rows, columns, 12);
        const auto dy = random_buffer<S>(tokens * rows, 13), before = random_buffer<S>(tokens * columns, 14);
        on_every_isa<S>([&](const Operations<S>& ops) {
          auto whole = copy(before), cut = copy(before);
          ops.template grouped<F>().matmul_transposed(w.view, 0, columns, tokens, dy.data(), rows, whole.data(),
                                                      columns);
          for (Index k = 0; k < columns; k += 96)
            ops.template grouped<F>().matmul_transposed(w.view, k, std::min(columns, k + 96), tokens, dy.data(), rows,
                                                        cut.data(), columns);
          CHECK(same_bits(whole, cut));
          Index wrong = 0;
          for (Index t = 0; t < tokens; ++t)
            for (Index k = 0; k < columns; ++k) {
              double sum = static_cast<double>(before[t * columns + k]), magnitude = std::abs(sum);
              for (Index r = 0; r < rows; ++r) {
                const double d = static_cast<double>(dy[t * rows + r]);
                sum += d * w.weight(r, k);
                magnitude += std::abs(d) * (std::abs(w.weight(r, k)) +
                                            std::abs(static_cast<double>(w.minimum(r, k / group_columns))));
              }
              // In roundings of S: those of the sum and of the weight; in float also dy and the weight, each to bf16.
              wrong += !within(whole[t * columns + k], sum, static_cast<double>(rows + 4) + bf16_factors<S>, magnitude);
            }
          CHECK(wrong == 0);
        });
      }
}

TEST_CASE_TEMPLATE_DEFINE("grouped_matmul_transposed_int8: every ISA gives the exact bits, in any cut", C, grouped_8) {
  using F = typename C::Format;
  using S = typename C::Scalar;
  for (const Index rows : {1, 15, 17, 31, 33, 127, 130, 300, 511, 513, 1040})
    for (const Index columns : {1, 17, 33, 65, 129})
      for (const Index tokens : {0, 1, 6, 13, 33}) {
        if (rows > 130 && columns > 65) continue;
        CAPTURE(rows);
        CAPTURE(columns);
        CAPTURE(tokens);
        const Weights<F> w(rows, columns, 18);
        const auto sizes = sizes_of<S>(w);
        const Index q_row = rows + 3, scale_row = turned_groups(rows) + 1, dx_row = columns + 2;
        const auto q = random_codes(std::max<Index>(0, tokens * q_row - 3), 19);
        const auto scale = random_buffer<S>(std::max<Index>(0, tokens * scale_row - 1), 20);
        const auto before = random_buffer<S>(std::max<Index>(0, tokens * dx_row - 2), 21);
        auto expected = copy(before);
        for (Index k = 0; k < columns; ++k)
          for (Index first = 0; first < rows; first += 128) {
            std::vector<int> turned;
            for (Index r = first; r < std::min(rows, first + 128); ++r)
              turned.push_back(rounded_again(w, static_cast<float>(sizes[r]), r, k));
            for (Index t = 0; t < tokens; ++t) {
              int sum = 0;
              for (std::size_t i = 0; i < turned.size(); ++i)
                sum += q[t * q_row + first + static_cast<Index>(i)] * turned[i];
              S& to = expected[t * dx_row + k];
              to = std::fma(scale[t * scale_row + first / 128], static_cast<S>(sum), to);
            }
          }
        on_every_isa_of_bytes<S>([&](const Operations<S>& ops) {
          const auto& products = ops.template grouped<F>();
          auto whole = copy(before), cut = copy(before);
          products.matmul_transposed_int8(w.view, sizes.data(), 0, columns, tokens, q.data(), q_row, scale.data(),
                                          scale_row, whole.data(), dx_row);
          for (Index k = 0; k < columns; k += 96)
            for (Index t = 0; t < tokens; t += 10)
              products.matmul_transposed_int8(w.view, sizes.data(), k, std::min(columns, k + 96),
                                              std::min<Index>(10, tokens - t), q.data() + t * q_row, q_row,
                                              scale.data() + t * scale_row, scale_row, cut.data() + t * dx_row, dx_row);
          CHECK(same_bits(whole, expected));
          CHECK(same_bits(cut, expected));
        });
      }
}

TEST_CASE_TEMPLATE_DEFINE("grouped_matmul_transposed_int8: more rows, columns and tokens than are met at once", F,
                          grouped_9) {
  const Index rows = 1100, columns = 300, tokens = 300, groups = turned_groups(rows);
  const Weights<F> w(rows, columns, 22);
  const auto sizes = sizes_of<float>(w);
  const auto q = random_codes(tokens * rows, 23);
  const auto scale = random_buffer<float>(tokens * groups, 24), before = random_buffer<float>(tokens * columns, 25);
  auto expected = copy(before);
  table(Isa::reference).f32.grouped<F>().matmul_transposed_int8(w.view, sizes.data(), 0, columns, tokens, q.data(), rows,
                                                                scale.data(), groups, expected.data(), columns);
  on_every_isa_of_bytes<float>([&](const Operations<float>& ops) {
    auto dx = copy(before);
    ops.grouped<F>().matmul_transposed_int8(w.view, sizes.data(), 0, columns, tokens, q.data(), rows, scale.data(),
                                            groups, dx.data(), columns);
    CHECK(same_bits(dx, expected));
  });
}

TEST_CASE_TEMPLATE_DEFINE("grouped_matmul_transposed_int8: saturated inputs stay exact, of many rows", F, grouped_10) {
  for (const Index rows : {2560, 16384, 16390})
    for (const Index tokens : {1, 9})
      for (const int gradient : {127, -127})
        for (const int code : {Weights<F>::least_code, Weights<F>::most_code}) {
          CAPTURE(rows);
          CAPTURE(tokens);
          const Index columns = 17;
          const Weights<F> w(rows, columns, 26, code);
          const auto sizes = sizes_of<float>(w);
          GuardedBuffer<std::int8_t> q(tokens * rows);
          for (auto& x : q) x = static_cast<std::int8_t>(gradient);
          const Index groups = turned_groups(rows);
          GuardedBuffer<float> scale(tokens * groups);
          for (float& s : scale) s = 1;
          on_every_isa_of_bytes<float>([&](const Operations<float>& ops) {
            GuardedBuffer<float> dx(tokens * columns);
            for (float& x : dx) x = 0;
            ops.grouped<F>().matmul_transposed_int8(w.view, sizes.data(), 0, columns, tokens, q.data(), rows,
                                                    scale.data(), groups, dx.data(), columns);
            float expected = 0;
            for (Index first = 0; first < rows; first += 128)
              expected += static_cast<float>(std::min<Index>(128, rows - first) * (code > 0 ? 63 : code < 0 ? -63 : 0) * gradient);
            Index wrong = 0;
            for (const float x : dx) wrong += x != expected;
            CHECK(wrong == 0);
          });
        }
}

TEST_CASE_TEMPLATE_DEFINE("grouped: turned weights are as near as their bound says, and no larger than 63", F,
                          grouped_11) {
  const Index rows = 40, columns = 200;
  std::vector<float> dense(static_cast<std::size_t>(rows * columns));
  std::minstd_rand random(27);
  std::normal_distribution<float> normal;
  for (float& x : dense) x = normal(random);
  for (std::size_t k = 0; k < 200; ++k) dense[k] = 0;                     // a row of zeros
  for (std::size_t k = 200; k < 232; ++k) dense[k] *= 1000;               // a group far larger than the rest
  for (std::size_t k = 400; k < 600; ++k) dense[k] = 0.25f;               // one number everywhere
  std::vector<typename F::Code> codes(dense.size());
  std::vector<Half> scales(static_cast<std::size_t>(rows * groups_of(columns))), minimums(scales.size());
  quantize_grouped<F>(rows, columns, dense.data(), columns, codes.data(), scales.data(), minimums.data());
  std::vector<std::uint8_t> blocks(static_cast<std::size_t>(grouped_bytes<F>(rows, columns)));
  pack_grouped<F>(rows, columns, codes.data(), scales.data(), minimums.data(), blocks.data());
  const GroupedView<F> w{blocks.data(), rows, columns};
  for (Index r = 0; r < rows; ++r) {
    const Index groups = groups_of(columns);
    const float size = largest_in_row<F>(columns, codes.data() + r * columns, scales.data() + r * groups,
                                         minimums.data() + r * groups);
    float largest = 0;
    std::vector<float> sizes(static_cast<std::size_t>(rows), size);
    Index wrong = 0;
    for (Index k = 0; k < columns; ++k) {
      const float weight = w.template weight<float>(r, k);
      largest = std::max(largest, std::abs(weight));
      const int turned = turned_weight(w, sizes.data(), r, k);
      const double exact = size > 0 ? 63.0 * static_cast<double>(weight) / static_cast<double>(size) : 0;
      // Beside the bound of turned_weight.hpp, roundings of float on the way to it.
      wrong += !(std::abs(turned - exact) <= 0.5 + (std::abs(w.code(r, k)) + 1) / 512.0 + 1e-4) || std::abs(turned) > 63;
    }
    CHECK(wrong == 0);
    CHECK(size == largest);
  }
}

TEST_CASE_TEMPLATE_APPLY(grouped_1, AllFormats);
TEST_CASE_TEMPLATE_APPLY(grouped_2, AllCases);
TEST_CASE_TEMPLATE_APPLY(grouped_3, AllFormats);
TEST_CASE_TEMPLATE_APPLY(grouped_4, AllFormats);
TEST_CASE_TEMPLATE_APPLY(grouped_5, AllCases);
TEST_CASE_TEMPLATE_APPLY(grouped_6, AllFormats);
TEST_CASE_TEMPLATE_APPLY(grouped_7, AllCases);
TEST_CASE_TEMPLATE_APPLY(grouped_8, AllCases);
TEST_CASE_TEMPLATE_APPLY(grouped_9, AllFormats);
TEST_CASE_TEMPLATE_APPLY(grouped_10, AllFormats);
TEST_CASE_TEMPLATE_APPLY(grouped_11, AllFormats);
TEST_CASE_TEMPLATE_APPLY(grouped_12, AllFormats);
TEST_CASE_TEMPLATE_APPLY(grouped_13, AllFormats);
