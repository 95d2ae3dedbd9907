#include "support/kernels.hpp"

using namespace tern::kernels;
using namespace tern::test;

TEST_CASE_TEMPLATE("cross_entropy: loss and gradient on every ISA", S, float, double) {
  for (const Index n : {1, 2, 15, 16, 17, 33, 63, 65, 1023, 1025, 5000})
    for (const double range : {1.0, 40.0})
      for (const Index target : {Index(0), n / 2, n - 1}) {
        CAPTURE(n);
        CAPTURE(range);
        CAPTURE(target);
        const auto logits = random_buffer<S>(n, static_cast<unsigned>(n), range);
        double top = -1e300, sum = 0;
        for (const S v : logits) top = std::max(top, static_cast<double>(v));
        for (const S v : logits) sum += std::exp(static_cast<double>(v) - top);
        const double nll = top + std::log(sum) - static_cast<double>(logits[target]);
        const double eps = static_cast<double>(std::numeric_limits<S>::epsilon()), scale = 0.25;
        on_every_isa<S>([&](const Operations<S>& ops) {
          GuardedBuffer<S> gradient(n);
          auto in_place = copy(logits);
          const double loss = ops.cross_entropy(n, logits.data(), target, S(scale), gradient.data());
          CHECK(std::abs(loss - nll) <= 100 * eps * (1 + std::abs(nll)));
          CHECK(ops.cross_entropy(n, logits.data(), target, S(scale), nullptr) == loss);
          CHECK(ops.cross_entropy(n, in_place.data(), target, S(scale), in_place.data()) == loss);
          CHECK(same_bits(gradient, in_place));
          Index wrong = 0;
          for (Index i = 0; i < n; ++i) {
            const double p = std::exp(static_cast<double>(logits[i]) - top) / sum;
            wrong += !within(gradient[i], scale * (p - (i == target ? 1 : 0)), 100 + 4 * range,
                             scale * (p + (i == target ? 1 : 0)));
          }
          CHECK(wrong == 0);
        });
      }
}

TEST_CASE("cross_entropy: the gradient is the slope of the loss") {
  const Index n = 37, target = 5;
  const double h = 1e-6;
  const auto logits = random_buffer<double>(n, 2, 3);
  on_every_isa<double>([&](const Operations<double>& ops) {
    GuardedBuffer<double> gradient(n);
    ops.cross_entropy(n, logits.data(), target, 1, gradient.data());
    for (Index i = 0; i < n; ++i) {
      auto moved = copy(logits);
      moved[i] += h;
      const double above = ops.cross_entropy(n, moved.data(), target, 1, nullptr);
      moved[i] -= 2 * h;
      const double below = ops.cross_entropy(n, moved.data(), target, 1, nullptr);
      CHECK(gradient[i] == doctest::Approx((above - below) / (2 * h)).epsilon(1e-6));
    }
  });
}

TEST_CASE_TEMPLATE("cross_entropy: a NaN is not hidden", S, float, double) {
  for (const Index n : {3, 40}) {
    auto logits = random_buffer<S>(n, 4);
    logits[n - 1] = std::numeric_limits<S>::quiet_NaN();
    on_every_isa<S>(
        [&](const Operations<S>& ops) { CHECK(std::isnan(ops.cross_entropy(n, logits.data(), 0, S(1), nullptr))); });
  }
}
