#include "tern/weights/tiled.hpp"

#include "support/layer_contract.hpp"
#include "tern/layers/linear.hpp"
#include "tern/weights/dense.hpp"

using namespace tern;
using namespace tern::test;

TEST_CASE_TEMPLATE("Tiled weights keep the layer contract", S, float, double) {
  Random random(5);
  check_layer_contract(Linear<S, Tiled<S>>{Tiled<S>::quantize(random_matrix<S>(33, 70, random))},
                       {.tokens = 5, .in = 70, .out = 33, .seed = 3, .differentiable = false});
}

TEST_CASE("Tiled weights give the bits of dense ones forward, in any precision") {
  Random random(6);
  const Matrix<float> w = random_matrix<float>(65, 130, random), x = random_matrix<float>(9, 130, random);
  const Dense<float> dense(w);
  const Tiled<float> tiled = Tiled<float>::quantize(w);
  Dense<float>::Cache a;
  Tiled<float>::Cache b;
  Matrix<float> expected(9, 65), y(9, 65);
  dense.multiply({}, x, a, expected);
  for (const Precision precision : {Precision::full, Precision::mixed}) {
    Pass pass;
    pass.precision = precision;
    tiled.multiply(pass, x, b, y);
    CHECK(y == expected);
  }
}
