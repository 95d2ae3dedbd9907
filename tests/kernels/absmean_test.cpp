#include "tern/kernels/quantize/absmean.hpp"

#include <vector>

#include "support/kernels.hpp"

using namespace tern::kernels;
using namespace tern::test;

TEST_CASE_TEMPLATE("absmean: a tensor by hand", S, float, double) {
  // mean |w| = 1: halves round to even, so 0.5 becomes 0 and 1.5 becomes 2, clamped to 1.
  const S w[] = {S(0.5), S(-0.5), S(1.5), S(-1.5), S(0.75), S(1.25)};
  std::int8_t codes[6];
  S scale;
  quantize_absmean<S>(2, 3, w, 3, TernaryScale::tensor, codes, &scale);
  CHECK(scale == 1);
  const std::int8_t expected[] = {0, 0, 1, -1, 1, 1};
  for (int i = 0; i < 6; ++i) CHECK(codes[i] == expected[i]);
}

TEST_CASE_TEMPLATE("absmean: each row and each group has its own mean", S, float, double) {
  const Index rows = 3, columns = 300, stride = 305;
  const auto w = random_buffer<S>(rows * stride, 11);
  for (const TernaryScale granularity :
       {TernaryScale::tensor, TernaryScale::row, TernaryScale::group, TernaryScale::group64}) {
    GuardedBuffer<std::int8_t> codes(rows * columns);
    GuardedBuffer<S> scales(ternary_scales(rows, columns, granularity));
    quantize_absmean(rows, columns, w.data(), stride, granularity, codes.data(), scales.data());
    for (Index r = 0; r < rows; ++r)
      for (Index k = 0; k < columns; ++k) {
        const bool whole = granularity == TernaryScale::tensor;
        const Index width = granularity == TernaryScale::group     ? 128
                            : granularity == TernaryScale::group64 ? 64
                                                                   : columns;
        const Index group = k / width, first = group * width, last = std::min(first + width, columns);
        double sum = 0;
        for (Index i = whole ? 0 : r; i < (whole ? rows : r + 1); ++i)
          for (Index j = first; j < last; ++j) sum += std::abs(static_cast<double>(w[i * stride + j]));
        const double mean = sum / static_cast<double>((last - first) * (whole ? rows : 1));
        const S s = scales[whole ? 0 : r * ternary_groups(columns, granularity) + group];
        REQUIRE(within(s, mean, 2, mean));
        const double ratio = static_cast<double>(w[r * stride + k]) / mean;
        const int expected = ratio > 0.5 ? 1 : ratio < -0.5 ? -1 : 0;
        REQUIRE(codes[r * columns + k] == expected);
      }
  }
}

TEST_CASE("absmean: zeros keep the smallest scale") {
  const float w[4] = {};
  std::int8_t codes[4] = {9, 9, 9, 9};
  float scale;
  quantize_absmean<float>(2, 2, w, 2, TernaryScale::tensor, codes, &scale);
  CHECK(scale == 1e-5f);
  for (const std::int8_t code : codes) CHECK(code == 0);
  scale = 0;
  quantize_absmean<float>(0, 0, nullptr, 0, TernaryScale::tensor, nullptr, &scale);
  CHECK(scale == 1e-5f);
}
