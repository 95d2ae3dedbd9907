#include "tern/train/schedule.hpp"

#include <doctest/doctest.h>

using namespace tern;
using doctest::Approx;

TEST_CASE("schedule: a constant rate") { CHECK(ConstantRate{0.5}({7, 0.9}) == 0.5); }

TEST_CASE("schedule: warm-up rises by steps, the cosine falls by the budget") {
  const WarmupCosine rate{.peak = 2, .warmup = 4, .floor = 0.1};
  CHECK(rate({0, 0}) == Approx(0.5));
  CHECK(rate({3, 0}) == Approx(2));
  CHECK(rate({50, 0.5}) == Approx(1.1));
  CHECK(rate({50, 0.25}) == Approx(2 * (0.1 + 0.9 * (1 + std::sqrt(0.5)) / 2)));
  CHECK(rate({99, 1}) == Approx(0.2));
  CHECK(rate({99, 1.5}) == Approx(0.2));  // past the end
  CHECK(WarmupCosine{.peak = 3}({0, 0}) == Approx(3));
}
