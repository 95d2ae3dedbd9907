#include "tern/adapters/lora.hpp"

#include "support/layer_contract.hpp"

using namespace tern;
using namespace tern::test;

TEST_CASE_TEMPLATE("Lora keeps the adapter contract", S, float, double) {
  Random random(1);
  for (const Index rank : {1, 4})
    check_adapter_contract(Lora<S>(8, 6, rank, S(8), random), {.tokens = 5, .in = 8, .out = 6, .seed = 3});
}

TEST_CASE("Lora starts as no change and scales by alpha/rank") {
  Random random(2);
  Lora<double> lora(3, 2, 4, 8, random);
  CHECK(lora.scale() == 2);
  const Matrix<double> x = random_matrix<double>(2, 3, random);
  Matrix<double> y = Matrix<double>::Zero(2, 2);
  Lora<double>::Cache cache;
  lora.forward({}, x, cache, y);
  CHECK(y.isZero());
  lora.up.value = random_matrix<double>(2, 4, random);
  lora.forward({}, x, cache, y);
  const Matrix<double> expected = 2 * x * lora.down.value.transpose() * lora.up.value.transpose();
  CHECK((y - expected).cwiseAbs().maxCoeff() < 1e-14);
}

TEST_CASE("Lora refuses rank 0") {
  Random random(2);
  CHECK_THROWS_WITH_AS(Lora<float>(3, 2, 0, 1, random), "lora: expected a rank > 0, got 0", ValueError);
}
