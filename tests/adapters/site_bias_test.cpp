#include "tern/adapters/site_bias.hpp"

#include <vector>

#include "support/layer_contract.hpp"

using namespace tern;
using namespace tern::test;

TEST_CASE_TEMPLATE("SiteBias keeps the adapter contract, users mixed in one batch", S, float, double) {
  const Index users[] = {0, 2, 2, 1, 0};
  Pass pass;
  pass.user = users;
  check_adapter_contract(SiteBias<S>(6, 3), {.tokens = 5, .in = 8, .out = 6, .seed = 3}, pass);
  check_adapter_contract(SiteBias<S>(130), {.tokens = 5, .in = 3, .out = 130, .seed = 4});
}

TEST_CASE("SiteBias starts as no change, then adds each row's user's bias") {
  Random random(2);
  SiteBias<double> bias(4, 2);
  const Matrix<double> x = random_matrix<double>(3, 5, random), before = random_matrix<double>(3, 4, random);
  const Index users[] = {1, 0, 1};
  Pass pass;
  pass.user = users;
  SiteBias<double>::Cache cache;
  Matrix<double> y = before;
  bias.forward(pass, x, cache, y);
  CHECK(y == before);
  bias.bias.value = random_matrix<double>(2, 4, random);
  bias.forward(pass, x, cache, y);
  for (Index t = 0; t < 3; ++t) CHECK(y.row(t) == before.row(t) + bias.bias.value.row(users[t]));
  CHECK(cache.bytes() == 0);
}

TEST_CASE("SiteBias: gradients go to the user of each row and to nobody else") {
  SiteBias<double> bias(2, 3);
  const Index users[] = {2, 0, 2};
  Pass pass;
  pass.user = users;
  SiteBias<double>::Cache cache;
  Gradients<double> gradients(bias);
  const Matrix<double> x = Matrix<double>::Zero(3, 1);
  Matrix<double> dy(3, 2), dx = x;
  dy << 1, 2, 10, 20, 100, 200;
  bias.backward(pass, x, cache, dy, dx, gradients);
  Matrix<double> expected(3, 2);
  expected << 10, 20, 0, 0, 101, 202;
  CHECK(gradients.of(bias.bias) == expected);
}

TEST_CASE("SiteBias refuses other widths and users it does not have") {
  SiteBias<float> bias(4, 2);
  SiteBias<float>::Cache cache;
  Gradients<float> gradients(bias);
  Matrix<float> x = Matrix<float>::Ones(1, 3), y = Matrix<float>::Ones(1, 4), wide = Matrix<float>::Ones(1, 5);
  CHECK_THROWS_WITH_AS(bias.forward({}, x, cache, wide), "site bias: expected y [1 x 4], got [1 x 5]", ShapeError);
  CHECK_THROWS_WITH_AS(bias.backward({}, x, cache, y, wide, gradients), "site bias: expected dx [1 x 3], got [1 x 5]",
                       ShapeError);
  const std::vector<Index> users = {-1};
  Pass pass;
  pass.user = users;
  CHECK_THROWS_WITH_AS(bias.forward(pass, x, cache, y), "site bias: expected a user in [0, 2), got -1", ValueError);
  CHECK_THROWS_WITH_AS(SiteBias<float>(0), "site bias: expected at least 1 channel, got 0", ValueError);
  CHECK_THROWS_WITH_AS(SiteBias<float>(3, 0), "site bias: expected at least 1 user, got 0", ValueError);
}
