#include "support/kernels.hpp"
#include "tern/kernels/quantize/rounding_noise.hpp"

using namespace tern::kernels;
using namespace tern::test;

TEST_CASE_TEMPLATE("quantize_int8: the same scales and codes on every ISA", S, float, double) {
  for (const Index columns : awkward_lengths) {
    CAPTURE(columns);
    const Index rows = 3, gap = 2;
    const auto x = random_buffer<S>(rows * (columns + gap) - gap, static_cast<unsigned>(columns), 3);
    on_every_isa<S>([&](const Operations<S>& ops) {
      GuardedBuffer<std::int8_t> q(rows * (columns + gap) - gap);
      GuardedBuffer<S> scale(rows);
      ops.quantize_int8(rows, columns, x.data(), columns + gap, q.data(), columns + gap, scale.data());
      for (Index t = 0; t < rows; ++t) {
        S top = S(1e-5);
        for (Index k = 0; k < columns; ++k) top = std::max(top, std::abs(x[t * (columns + gap) + k]));
        CHECK(scale[t] == top / S(127));
        Index wrong = 0;
        for (Index k = 0; k < columns; ++k)
          wrong += q[t * (columns + gap) + k] != std::nearbyint(x[t * (columns + gap) + k] / scale[t]);
        CHECK(wrong == 0);
      }
    });
  }
}

TEST_CASE_TEMPLATE("quantize_int8: extremes, halves and zeros", S, float, double) {
  on_every_isa<S>([](const Operations<S>& ops) {
    const S x[] = {S(127), S(-127), S(0.5), S(1.5), S(-2.5), S(126.5), S(-0.0), S(1e-30)};
    std::int8_t q[8];
    S scale;
    ops.quantize_int8(1, 8, x, 8, q, 8, &scale);
    CHECK(scale == 1);
    const int expected[] = {127, -127, 0, 2, -2, 126, 0, 0};
    for (int i = 0; i < 8; ++i) CHECK(q[i] == expected[i]);

    const S zeros[3] = {};
    ops.quantize_int8(1, 3, zeros, 3, q, 3, &scale);
    CHECK(scale == S(1e-5) / S(127));
    for (int i = 0; i < 3; ++i) CHECK(q[i] == 0);
  });
}

TEST_CASE_TEMPLATE("quantize_int8: a NaN anywhere makes the row's scale NaN", S, float, double) {
  for (const Index columns : {1, 5, 16, 40})
    for (const Index at : {Index(0), columns / 2, columns - 1}) {
      auto x = random_buffer<S>(columns, 5);
      x[at] = std::numeric_limits<S>::quiet_NaN();
      on_every_isa<S>([&](const Operations<S>& ops) {
        GuardedBuffer<std::int8_t> q(columns);
        S scale = 0;
        ops.quantize_int8(1, columns, x.data(), columns, q.data(), columns, &scale);
        CHECK(std::isnan(scale));
      });
    }
}

TEST_CASE_TEMPLATE("quantize_gradient: the same scales and codes on every ISA", S, float, double) {
  for (const Index columns : awkward_lengths)
    for (const bool scaled : {false, true})
      for (const bool stochastic : {false, true}) {
        CAPTURE(columns);
        CAPTURE(scaled);
        CAPTURE(stochastic);
        const Index rows = 3, row = columns + 2;
        const auto x = random_buffer<S>(rows * row - 2, static_cast<unsigned>(columns), 1e-9);
        const auto factor = random_buffer<S>(columns, 6, 3);
        on_every_isa<S>([&](const Operations<S>& ops) {
          GuardedBuffer<std::int8_t> q(rows * row - 2);
          GuardedBuffer<S> scale(rows);
          ops.quantize_gradient(rows, columns, x.data(), row, scaled ? factor.data() : nullptr, stochastic, q.data(),
                                row, scale.data());
          for (Index t = 0; t < rows; ++t) {
            const auto v = [&](Index k) { return scaled ? factor[k] * x[t * row + k] : x[t * row + k]; };
            S top = 0;
            for (Index k = 0; k < columns; ++k) top = std::max(top, std::abs(v(k)));
            CHECK(scale[t] == top / S(127));
            Index wrong = 0;
            for (Index k = 0; k < columns; ++k) {
              const S noise = stochastic ? rounding_noise<S>(noise_seed(scale[t]), k) : S(0);
              wrong += q[t * row + k] != std::nearbyint(v(k) / scale[t] + noise);
            }
            CHECK(wrong == 0);
          }
        });
      }
}

TEST_CASE("quantize_gradient: stochastic rounding is right on average and keeps the extremes") {
  const Index n = 40000;
  std::vector<float> x(n, 0.3f);
  x[0] = 127;
  x[1] = -127;
  on_every_isa<float>([&](const Operations<float>& ops) {
    std::vector<std::int8_t> q(n);
    float scale = 0;
    ops.quantize_gradient(1, n, x.data(), n, nullptr, true, q.data(), n, &scale);
    CHECK(scale == 1);
    CHECK(q[0] == 127);
    CHECK(q[1] == -127);
    double sum = 0;
    for (Index k = 2; k < n; ++k) sum += q[static_cast<std::size_t>(k)];
    // Five standard deviations of a mean of n draws.
    CHECK(std::abs(sum / static_cast<double>(n - 2) - 0.3) < 5 * std::sqrt(0.3 * 0.7 / n));
  });
}

TEST_CASE_TEMPLATE("quantize_gradient: zeros have no scale, a NaN makes it NaN", S, float, double) {
  on_every_isa<S>([](const Operations<S>& ops) {
    S x[5] = {}, scale = 1;
    std::int8_t q[5] = {1, 1, 1, 1, 1};
    ops.quantize_gradient(1, 5, x, 5, nullptr, true, q, 5, &scale);
    CHECK(scale == 0);
    for (const int code : q) CHECK(code == 0);
    x[3] = std::numeric_limits<S>::quiet_NaN();
    ops.quantize_gradient(1, 5, x, 5, nullptr, false, q, 5, &scale);
    CHECK(std::isnan(scale));
  });
}
