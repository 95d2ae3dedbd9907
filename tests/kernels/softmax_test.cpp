#include "support/kernels.hpp"

using namespace tern::kernels;
using namespace tern::test;

TEST_CASE_TEMPLATE("softmax: every ISA agrees with a sum in double", S, float, double) {
  for (const Index n : awkward_lengths)
    for (const double range : {1.0, 60.0}) {
      if (n == 0) continue;
      CAPTURE(n);
      CAPTURE(range);
      const S scale = S(0.7);
      const auto x = random_buffer<S>(n, static_cast<unsigned>(n), range);
      double top = -1e300, sum = 0;
      for (const S v : x) top = std::max(top, static_cast<double>(scale) * static_cast<double>(v));
      for (const S v : x) sum += std::exp(static_cast<double>(scale) * static_cast<double>(v) - top);
      on_every_isa<S>([&](const Operations<S>& ops) {
        auto y = copy(x);
        ops.softmax(n, scale, y.data());
        for (Index i = 0; i < n; ++i) {
          const double exact = std::exp(static_cast<double>(scale) * static_cast<double>(x[i]) - top) / sum;
          // scale*x and the difference round before exp, which turns absolute errors into relative ones.
          REQUIRE(within(y[i], exact, static_cast<double>(n) + 10 + 4 * range, exact));
        }
      });
    }
}

TEST_CASE_TEMPLATE("softmax: exp is within 2 units in the last place", S, float, double) {
  on_every_isa<S>([](const Operations<S>& ops) {
    for (int i = 0; i < 500; ++i) {
      S x[] = {0, S(-0.16) * static_cast<S>(i)};
      const double exact = std::exp(static_cast<double>(x[1]));
      ops.softmax(2, S(1), x);
      // Before exp nothing rounds; after it two products and their quotient.
      CHECK(within(x[1] / x[0], exact, 4, exact));
    }
  });
}

TEST_CASE_TEMPLATE("softmax: minus infinity has no share, large numbers do not overflow", S, float, double) {
  on_every_isa<S>([](const Operations<S>& ops) {
    for (const Index n : {3, 16, 37}) {
      GuardedBuffer<S> x(n);
      for (Index i = 0; i < n; ++i)
        x[i] = i % 3 == 0 ? S(1e4) : i % 3 == 1 ? -std::numeric_limits<S>::infinity() : S(-1e4);
      ops.softmax(n, S(1), x.data());
      const Index shares = (n + 2) / 3;
      for (Index i = 0; i < n; ++i)
        CHECK(x[i] == doctest::Approx(i % 3 == 0 ? 1.0 / static_cast<double>(shares) : 0.0).epsilon(1e-6));
    }
  });
}

TEST_CASE_TEMPLATE("softmax: numbers far below zero are all that counts, however few", S, float, double) {
  on_every_isa<S>([](const Operations<S>& ops) {
    for (const Index n : awkward_lengths) {
      GuardedBuffer<S> x(n);
      for (S& v : x) v = S(-1e4);
      if (n > 0) ops.softmax(n, S(1), x.data());
      for (const S share : x) CHECK(share == doctest::Approx(1.0 / static_cast<double>(n)).epsilon(1e-6));
    }
  });
}

TEST_CASE_TEMPLATE("softmax: a NaN spreads", S, float, double) {
  on_every_isa<S>([](const Operations<S>& ops) {
    for (const Index n : {1, 5, 20}) {
      auto x = random_buffer<S>(n, 3);
      x[n / 2] = std::numeric_limits<S>::quiet_NaN();
      ops.softmax(n, S(1), x.data());
      CHECK(std::isnan(x[0]));
    }
  });
}

TEST_CASE_TEMPLATE("softmax_backward: the formula in double", S, float, double) {
  for (const Index n : awkward_lengths) {
    CAPTURE(n);
    const S scale = S(0.3);
    const auto y = random_buffer<S>(n, 4), d = random_buffer<S>(n, 5);
    double dot = 0, magnitude = 0;
    for (Index i = 0; i < n; ++i) {
      dot += static_cast<double>(y[i]) * static_cast<double>(d[i]);
      magnitude += std::abs(static_cast<double>(y[i]) * static_cast<double>(d[i]));
    }
    on_every_isa<S>([&](const Operations<S>& ops) {
      auto got = copy(d);
      ops.softmax_backward(n, scale, y.data(), got.data());
      for (Index i = 0; i < n; ++i) {
        const double factor = static_cast<double>(scale) * static_cast<double>(y[i]), own = static_cast<double>(d[i]);
        REQUIRE(within(got[i], factor * (own - dot), static_cast<double>(n) + 5,
                       std::abs(factor) * (std::abs(own) + magnitude)));
      }
    });
  }
}

TEST_CASE("softmax_backward: is the slope of softmax") {
  const Index n = 21;
  const double scale = 0.8, h = 1e-6;
  const auto x = random_buffer<double>(n, 6, 2), dy = random_buffer<double>(n, 7);
  on_every_isa<double>([&](const Operations<double>& ops) {
    const auto loss = [&](Index at, double step) {
      auto y = copy(x);
      y[at] += step;
      ops.softmax(n, scale, y.data());
      double sum = 0;
      for (Index i = 0; i < n; ++i) sum += dy[i] * y[i];
      return sum;
    };
    auto y = copy(x), d = copy(dy);
    ops.softmax(n, scale, y.data());
    ops.softmax_backward(n, scale, y.data(), d.data());
    for (Index i = 0; i < n; ++i) CHECK(d[i] == doctest::Approx((loss(i, h) - loss(i, -h)) / (2 * h)).epsilon(1e-6));
  });
}
