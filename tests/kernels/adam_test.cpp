#include "support/kernels.hpp"
#include "tern/kernels/adam/step.hpp"

using namespace tern::kernels;
using namespace tern::test;

namespace {

/// n numbers in bf16 between -range and range, as bits.
GuardedBuffer<std::uint16_t> random_bf16(Index n, unsigned seed, double range = 1) {
  const auto numbers = random_buffer<float>(n, seed, range);
  GuardedBuffer<std::uint16_t> bits(n);
  for (Index i = 0; i < n; ++i) bits[i] = to_bf16(numbers[i]).bits;
  return bits;
}
GuardedBuffer<std::uint16_t> magnitudes(GuardedBuffer<std::uint16_t> bits) {
  for (auto& b : bits) b &= 0x7fff;
  return bits;
}
double number(std::uint16_t bits) { return static_cast<double>(to_float(Bf16{bits})); }

constexpr double bf16_step = 2 * bf16_rounding;  // what neighbours are apart, relative, at the most

}  // namespace

TEST_CASE_TEMPLATE("sqrt: rounded correctly on every ISA, of the smallest numbers, too", S, float, double) {
  for (const Index n : awkward_lengths) {
    CAPTURE(n);
    auto x = random_buffer<S>(n, 1);
    for (Index i = 0; i < n; ++i) x[i] = i % 3 == 0 ? std::numeric_limits<S>::denorm_min() * S(i) : std::abs(x[i]);
    on_every_isa<S>([&](const Operations<S>& ops) {
      auto y = copy(x);
      ops.sqrt(n, y.data());
      for (Index i = 0; i < n; ++i) REQUIRE(y[i] == std::sqrt(x[i]));
    });
  }
}

TEST_CASE_TEMPLATE("add_to_bf16: the sum rounded once, to nearest, on every ISA", S, float, double) {
  for (const Index n : awkward_lengths) {
    CAPTURE(n);
    const auto x = random_buffer<S>(n, 1);
    const auto before = random_bf16(n, 2);
    on_every_isa<S>([&](const Operations<S>& ops) {
      auto y = copy(before);
      ops.add_to_bf16(n, x.data(), y.data());
      for (Index i = 0; i < n; ++i) REQUIRE(y[i] == to_bf16(static_cast<float>(S(number(before[i])) + x[i])).bits);
    });
  }
}

TEST_CASE("add_to_bf16: ties go to even, infinities and NaNs stay") {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const float all_ones = std::bit_cast<float>(0x7fffffffu);
  on_every_isa<float>([&](const Operations<float>& ops) {
    const float x[] = {0x1p-8f, 0x3p-8f, 0x1.8p-8f, -inf, nan, all_ones};
    std::uint16_t y[] = {0x3f80, 0x3f80, 0x3f80, 0, 0, 0};  // ones and zeros
    ops.add_to_bf16(6, x, y);
    CHECK(number(y[0]) == 1);
    CHECK(number(y[1]) == 1 + 0x4p-8);
    CHECK(number(y[2]) == 1 + 0x2p-8);
    CHECK(number(y[3]) == -inf);
    CHECK(std::isnan(number(y[4])));
    CHECK(std::isnan(number(y[5])));
  });
}

TEST_CASE("to_bf16_at_random: the mean over all noise is the number itself; what bf16 holds stays") {
  for (const float x : {1.f, -1.f, 0.f, 1.2345678f, -3e-20f, 0x1.fffffep-1f, 1e-41f, 65535.99f}) {
    CAPTURE(x);
    double sum = 0;
    for (std::uint32_t r = 0; r < 65536; ++r) sum += number(to_bf16_at_random(x, r | 0xabcd0000u).bits);
    CHECK(sum / 65536 == static_cast<double>(x));
  }
  CHECK(std::isinf(to_float(to_bf16_at_random(std::numeric_limits<float>::infinity(), 0xffff))));
  CHECK(std::isnan(to_float(to_bf16_at_random(std::bit_cast<float>(0x7fffffffu), 0xffff))));
}

TEST_CASE("noise_word: both halves are uniform, and neither tells of the other nor of its neighbour") {
  constexpr Index n = 1 << 20;
  const double deviations = 5 / std::sqrt(static_cast<double>(n));  // a mean's, five of them
  for (const std::uint32_t seed : {0u, 1u, 0x9e3779b9u}) {
    double low = 0, high = 0, both = 0, next = 0;
    double before = 0;
    for (Index i = 0; i < n; ++i) {
      const std::uint32_t word = noise_word(seed, i);
      const double a = (word & 0xffff) / 65536.0 - 0.5, b = (word >> 16) / 65536.0 - 0.5;
      low += a, high += b, both += a * b, next += a * before;
      before = a;
    }
    const double deviation = std::sqrt(1 / 12.0);  // of one
    CHECK(std::abs(low / n + 0.5 / 65536) <= deviations * deviation);
    CHECK(std::abs(high / n + 0.5 / 65536) <= deviations * deviation);
    CHECK(std::abs(both / n) <= deviations / 12);
    CHECK(std::abs(next / n) <= deviations / 12);
  }
}

TEST_CASE_TEMPLATE("adam_bf16: the formulas, moments within one step of bf16, on every ISA", S, float, double) {
  const AdamStep<S> by{.keep = S(0.99), .pull = S(0.01), .fresh1 = S(0.1), .beta2 = S(0.999), .fresh2 = S(0.001),
                       .step = S(0.02), .root_scale = S(2), .epsilon = S(1e-8)};
  for (const Index n : awkward_lengths) {
    CAPTURE(n);
    const auto grad = random_bf16(n, 1), m0 = random_bf16(n, 2), v0 = magnitudes(random_bf16(n, 3));
    const auto value0 = random_buffer<S>(n, 4);
    on_every_isa<S>([&](const Operations<S>& ops) {
      auto m = copy(m0), v = copy(v0);
      auto value = copy(value0);
      ops.adam_bf16(by, n, grad.data(), value.data(), m.data(), v.data(), 7);
      for (Index i = 0; i < n; ++i) {
        const double w = static_cast<double>(value0[i]), g = number(grad[i]) + 0.01 * w;
        const double new_m = number(m0[i]) + 0.1 * (g - number(m0[i])), new_v = 0.999 * number(v0[i]) + 0.001 * g * g;
        const double change = 0.02 * new_m / (std::sqrt(new_v) * 2 + 1e-8);
        const double size = std::abs(number(m0[i])) + 0.1 * std::abs(g);  // what new_m is the sum of
        REQUIRE(within(value[i], 0.99 * w - change, 20, std::abs(w) + std::abs(change) * size / std::abs(new_m)));
        REQUIRE(std::abs(number(m[i]) - new_m) <= bf16_step * std::abs(new_m) + 1e-6 * size);
        REQUIRE(std::abs(number(v[i]) - new_v) <= bf16_step * new_v + 1e-6 * new_v);
      }
    });
  }
}

TEST_CASE("adam_bf16: where sums are exact every ISA rounds to the same bits, those of the noise; so does any cut") {
  const AdamStep<float> by{.keep = 1, .pull = 0, .fresh1 = 0x1p-3f, .beta2 = 1 - 0x1p-8f, .fresh2 = 0x1p-8f, .step = 1,
                           .root_scale = 1, .epsilon = 1};
  const Index n = 577;
  GuardedBuffer<std::uint16_t> grad(n), m0(n), v0(n);
  for (Index i = 0; i < n; ++i) {
    grad[i] = to_bf16(static_cast<float>(1 + i % 15) / 16).bits;
    m0[i] = to_bf16(static_cast<float>(1 + i % 31) / 32).bits;
    v0[i] = to_bf16(static_cast<float>(1 + i % 63) / 64).bits;
  }
  on_every_isa<float>([&](const Operations<float>& ops) {
    for (const Index piece : {n, Index{1}, Index{19}}) {
      CAPTURE(piece);
      auto m = copy(m0), v = copy(v0);
      GuardedBuffer<float> value(n);
      std::fill(value.begin(), value.end(), 1.f);
      for (Index i = 0; i < n; i += piece)
        ops.adam_bf16(by, std::min(piece, n - i), grad.data() + i, value.data() + i, m.data() + i, v.data() + i,
                      static_cast<std::uint32_t>(11 + i));
      for (Index i = 0; i < n; ++i) {
        const auto g = static_cast<float>(number(grad[i])), old_m = static_cast<float>(number(m0[i])),
                   old_v = static_cast<float>(number(v0[i]));
        const std::uint32_t word = noise_word(11, i);
        REQUIRE(m[i] == to_bf16_at_random(old_m + 0x1p-3f * (g - old_m), word).bits);
        REQUIRE(v[i] == to_bf16_at_random(old_v - 0x1p-8f * old_v + 0x1p-8f * g * g, word >> 16).bits);
      }
    }
  });
}

TEST_CASE("adam_bf16: a NaN stays one") {
  on_every_isa<float>([](const Operations<float>& ops) {
    const std::uint16_t grad[] = {0x7fff, 0x3f80};
    std::uint16_t m[] = {0, 0}, v[] = {0, 0};
    float value[] = {1, 1};
    ops.adam_bf16({1, 0, 0.1f, 0.9f, 0.1f, 1, 1, 1e-8f}, 2, grad, value, m, v, 3);
    CHECK(std::isnan(value[0]));
    CHECK(std::isnan(number(m[0])));
    CHECK(std::isnan(number(v[0])));
    CHECK(std::isfinite(value[1]));
  });
}
