#include "tern/layers/linear.hpp"

#include <limits>

#include "support/layer_contract.hpp"
#include "tern/weights/ternary.hpp"

using namespace tern;
using namespace tern::test;

TEST_CASE_TEMPLATE("Linear keeps the layer contract", S, float, double) {
  Random random(3);
  Linear<S> linear{Dense<S>(random_matrix<S>(7, 8, random))};
  check_layer_contract(linear, {.tokens = 5, .in = 8, .out = 7, .seed = 3});
  linear.bias.emplace(random_matrix<S>(1, 7, random));
  check_layer_contract(linear, {.tokens = 5, .in = 8, .out = 7, .seed = 4});
}

TEST_CASE_TEMPLATE("Linear over ternary weights keeps the layer contract", S, float, double) {
  Random random(5);
  const Matrix<S> w = random_matrix<S>(33, 130, random);
  for (const auto scale : {kernels::TernaryScale::tensor, kernels::TernaryScale::row, kernels::TernaryScale::group,
                           kernels::TernaryScale::group64})
    for (const auto format : {kernels::TernaryFormat::two_bits, kernels::TernaryFormat::five_a_byte})
      check_layer_contract(Linear<S, Ternary<S>>{Ternary<S>::quantize(w, scale, format)},
                           {.tokens = 5, .in = 130, .out = 33, .seed = 3, .differentiable = false});
}

TEST_CASE("Linear agrees with the plain product") {
  Random random(7);
  for (const auto [tokens, in, out] : {std::array<Index, 3>{0, 3, 2}, {1, 1, 1}, {3, 17, 65}, {70, 33, 31}}) {
    const Matrix<float> w = random_matrix<float>(out, in, random), x = random_matrix<float>(tokens, in, random);
    Linear<float> linear{Dense<float>(w)};
    Linear<float>::Cache cache;
    Matrix<float> y(tokens, out);
    linear.forward({}, x, cache, y);
    // A sum of `in` products in any order is off by at most in * eps of the sum of their sizes.
    const Matrix<double> wide = x.cast<double>(), weights = w.cast<double>(), expected = wide * weights.transpose();
    const Matrix<double> bound = static_cast<double>(in) * static_cast<double>(std::numeric_limits<float>::epsilon()) *
                                 (wide.cwiseAbs() * weights.cwiseAbs().transpose());
    CHECK(((y.cast<double>() - expected).cwiseAbs().array() <= bound.array()).all());
  }
}

TEST_CASE("Linear says which shape it expected") {
  Linear<float> linear{Dense<float>(Matrix<float>::Zero(4, 768))};
  linear.name = "blocks.3.query";
  Linear<float>::Cache cache;
  Matrix<float> x(7, 512), y(7, 4);
  CHECK_THROWS_WITH_AS(linear.forward({}, x, cache, y),
                       "linear 'blocks.3.query' forward: expected x [* x 768], got [7 x 512]", ShapeError);
}
