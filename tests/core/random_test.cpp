#include "tern/core/random.hpp"

#include <doctest/doctest.h>

using namespace tern;

TEST_CASE("random: SplitMix64's published numbers for seed 1234567") {
  Random random(1234567);
  for (const std::uint64_t expected :
       {6457827717110365317u, 3203168211198807973u, 9817491932198370423u, 4593380528125082431u, 16408922859458223821u})
    CHECK(random.next() == expected);
}

TEST_CASE("random: the state is all there is") {
  Random a(7);
  a.next();
  Random b;
  b.state = a.state;
  for (int i = 0; i < 10; ++i) CHECK(a.next() == b.next());
}

TEST_CASE("random: uniform, below and normal are distributed as they say") {
  Random random(1);
  const int n = 100'000;
  double mean = 0, normal_mean = 0, normal_square = 0;
  int counts[7] = {};
  for (int i = 0; i < n; ++i) {
    const double u = random.uniform();
    if (!(u >= 0 && u < 1)) FAIL("outside [0, 1): " << u);
    mean += u / n;
    counts[random.below(7)] += 1;
    const double x = random.normal();
    normal_mean += x / n;
    normal_square += x * x / n;
  }
  // Five standard deviations.
  CHECK(mean == doctest::Approx(0.5).epsilon(5 * 0.289 / 316));
  for (const int count : counts) CHECK(std::abs(count - n / 7) < 5 * 111);
  CHECK(std::abs(normal_mean) < 5.0 / 316);
  CHECK(std::abs(normal_square - 1) < 5 * 1.42 / 316);
}
