#include "tern/adapters/site_gain.hpp"

#include <vector>

#include "support/layer_contract.hpp"

using namespace tern;
using namespace tern::test;

TEST_CASE_TEMPLATE("SiteGain keeps the adapter contract, users mixed in one batch", S, float, double) {
  const Index users[] = {0, 2, 2, 1, 0};
  Pass pass;
  pass.user = users;
  check_adapter_contract(SiteGain<S>(6, 3), {.tokens = 5, .in = 8, .out = 6, .seed = 3}, pass);
  check_adapter_contract(SiteGain<S>(130), {.tokens = 5, .in = 3, .out = 130, .seed = 4});
}

TEST_CASE("SiteGain starts as no change, then multiplies each row by its user's gain") {
  Random random(2);
  SiteGain<double> gain(4, 2);
  const Matrix<double> x = random_matrix<double>(3, 5, random), before = random_matrix<double>(3, 4, random);
  const Index users[] = {1, 0, 1};
  Pass pass;
  pass.user = users;
  SiteGain<double>::Cache cache;
  Matrix<double> y = before;
  gain.forward(pass, x, cache, y);
  CHECK(y == before);
  gain.gain.value = random_matrix<double>(2, 4, random);
  gain.forward(pass, x, cache, y);
  for (Index t = 0; t < 3; ++t) CHECK(y.row(t) == before.row(t).cwiseProduct(gain.gain.value.row(users[t])));
}

TEST_CASE("SiteGain: a gain of 0 trains on") {
  SiteGain<double> gain(2);
  gain.gain.value.setZero();
  const Matrix<double> x = Matrix<double>::Zero(1, 1);
  Matrix<double> y = Matrix<double>::Constant(1, 2, 3), dy = Matrix<double>::Constant(1, 2, 5), dx = x;
  SiteGain<double>::Cache cache;
  Gradients<double> gradients(gain);
  gain.forward({}, x, cache, y);
  gain.backward({}, x, cache, dy, dx, gradients);
  CHECK(gradients.of(gain.gain).isConstant(15));
}

TEST_CASE("SiteGain: a shorter batch uses a longer one's cache, which is what it keeps") {
  SiteGain<float> gain(4);
  SiteGain<float>::Cache cache;
  for (const Index rows : {7, 3}) {
    const Matrix<float> x = Matrix<float>::Ones(rows, 2);
    Matrix<float> y = Matrix<float>::Constant(rows, 4, 2.f), dy = y, dx = Matrix<float>::Zero(rows, 2);
    Gradients<float> gradients(gain);
    gain.forward({}, x, cache, y);
    gain.backward({}, x, cache, dy, dx, gradients);
    CHECK(gradients.of(gain.gain).isConstant(4.f * static_cast<float>(rows)));
    CHECK(dx.isZero(0));
  }
  CHECK(cache.bytes() == 7 * 4 * sizeof(float));
}

TEST_CASE("SiteGain refuses other widths, users it does not have, and backward before forward") {
  SiteGain<float> gain(4, 2);
  SiteGain<float>::Cache cache;
  Gradients<float> gradients(gain);
  Matrix<float> x = Matrix<float>::Ones(1, 3), y = Matrix<float>::Ones(1, 4), wide = Matrix<float>::Ones(1, 5), dx = x;
  CHECK_THROWS_WITH_AS(gain.forward({}, x, cache, wide), "site gain: expected y [1 x 4], got [1 x 5]", ShapeError);
  CHECK_THROWS_WITH_AS(gain.backward({}, x, cache, y, wide, gradients), "site gain: expected dx [1 x 3], got [1 x 5]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(gain.backward({}, x, cache, y, dx, gradients),
                       "site gain: expected the cache [1 x 4], got [0 x 0]", ShapeError);
  const std::vector<Index> users = {2};
  Pass pass;
  pass.user = users;
  CHECK_THROWS_WITH_AS(gain.forward(pass, x, cache, y), "site gain: expected a user in [0, 2), got 2", ValueError);
  CHECK_THROWS_WITH_AS(SiteGain<float>(0), "site gain: expected at least 1 channel, got 0", ValueError);
  CHECK_THROWS_WITH_AS(SiteGain<float>(3, 0), "site gain: expected at least 1 user, got 0", ValueError);
}
