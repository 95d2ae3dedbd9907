#include "support/kernels.hpp"

using namespace tern::kernels;
using namespace tern::test;

namespace {

constexpr Gate kinds[] = {Gate::silu, Gate::gelu_tanh, Gate::relu_squared};

/// The textbook's formulas.
double activation(Gate kind, double x) {
  switch (kind) {
    case Gate::silu:
      return x / (1 + std::exp(-x));
    case Gate::gelu_tanh:
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x)));
    case Gate::relu_squared:
      return x > 0 ? x * x : 0;
  }
  return 0;
}

double slope(Gate kind, double x) {
  const double h = 1e-5;
  return (8 * (activation(kind, x + h) - activation(kind, x - h)) -
          (activation(kind, x + 2 * h) - activation(kind, x - 2 * h))) /
         (12 * h);
}

}  // namespace

TEST_CASE_TEMPLATE("gate: value and slope of every activation on every ISA", S, float, double) {
  for (const Gate kind : kinds)
    for (const Index n : awkward_lengths)
      for (const double range : {1.0, 12.0}) {
        CAPTURE(static_cast<int>(kind));
        CAPTURE(n);
        const auto g = random_buffer<S>(n, 1, range), up = random_buffer<S>(n, 2), dy = random_buffer<S>(n, 3);
        const auto dgate_before = random_buffer<S>(n, 4), dup_before = random_buffer<S>(n, 5);
        on_every_isa<S>([&](const Operations<S>& ops) {
          GuardedBuffer<S> y(n);
          auto dgate = copy(dgate_before), dup = copy(dup_before);
          ops.gate(kind, n, g.data(), up.data(), y.data());
          ops.gate_backward(kind, n, g.data(), up.data(), dy.data(), dgate.data(), dup.data());
          for (Index i = 0; i < n; ++i) {
            const double x = static_cast<double>(g[i]), f = activation(kind, x), df = slope(kind, x);
            const double u = static_cast<double>(up[i]), d = static_cast<double>(dy[i]);
            // exp(-v) carries v's rounding: a relative error of |v| eps in f, and v grows as x^3 under gelu.
            const double roundings = 20 + 4 * range * (kind == Gate::gelu_tanh ? 1 + 0.05 * range * range : 1);
            // Far below zero the textbook's 1 + tanh loses every digit: there its size counts, not its value.
            const double size = kind == Gate::gelu_tanh ? std::abs(x) : std::abs(f);
            REQUIRE(within(y[i], f * u, roundings, size * std::abs(u)));
            REQUIRE(within(dup[i], static_cast<double>(dup_before[i]) + d * f, roundings,
                           std::abs(static_cast<double>(dup_before[i])) + size * std::abs(d)));
            const double exact = static_cast<double>(dgate_before[i]) + d * u * df;
            CHECK(std::abs(static_cast<double>(dgate[i]) - exact) <=
                  1e-8 * (1 + range) +
                      roundings * static_cast<double>(std::numeric_limits<S>::epsilon()) * (1 + range));
          }
        });
      }
}

TEST_CASE_TEMPLATE("gate: far out it saturates, a NaN stays", S, float, double) {
  const S nan = std::numeric_limits<S>::quiet_NaN();
  on_every_isa<S>([&](const Operations<S>& ops) {
    for (const Gate kind : kinds) {
      CAPTURE(static_cast<int>(kind));
      const S g[] = {S(-1000), S(1000), S(0), nan}, up[] = {1, 1, 1, 1}, dy[] = {1, 1, 1, 1};
      S y[4], dgate[4] = {}, dup[4] = {};
      ops.gate(kind, 4, g, up, y);
      ops.gate_backward(kind, 4, g, up, dy, dgate, dup);
      CHECK(y[0] == 0);
      CHECK(y[1] == (kind == Gate::relu_squared ? S(1e6) : S(1000)));
      CHECK(y[2] == 0);
      CHECK(std::isnan(y[3]));
      CHECK(dgate[0] == 0);
      CHECK(dgate[1] == (kind == Gate::relu_squared ? S(2000) : S(1)));
      CHECK(dgate[2] == (kind == Gate::relu_squared ? S(0) : S(0.5)));
      CHECK(std::isnan(dgate[3]));
      CHECK(dup[1] == y[1]);
    }
  });
}

TEST_CASE_TEMPLATE("gate: any cut gives the same bits", S, float, double) {
  const Index n = 100;
  const auto g = random_buffer<S>(n, 6, 5), up = random_buffer<S>(n, 7);
  on_every_isa<S>([&](const Operations<S>& ops) {
    for (const Gate kind : kinds)
      for (const Index piece : {1, 3, 17}) {
        GuardedBuffer<S> whole(n), cut(n);
        ops.gate(kind, n, g.data(), up.data(), whole.data());
        for (Index i = 0; i < n; i += piece)
          ops.gate(kind, std::min(piece, n - i), g.data() + i, up.data() + i, cut.data() + i);
        CHECK(same_bits(whole, cut));
      }
  });
}
