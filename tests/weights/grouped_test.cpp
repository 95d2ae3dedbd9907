#include "tern/weights/grouped.hpp"

#include "support/layer_contract.hpp"
#include "tern/layers/linear.hpp"

using namespace tern;
using namespace tern::test;

namespace {

template <class W>
Matrix<double> unpacked(const W& weights) {
  const auto view = weights.view();
  Matrix<double> w(weights.rows(), weights.columns());
  for (Index r = 0; r < w.rows(); ++r)
    for (Index k = 0; k < w.cols(); ++k) w(r, k) = view.template weight<double>(r, k);
  return w;
}

/// The storages of every format.
template <class List>
struct Storages;
template <class... F>
struct Storages<kernels::Formats<F...>> {
  using Floats = std::tuple<Grouped<float, F>...>;
  using Doubles = std::tuple<Grouped<double, F>...>;
  using Both = std::tuple<Grouped<float, F>..., Grouped<double, F>...>;
};
using Floats = Storages<kernels::GroupedFormats>::Floats;
using Doubles = Storages<kernels::GroupedFormats>::Doubles;
using Both = Storages<kernels::GroupedFormats>::Both;

}  // namespace

TEST_CASE_TEMPLATE_DEFINE("grouped weights give the same bits on any number of threads", W, grouped_weights_1) {
  Random random(8);
  const W weights = W::quantize(random_matrix<float>(300, 200, random));
  const Matrix<float> x = random_matrix<float>(9, 200, random);
  for (const Precision precision : {Precision::full, Precision::mixed}) {
    Pass pass;
    pass.precision = precision;
    typename W::Cache cache;
    Matrix<float> expected(9, 300), y(9, 300);
    weights.multiply(pass, x, cache, expected);
    for (const Index threads : {2, 3, 7}) {
      ThreadPool pool(threads);
      pass.parallel = pool.parallel();
      weights.multiply(pass, x, cache, y);
      CHECK(y == expected);
    }
  }
}

TEST_CASE_TEMPLATE_DEFINE("grouped weights keep the layer contract", W, grouped_weights_2) {
  using S = typename W::Scalar;
  Random random(5);
  check_layer_contract(Linear<S, W>{W::quantize(random_matrix<S>(33, 140, random))},
                       {.tokens = 5, .in = 140, .out = 33, .seed = 3, .differentiable = false});
}

TEST_CASE_TEMPLATE_DEFINE("grouped weights round by at most half a step", W, grouped_weights_3) {
  using F = typename W::Format;
  Random random(6);
  Matrix<float> w = random_matrix<float>(19, 100, random);
  w.row(3).setZero();
  w.row(4).setConstant(0.7f);
  w.row(5) *= 1e-6f;  // scales below what binary16 holds normally
  const Matrix<double> got = unpacked(W::quantize(w));
  for (Index r = 0; r < w.rows(); ++r)
    for (Index first = 0; first < w.cols(); first += kernels::group_columns) {
      const auto group =
          w.row(r).segment(first, std::min<Index>(kernels::group_columns, w.cols() - first)).cast<double>();
      const double top = group.cwiseAbs().maxCoeff();
      constexpr int most = (1 << F::bits) - 1;
      const double step =
          F::has_minimum ? (group.maxCoeff() - group.minCoeff()) / most : top / (F::bits == 8 ? 127 : F::zero_code);
      // binary16 moves the scale and the minimum: by 2^-11 relative, or by 2^-25 where it is subnormal.
      const double halves = (F::has_minimum ? most * step + top : top) * 0x1p-11 + 128 * 0x1p-25;
      const bool positive =
          group.maxCoeff() == top;  // of the largest weight; without a minimum the other sign has one step less
      for (Index k = 0; k < group.size(); ++k) {
        const bool beyond = 8 > F::bits && !F::has_minimum && std::abs(group[k]) > (F::zero_code - 0.5) * step &&
                            (group[k] > 0) != positive;
        CHECK(std::abs(got(r, first + k) - group[k]) <= (beyond ? 1 : 0.5) * step + halves);
      }
    }
}

TEST_CASE_TEMPLATE_DEFINE("grouped weights multiply as what they hold", W, grouped_weights_4) {
  Random random(7);
  const W weights = W::quantize(random_matrix<double>(31, 300, random));
  const Matrix<double> w = unpacked(weights), x = random_matrix<double>(9, 300, random),
                       dy = random_matrix<double>(9, 31, random);
  typename W::Cache cache;
  Matrix<double> y(9, 31), dx = Matrix<double>::Zero(9, 300);
  const Matrix<double> expected = x * w.transpose();
  weights.multiply({}, x, cache, y);
  weights.multiply_transposed({}, dy, cache, dx);
  CHECK((y - expected).cwiseAbs().maxCoeff() < 1e-12);
  CHECK(cache.bytes() == 0);
  Pass mixed;
  mixed.precision = Precision::mixed;
  weights.multiply(mixed, x, cache, y);
  CHECK((y - expected).cwiseAbs().maxCoeff() > 1e-6);
  // A token's rounding is at most half of its group's scale, times the weights it meets.
  for (Index t = 0; t < 9; ++t)
    for (Index r = 0; r < 31; ++r) {
      const double bound = x.row(t).cwiseAbs().maxCoeff() / 127 * 0.5 * w.row(r).cwiseAbs().sum() * (1 + 1e-9);
      CHECK(std::abs(y(t, r) - expected(t, r)) <= bound);
    }
  CHECK((dx - dy * w).cwiseAbs().maxCoeff() < 1e-12);
}

TEST_CASE_TEMPLATE_DEFINE("grouped weights: gradients in int8 differ from finite differences by no more than their roundings",
                          W, grouped_weights_5) {
  using S = typename W::Scalar;
  const Index tokens = 9, rows = 200, columns = 300;
  Random random(9);
  Matrix<S> dense = random_matrix<S>(rows, columns, random);
  dense.row(3).setZero();
  dense.row(4) *= S(50);
  const Linear<S, W> layer{W::quantize(dense)};
  const auto view = layer.weight.view();
  const Matrix<S> x = random_matrix<S>(tokens, columns, random), dy = random_matrix<S>(tokens, rows, random),
                  before = random_matrix<S>(tokens, columns, random);
  typename Linear<S, W>::Cache cache;
  // The layer is linear, so that a difference in column k is the derivative whatever the step is.
  Matrix<double> numeric(tokens, columns);
  for (Index k = 0; k < columns; ++k) {
    Matrix<S> above = x, below = x, y(tokens, rows), z(tokens, rows);
    above.col(k).array() += S(0.5);
    below.col(k).array() -= S(0.5);
    layer.forward({}, above, cache, y);
    layer.forward({}, below, cache, z);
    numeric.col(k) = ((y - z).array() * dy.array()).template cast<double>().rowwise().sum();
  }
  for (const GradientRounding rounding : {GradientRounding::nearest, GradientRounding::stochastic}) {
    Pass pass;
    pass.gradients = rounding;
    Matrix<S> dx = before, y(tokens, rows);
    layer.forward(pass, x, cache, y);
    Gradients<S> none;
    layer.backward(pass, x, cache, dy, dx, none);
    Index wrong = 0, exact = 0;
    for (Index t = 0; t < tokens; ++t)
      for (Index k = 0; k < columns; ++k) {
        double scale = 0, codes = 0, bound = 0;  // scale and codes of 128 rows
        const auto close = [&] {
          bound += scale * (rounding == GradientRounding::nearest ? 0.5 : 1) * codes;
          scale = codes = 0;
        };
        for (Index r = 0; r < rows; ++r) {
          if (r == 128) close();
          double size = 0;
          for (Index c = 0; c < columns; ++c) size = std::max(size, std::abs(view.template weight<double>(r, c)));
          const double unit = size / 63, gradient = std::abs(static_cast<double>(dy(t, r)));
          scale = std::max(scale, gradient * unit / 127);
          codes += size > 0 ? std::min(63.0, std::abs(view.template weight<double>(r, k)) / unit + 1) : 0;
          bound += gradient * unit * (0.5 + (std::abs(view.code(r, k)) + 1) / 512.0);
        }
        close();
        const double apart = std::abs(static_cast<double>(dx(t, k) - before(t, k)) - numeric(t, k));
        wrong += !(apart <= bound * (1 + 1e-4) + 1e-9);  // and roundings: of what turns codes in float, and in double
        exact += apart < 1e-6;
      }
    CHECK(wrong == 0);
    CHECK(exact < tokens * columns / 10);  // it is rounded
  }
}

TEST_CASE_TEMPLATE_DEFINE("grouped weights: gradients in int8 have the same bits on every ISA and any number of threads", W,
                          grouped_weights_6) {
  const Index tokens = 9, rows = 200, columns = 300;
  Random random(10);
  const W weights = W::quantize(random_matrix<float>(rows, columns, random));
  const Matrix<float> dy = random_matrix<float>(tokens, rows, random);
  const auto gradient = [&](const Pass& pass) {
    typename W::Cache cache;
    Matrix<float> dx = Matrix<float>::Zero(tokens, columns);
    weights.multiply_transposed(pass, dy, cache, dx);
    return dx;
  };
  for (const GradientRounding rounding : {GradientRounding::nearest, GradientRounding::stochastic}) {
    Pass pass;
    pass.gradients = rounding;
    const Matrix<float> expected = gradient(pass);
    for (const kernels::Isa isa : kernels::runnable_isas())
      for (const Index threads : {1, 2, 3, 7}) {
        ThreadPool pool(threads);
        pass.kernels = &kernels::table(isa);
        pass.parallel = pool.parallel();
        CAPTURE(kernels::name(isa));
        CHECK(gradient(pass) == expected);
      }
  }
}

TEST_CASE("grouped weights say what they expected") {
  const std::vector<std::int8_t> codes(64);
  const std::vector<kernels::Half> scales(1);
  CHECK_THROWS_WITH_AS(Q8<float>::from_codes(2, 32, codes, scales), "grouped weights: expected 2 scales, got 1",
                       ShapeError);
}

TEST_CASE_TEMPLATE_APPLY(grouped_weights_1, Floats);
TEST_CASE_TEMPLATE_APPLY(grouped_weights_2, Both);
TEST_CASE_TEMPLATE_APPLY(grouped_weights_3, Floats);
TEST_CASE_TEMPLATE_APPLY(grouped_weights_4, Doubles);
TEST_CASE_TEMPLATE_APPLY(grouped_weights_5, Doubles);
TEST_CASE_TEMPLATE_APPLY(grouped_weights_6, Floats);
