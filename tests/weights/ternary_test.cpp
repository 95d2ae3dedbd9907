#include "tern/weights/ternary.hpp"

#include "support/gradient_check.hpp"

using namespace tern;
using namespace tern::test;

namespace {

constexpr Index tokens = 9, rows = 70, columns = 300;

template <class S>
Matrix<S> gradient(const Pass& pass, const Ternary<S>& w, const Matrix<S>& dy, const Matrix<S>& before) {
  typename Ternary<S>::Cache cache;
  Matrix<S> dx = before;
  w.multiply_transposed(pass, dy, cache, dx);
  return dx;
}

}  // namespace

TEST_CASE(
    "Ternary weights: activations are int8 as BitLinear has them, except under scales for groups in full precision") {
  Random random(10);
  const Matrix<double> dense = random_matrix<double>(rows, columns, random),
                       x = random_matrix<double>(tokens, columns, random);
  for (const auto granularity : {kernels::TernaryScale::tensor, kernels::TernaryScale::row,
                                 kernels::TernaryScale::group, kernels::TernaryScale::group64})
    for (const Precision precision : {Precision::full, Precision::mixed}) {
      const auto w = Ternary<double>::quantize(dense, granularity);
      Matrix<double> values(rows, columns), y(tokens, rows);
      for (Index r = 0; r < rows; ++r) w.row(r, values.row(r).data());
      Pass pass;
      pass.precision = precision;
      Ternary<double>::Cache cache;
      w.multiply(pass, x, cache, y);
      const double apart = (y - x * values.transpose()).cwiseAbs().maxCoeff();
      const bool in_groups =
          granularity == kernels::TernaryScale::group || granularity == kernels::TernaryScale::group64;
      if (in_groups && precision == Precision::full)
        CHECK(apart < 1e-12);
      else
        CHECK(apart > 1e-6);
    }
}

TEST_CASE_TEMPLATE("Ternary weights: gradients rounded to int8 differ by no more than their roundings", S, float,
                   double) {
  Random random(8);
  const Matrix<S> dense = random_matrix<S>(rows, columns, random), dy = random_matrix<S>(tokens, rows, random),
                  before = random_matrix<S>(tokens, columns, random);
  for (const auto granularity : {kernels::TernaryScale::tensor, kernels::TernaryScale::row,
                                 kernels::TernaryScale::group, kernels::TernaryScale::group64})
    for (const auto format : {kernels::TernaryFormat::two_bits, kernels::TernaryFormat::five_a_byte}) {
      const auto w = Ternary<S>::quantize(dense, granularity, format);
      const kernels::TernaryView v = w.view();
      for (const GradientRounding rounding : {GradientRounding::nearest, GradientRounding::stochastic}) {
        Pass pass;
        pass.gradients = rounding;
        const Matrix<S> dx = gradient(pass, w, dy, before);
        const double roundings = rounding == GradientRounding::nearest ? 0.5 : 1;
        Index wrong = 0;
        for (Index t = 0; t < tokens; ++t)
          for (Index k = 0; k < columns; ++k) {
            const Index g = v.group(k);
            double sum = static_cast<double>(before(t, k)), top = 0, nonzeros = 0;
            for (Index r = 0; r < rows; ++r) {
              const double scaled = static_cast<double>(dy(t, r)) * static_cast<double>(v.scale(r, g));
              top = std::max(top, std::abs(scaled));
              nonzeros += std::abs(v.weight(r, k));
              sum += scaled * v.weight(r, k);
            }
            // Exact but for the codes' roundings, and float's own of the scales and the sum.
            const double bound = top / 127 * nonzeros * roundings * (1 + 1e-4) + 1e-5;
            wrong += !(std::abs(static_cast<double>(dx(t, k)) - sum) <= bound);
          }
        CHECK(wrong == 0);
      }
    }
}

TEST_CASE("Ternary weights: gradients rounded to int8 have the same bits on every ISA and any number of threads") {
  Random random(9);
  const Matrix<float> dense = random_matrix<float>(rows, columns, random),
                      dy = random_matrix<float>(tokens, rows, random), before = Matrix<float>::Zero(tokens, columns);
  for (const auto granularity :
       {kernels::TernaryScale::tensor, kernels::TernaryScale::group, kernels::TernaryScale::group64}) {
    const auto w = Ternary<float>::quantize(dense, granularity);
    for (const GradientRounding rounding : {GradientRounding::nearest, GradientRounding::stochastic}) {
      Pass pass;
      pass.gradients = rounding;
      const Matrix<float> expected = gradient(pass, w, dy, before);
      for (const kernels::Isa isa : kernels::runnable_isas())
        for (const Index threads : {1, 2, 3, 7}) {
          ThreadPool pool(threads);
          pass.kernels = &kernels::table(isa);
          pass.parallel = pool.parallel();
          CAPTURE(kernels::name(isa));
          CHECK(gradient(pass, w, dy, before) == expected);
        }
    }
  }
}
