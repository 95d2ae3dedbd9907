#include "support/kernels.hpp"

using namespace tern::kernels;
using namespace tern::test;

namespace {

/// Rows with a gap between them, the last one at a wall.
template <class S>
struct Rows {
  Rows(Index rows, Index channels, Index gap, unsigned seed)
      : stride(channels + gap), buffer(random_buffer<S>(rows > 0 ? rows * stride - gap : 0, seed)) {}
  double at(Index t, Index c) const { return static_cast<double>(buffer[t * stride + c]); }
  Index stride;
  GuardedBuffer<S> buffer;
};

}  // namespace

TEST_CASE_TEMPLATE("rms_norm: forward and backward agree with sums in double", S, float, double) {
  const double eps = 1e-6;
  for (const Index n : awkward_lengths)
    for (const bool with_gain : {false, true}) {
      if (n == 0) continue;
      CAPTURE(n);
      CAPTURE(with_gain);
      const Index rows = 3;
      const Rows<S> x(rows, n, 2, 1), dy(rows, n, 5, 2), dx_before(rows, n, 1, 3);
      const auto gains = random_buffer<S>(n, 4);
      const auto dgain_before = random_buffer<S>(n, 5);
      const S* gain = with_gain ? gains.data() : nullptr;
      on_every_isa<S>([&](const Operations<S>& ops) {
        GuardedBuffer<S> y(rows * n), rstd(rows);
        auto dx = copy(dx_before.buffer), dgain = copy(dgain_before);
        ops.rms_norm(rows, n, S(eps), x.buffer.data(), x.stride, gain, y.data(), n, rstd.data());
        ops.rms_norm_backward(rows, n, x.buffer.data(), x.stride, gain, rstd.data(), dy.buffer.data(), dy.stride,
                              dx.data(), dx_before.stride);
        ops.rms_norm_backward_gain(rows, n, x.buffer.data(), x.stride, rstd.data(), dy.buffer.data(), dy.stride,
                                   dgain.data());
        const double roundings = static_cast<double>(n) + 10;
        for (Index t = 0; t < rows; ++t) {
          double squares = 0, dot = 0, magnitude = 0;
          for (Index c = 0; c < n; ++c) {
            const double g = with_gain ? static_cast<double>(gains[c]) : 1;
            squares += x.at(t, c) * x.at(t, c);
            dot += g * dy.at(t, c) * x.at(t, c);
            magnitude += std::abs(g * dy.at(t, c) * x.at(t, c));
          }
          const double r = 1 / std::sqrt(squares / static_cast<double>(n) + eps), m = static_cast<double>(n);
          REQUIRE(within(rstd[t], r, roundings, r));
          for (Index c = 0; c < n; ++c) {
            const double g = with_gain ? static_cast<double>(gains[c]) : 1;
            REQUIRE(within(y[t * n + c], g * x.at(t, c) * r, roundings, std::abs(g * x.at(t, c) * r)));
            const double own = g * dy.at(t, c), pull = x.at(t, c) * r * r / m, was = dx_before.at(t, c);
            REQUIRE(within(dx[t * dx_before.stride + c], was + r * (own - pull * dot), 4 * roundings,
                           std::abs(was) + r * (std::abs(own) + std::abs(pull) * magnitude)));
          }
        }
        for (Index c = 0; c < n; ++c) {
          double sum = static_cast<double>(dgain_before[c]), magnitude = std::abs(sum);
          for (Index t = 0; t < rows; ++t) {
            const double term = dy.at(t, c) * x.at(t, c) * static_cast<double>(rstd[t]);
            sum += term;
            magnitude += std::abs(term);
          }
          REQUIRE(within(dgain[c], sum, static_cast<double>(rows + 3), magnitude));
        }
      });
    }
}

TEST_CASE("rms_norm: backward is the slope of forward") {
  const Index n = 19;
  const double eps = 1e-3, h = 1e-6;
  const auto gain = random_buffer<double>(n, 6), dy = random_buffer<double>(n, 7);
  auto x = random_buffer<double>(n, 8);
  on_every_isa<double>([&](const Operations<double>& ops) {
    double rstd;
    GuardedBuffer<double> y(n), dx(n), dgain(n);
    const auto loss = [&](const double* gains) {
      double sum = 0;
      ops.rms_norm(1, n, eps, x.data(), n, gains, y.data(), n, &rstd);
      for (Index c = 0; c < n; ++c) sum += dy[c] * y[c];
      return sum;
    };
    loss(gain.data());
    ops.rms_norm_backward(1, n, x.data(), n, gain.data(), &rstd, dy.data(), n, dx.data(), n);
    ops.rms_norm_backward_gain(1, n, x.data(), n, &rstd, dy.data(), n, dgain.data());
    auto moved = copy(gain);
    for (Index c = 0; c < n; ++c) {
      const double was = x[c];
      x[c] = was + h;
      const double above = loss(gain.data());
      x[c] = was - h;
      const double below = loss(gain.data());
      x[c] = was;
      CHECK(dx[c] == doctest::Approx((above - below) / (2 * h)).epsilon(1e-6));
      moved[c] = gain[c] + h;
      const double high = loss(moved.data());
      moved[c] = gain[c] - h;
      CHECK(dgain[c] == doctest::Approx((high - loss(moved.data())) / (2 * h)).epsilon(1e-6));
      moved[c] = gain[c];
    }
  });
}
