#include "tern/layers/rms_norm.hpp"

#include "support/layer_contract.hpp"

using namespace tern;
using namespace tern::test;

TEST_CASE_TEMPLATE("RmsNorm keeps the layer contract", S, float, double) {
  for (const Index channels : {1, 8, 67}) {
    RmsNorm<S> norm(channels);
    Random random(2);
    norm.gain.value = random_matrix<S>(1, channels, random);
    for (const Index tokens : {5, 50})
      check_layer_contract(norm, {.tokens = tokens, .in = channels, .out = channels, .seed = 3});
  }
}

TEST_CASE("RmsNorm divides by the root mean square") {
  RmsNorm<double> norm(2, 0.0);
  norm.gain.value << 1, 10;
  Matrix<double> x(1, 2), y(1, 2);
  x << 3, 4;
  RmsNorm<double>::Cache cache;
  norm.forward({}, x, cache, y);
  const double rms = std::sqrt(12.5);
  CHECK(y(0, 0) == doctest::Approx(3 / rms));
  CHECK(y(0, 1) == doctest::Approx(40 / rms));
}

TEST_CASE("RmsNorm refuses every argument of another shape before it writes to it") {
  const RmsNorm<float> norm(4);
  const auto ones = [](Index rows, Index columns) { return Matrix<float>(Matrix<float>::Ones(rows, columns)); };
  for (const auto& shape : {std::pair<Index, Index>{2, 4}, {4, 4}, {3, 3}, {3, 5}}) {
    const auto rows = shape.first, columns = shape.second;
    CAPTURE(rows);
    CAPTURE(columns);
    RmsNorm<float>::Cache cache;
    Gradients<float> none;
    const Matrix<float> x = ones(3, 4), other = ones(rows, columns);
    Matrix<float> y = ones(3, 4), wrong = other;
    CHECK_THROWS_AS(norm.forward({}, other, cache, y), ShapeError);
    CHECK_THROWS_AS(norm.forward({}, x, cache, wrong), ShapeError);
    norm.forward({}, x, cache, y);
    y = x;
    CHECK_THROWS_AS(norm.backward({}, other, cache, x, y, none), ShapeError);
    CHECK_THROWS_AS(norm.backward({}, x, cache, other, y, none), ShapeError);
    CHECK_THROWS_AS(norm.backward({}, x, cache, x, wrong, none), ShapeError);
    CHECK(wrong == other);
    CHECK(y == x);
  }
}
