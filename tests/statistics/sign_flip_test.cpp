#include "tern/statistics/sign_flip.hpp"

#include <doctest/doctest.h>

#include <numeric>
#include <vector>

using namespace tern;
using namespace tern::statistics;
using doctest::Approx;

namespace {

SignFlip flip(const std::vector<double>& x, SignFlipOptions options = {}) {
  Random random(1);
  return sign_flip(x, random, options);
}

/// As the formula says, on whole numbers: no rounding.
double by_formula(const std::vector<int>& x) {
  const int sum = std::abs(std::accumulate(x.begin(), x.end(), 0));
  const unsigned flips = 1u << x.size();
  unsigned extreme = 0;
  for (unsigned f = 0; f < flips; ++f) {
    int flipped = 0;
    for (std::size_t i = 0; i < x.size(); ++i) flipped += f >> i & 1 ? -x[i] : x[i];
    extreme += std::abs(flipped) >= sum;
  }
  return static_cast<double>(extreme) / flips;
}

std::vector<double> scaled(const std::vector<int>& x, double factor) {
  std::vector<double> y;
  for (const int v : x) y.push_back(factor * v);
  return y;
}

}  // namespace

TEST_CASE("sign_flip: scipy's p") {
  // scipy 1.17.1: scipy.stats.permutation_test((x,), numpy.mean, permutation_type='samples', n_resamples=numpy.inf)
  const SignFlip nine = flip({0.31, -0.12, 0.25, 0.08, 0.19, -0.03, 0.22, 0.41, 0.02});
  CHECK(nine.p == 0.04296875);
  CHECK(nine.flips == 512);
  CHECK(nine.exact);
  CHECK(flip({0.021, -0.013, 0.034, 0.008, -0.019, 0.011, 0.027}).p == 0.25);
}

TEST_CASE("sign_flip: users who all say the same") {
  CHECK(flip({0.3}).p == 1);
  CHECK(flip({0.3, 0.1}).p == 0.5);
  CHECK(flip({0.3, 0.1, 0.2}).p == 0.25);
  for (const int n : {5, 12, 20}) CHECK(flip(std::vector<double>(n, 0.1)).p == std::ldexp(1, 1 - n));
  for (const int n : {1, 12, 20, 1000}) CHECK(flip(std::vector<double>(n, 0)).p == 1);
  CHECK(flip(std::vector<double>(1000, 0.1)).p == 1.0 / 100'001);
}

TEST_CASE("sign_flip: ties count although sums of tenths round differently") {
  // 0.1 + 0.2 - 0.3 is 5.6e-17, 0.3 - 0.2 - 0.1 is -2.8e-17: in tenths every flip ties with the sum 0.
  CHECK(flip({0.1, 0.2, -0.3}).p == 1);
  Random random(3);
  for (int round = 0; round < 300; ++round) {
    std::vector<int> x(2 + random.below(9));
    for (int& v : x) v = static_cast<int>(random.below(15)) - 7;
    CAPTURE(round);
    const double expected = by_formula(x);
    CHECK(flip(scaled(x, 0.1)).p == expected);
    CHECK(flip(scaled(x, -1e-9 / 3)).p == expected);
    std::reverse(x.begin(), x.end());
    CHECK(flip(scaled(x, 1e200 / 7)).p == expected);
  }
}

TEST_CASE("sign_flip: drawn flips come near the exact share") {
  Random random(5);
  std::vector<double> x;
  for (int i = 0; i < 14; ++i) x.push_back(0.03 + 0.1 * random.normal());
  const double exact = flip(x).p;
  const SignFlip drawn = flip(x, {.exact_up_to = 13});
  CHECK_FALSE(drawn.exact);
  CHECK(drawn.flips == 100'000);
  CHECK(std::abs(drawn.p - exact) < 5 * std::sqrt(exact * (1 - exact) / 100'000));
  // More than 64 values need more than one random word: flips of two halves that cancel are all as likely.
  std::vector<double> many(130, 0.0);
  many[0] = 1;
  many[64] = 1;
  many[129] = 1;
  CHECK(std::abs(flip(many).p - 0.25) < 5 * std::sqrt(0.25 * 0.75 / 100'000));
}

TEST_CASE("sign_flip: the generator decides draws, and exact tests leave it alone") {
  std::vector<double> x;
  Random values(6);
  for (int i = 0; i < 30; ++i) x.push_back(0.02 + 0.1 * values.normal());
  Random one(7), two(7), three(8);
  const double p = sign_flip(x, one).p;
  CHECK(p == sign_flip(x, two).p);
  CHECK(p != sign_flip(x, three).p);
  x.resize(20);
  const std::uint64_t state = one.state;
  sign_flip(x, one);
  CHECK(one.state == state);
}

TEST_CASE("sign_flip: false positives stay below 5.5% at 5%") {
  // 20,000 experiments: a test of 5% stays below 5.5% by three standard deviations of the share.
  const int experiments = 20'000;
  for (const int users : {6, 12, 24, 40}) {
    Random random(static_cast<std::uint64_t>(users));
    std::vector<double> x(users);
    int positive = 0;
    for (int e = 0; e < experiments; ++e) {
      for (double& v : x) v = 0.1 * random.normal();
      positive += sign_flip(x, random, {.exact_up_to = 12, .draws = 199}).p <= 0.05;
    }
    CAPTURE(users);
    CHECK(positive <= 0.055 * experiments);
    // Nor is it idle: 2/64 for six users, 4.98% or 5% for more, by five standard deviations.
    CHECK(positive >= (users == 6 ? 0.025 : 0.042) * experiments);
  }
}

TEST_CASE("sign_flip: what cannot be tested is named") {
  CHECK_THROWS_WITH_AS(flip({}), "sign flip: expected at least 1 value, got 0", ValueError);
  CHECK_THROWS_WITH_AS(flip({1, std::nan("")}), "sign flip: expected a finite value 1, got nan", ValueError);
  CHECK_THROWS_WITH_AS(flip({1e308, 1e308}), "sign flip: expected a finite sum of sizes, got inf", ValueError);
  CHECK_THROWS_WITH_AS(flip({1}, {.exact_up_to = 31}), "sign flip: expected exact_up_to in [0, 30], got 31",
                       ValueError);
  CHECK_THROWS_WITH_AS(flip({1}, {.draws = 0}), "sign flip: expected at least 1 draw, got 0", ValueError);
}
