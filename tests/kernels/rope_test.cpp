#include "support/kernels.hpp"

using namespace tern::kernels;
using namespace tern::test;

TEST_CASE_TEMPLATE("rope: rotates each pair, and back", S, float, double) {
  for (const Index head_dim : {2, 4, 6, 16, 34, 64, 66})
    for (const Index heads : {0, 1, 3}) {
      CAPTURE(head_dim);
      CAPTURE(heads);
      const Index half = head_dim / 2;
      GuardedBuffer<S> cos(half), sin(half);
      for (Index i = 0; i < half; ++i) {
        cos[i] = static_cast<S>(std::cos(0.37 * static_cast<double>(i + 1)));
        sin[i] = static_cast<S>(std::sin(0.37 * static_cast<double>(i + 1)));
      }
      const auto before = random_buffer<S>(heads * head_dim, 1);
      on_every_isa<S>([&](const Operations<S>& ops) {
        auto x = copy(before);
        ops.rope(heads, head_dim, cos.data(), sin.data(), S(1), x.data());
        for (Index h = 0; h < heads; ++h)
          for (Index i = 0; i < half; ++i) {
            const double low = static_cast<double>(before[h * head_dim + i]);
            const double high = static_cast<double>(before[h * head_dim + i + half]);
            const double c = static_cast<double>(cos[i]), s = static_cast<double>(sin[i]);
            REQUIRE(within(x[h * head_dim + i], low * c - high * s, 3, std::abs(low * c) + std::abs(high * s)));
            REQUIRE(within(x[h * head_dim + i + half], high * c + low * s, 3, std::abs(high * c) + std::abs(low * s)));
          }
        ops.rope(heads, head_dim, cos.data(), sin.data(), S(-1), x.data());
        for (Index i = 0; i < x.size(); ++i) REQUIRE(within(x[i], static_cast<double>(before[i]), 10, 2));
      });
    }
}
