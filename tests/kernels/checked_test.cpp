#include "tern/kernels/checked.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <random>

using namespace tern::kernels;
using doctest::Approx;

namespace {

std::vector<float> normal(std::size_t n, std::uint32_t seed) {
  std::minstd_rand random(seed);
  std::vector<float> x(n);
  for (float& v : x) {  // a sum of uniform ones, alike everywhere
    double sum = 0;
    for (int i = 0; i < 12; ++i) sum += static_cast<double>(random()) / 2147483647.0 - 0.5;
    v = static_cast<float>(sum);
  }
  return x;
}

/// What a call says that is refused.
std::string said(const std::function<void()>& call) {
  try {
    call();
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "nothing";
}

/// x [tokens x columns] rounded to int8 with a scale for every `span` columns, times weights as the view has them.
template <class Weight>
double product(const std::vector<float>& x, Index columns, Index t, Index r, Index span, const Weight& weight) {
  double sum = 0;
  for (Index from = 0; from < columns; from += span) {
    const Index to = std::min(columns, from + span);
    double most = 1e-5;
    for (Index k = from; k < to; ++k) most = std::max(most, std::abs(double(x[static_cast<std::size_t>(t * columns + k)])));
    for (Index k = from; k < to; ++k)
      sum += std::nearbyint(static_cast<float>(x[static_cast<std::size_t>(t * columns + k)] / static_cast<float>(most / 127))) *
             (most / 127) * weight(r, k);
  }
  return sum;
}

}  // namespace

TEST_CASE("checked: quantise, pack and product of ternary weights, whatever their scales and packing") {
  constexpr Index rows = 37, columns = 200, tokens = 3;
  const auto weights = normal(rows * columns, 1), x = normal(tokens * columns, 2);
  for (const auto granularity : {TernaryScale::tensor, TernaryScale::row, TernaryScale::group, TernaryScale::group64})
    for (const auto format : {TernaryFormat::two_bits, TernaryFormat::five_a_byte}) {
      const auto w = checked::TernaryWeights::quantize(rows, columns, weights, granularity, format);
      std::vector<float> y(tokens * rows, -1), again(tokens * rows, -1);
      checked::matmul(w, tokens, x, y);
      const TernaryView view = w.view();
      for (Index t = 0; t < tokens; ++t)
        for (Index r = 0; r < rows; ++r)
          CHECK(y[static_cast<std::size_t>(t * rows + r)] ==
                Approx(product(x, columns, t, r, columns, [&](Index row, Index k) {
                  return view.weight(row, k) * double(view.scale(row, view.group(k)));
                })).epsilon(1e-4));
      std::vector<std::int8_t> codes(rows * columns);
      unpack_ternary(rows, columns, view.codes, codes.data(), format);
      const auto packed = checked::TernaryWeights::pack(rows, columns, codes, {view.scales, static_cast<std::size_t>(ternary_scales(rows, columns, granularity))},
                                                        granularity, format);
      const auto activations = checked::Activations::of_rows(tokens, columns, x);
      checked::matmul(packed, activations, again, {0, 16});
      CHECK(again[16] == -1);  // not asked for
      checked::matmul(packed, activations, again, {16, rows});
      CHECK(again == y);
    }
}

TEST_CASE_TEMPLATE("checked: quantise and product of weights in groups", F, Q8, Q4, Q4_0) {
  constexpr Index rows = 33, columns = 150, tokens = 2;
  const auto weights = normal(rows * columns, 3), x = normal(tokens * columns, 4);
  const auto w = checked::GroupedWeights<F>::quantize(rows, columns, weights);
  std::vector<float> y(tokens * rows);
  checked::matmul(w, tokens, x, y);
  const auto view = w.view();
  for (Index t = 0; t < tokens; ++t)
    for (Index r = 0; r < rows; ++r)
      CHECK(y[static_cast<std::size_t>(t * rows + r)] ==
            Approx(product(x, columns, t, r, activation_columns, [&](Index row, Index k) { return view.template weight<double>(row, k); }))
                .epsilon(1e-4)
                .scale(1));
}

TEST_CASE("checked: weights that were packed elsewhere") {
  const std::vector<std::int8_t> codes = {1, -2, 3, 127};
  const std::vector<Half> scales = {to_half(0.5f), to_half(2.f)};
  const auto w = checked::GroupedWeights<Q8>::pack(2, 2, codes, scales);
  CHECK(w.view().weight<double>(0, 1) == -1);
  CHECK(w.view().weight<double>(1, 1) == 254);
  const std::vector<std::uint8_t> four = {0, 15};
  const std::vector<Half> minimum = {to_half(-1.f)};
  CHECK(checked::GroupedWeights<Q4>::pack(1, 2, four, {scales.data(), 1}, minimum).view().weight<double>(0, 1) == 6.5);
}

TEST_CASE("checked: nothing of no size") {
  std::vector<float> none;
  checked::matmul(checked::TernaryWeights::quantize(0, 5, none), 0, none, none);
  checked::matmul(checked::GroupedWeights<Q4>::quantize(3, 0, none), 0, none, none);
  std::vector<float> y(3, 7);
  checked::matmul(checked::GroupedWeights<Q4>::quantize(3, 0, none), 1, none, y);
  CHECK(y == std::vector<float>(3, 0));
}

TEST_CASE("checked: each wrong argument is refused by name, with what was expected and what came") {
  const auto weights = normal(104 * 64, 5), x = normal(2 * 64, 6);
  const auto w = checked::TernaryWeights::quantize(104, 64, weights);
  const auto q8 = checked::GroupedWeights<Q8>::quantize(104, 64, weights);
  const auto rows = checked::Activations::of_rows(2, 64, x), groups = checked::Activations::of_groups(2, 64, x);
  std::vector<float> y(2 * 104);
  const std::string range = "rows: expected a range within 0 to 104 that begins at a multiple of 16, got ";
  CHECK(said([&] { checked::matmul(w, rows, y, {0, 120}); }) == range + "0 to 120");
  CHECK(said([&] { checked::matmul(w, rows, y, {8, 104}); }) == range + "8 to 104");
  CHECK(said([&] { checked::matmul(w, rows, y, {-16, 16}); }) == range + "-16 to 16");
  CHECK(said([&] { checked::matmul(q8, groups, y, {32, 16}); }) == range + "32 to 16");
  CHECK(said([&] { checked::matmul(q8, rows, y, {0, 104}); }) ==
        "x: expected a scale for every 128 columns (Activations::of_groups), got one a token");
  CHECK(said([&] { checked::matmul(w, groups, y, {0, 104}); }) ==
        "x: expected one scale a token (Activations::of_rows), got one for every 128 columns");
  y.pop_back();
  CHECK(said([&] { checked::matmul(w, rows, y, {0, 104}); }) == "y: expected 208 elements, got 207");
  CHECK(said([&] { checked::matmul(w, 1, x, y); }) == "x: expected 64 elements, got 128");
  CHECK(said([&] { checked::matmul(w, checked::Activations::of_rows(4, 32, x), y, {0, 104}); }) ==
        "x: expected 64 columns, as the weights have, got 32");
  CHECK(said([&] { checked::TernaryWeights::quantize(103, 64, weights); }) == "weights: expected 6592 elements, got 6656");
  CHECK(said([&] { checked::TernaryWeights::quantize(-1, 64, {}); }).starts_with("shape: expected rows and columns of at least 0"));
  CHECK(said([&] { checked::TernaryWeights::quantize(std::numeric_limits<Index>::max(), 64, {}); }).starts_with("shape: "));
  CHECK(said([&] { checked::TernaryWeights::quantize(0, 131073, {}); }) == "columns: expected 131072 at most, got 131073");
  std::vector<float> broken = {1, std::numeric_limits<float>::quiet_NaN()};
  CHECK(said([&] { checked::TernaryWeights::quantize(1, 2, broken); }).starts_with("weights[1]: expected a number of magnitude"));
  CHECK(said([&] { checked::GroupedWeights<Q8>::quantize(1, 2, std::vector<float>{1, 1e30f}); }).starts_with("weights[1]: "));
  CHECK(said([&] {
          checked::TernaryWeights::pack(1, 2, std::vector<std::int8_t>{1, 2}, std::vector<float>{1}, TernaryScale::row);
        }) == "codes[1]: expected -1, 0 or 1, got 2");
  CHECK(said([&] {
          checked::TernaryWeights::pack(2, 1, std::vector<std::int8_t>{1, 1}, std::vector<float>{1}, TernaryScale::row);
        }) == "scales: expected 2 elements, got 1");
  const std::vector<Half> one = {to_half(1.f)}, infinite = {to_half(std::numeric_limits<float>::infinity())};
  CHECK(said([&] { checked::GroupedWeights<Q4>::pack(1, 1, std::vector<std::uint8_t>{16}, one, one); }) ==
        "codes[0]: expected at most 15, got 16");
  CHECK(said([&] { checked::GroupedWeights<Q4>::pack(1, 1, std::vector<std::uint8_t>{1}, one); }) ==
        "minimums: expected 1 elements, got 0");
  CHECK(said([&] { checked::GroupedWeights<Q8>::pack(1, 1, std::vector<std::int8_t>{1}, one, one); }) ==
        "minimums: expected 0 elements, got 1");
  CHECK(said([&] { checked::GroupedWeights<Q8>::pack(1, 1, std::vector<std::int8_t>{1}, infinite); }) ==
        "scales[0]: expected a finite number, got inf");
}
