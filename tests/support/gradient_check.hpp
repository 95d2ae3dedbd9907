#pragma once
/// Gradients against central finite differences, in double.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <string>

#include "tern/core/fields.hpp"
#include "tern/core/gradients.hpp"
#include "tern/core/random.hpp"

namespace tern::test {

template <class S>
Matrix<S> random_matrix(Index rows, Index columns, Random& random, double deviation = 1) {
  Matrix<S> m(rows, columns);
  fill_normal(m, random, deviation);
  return m;
}

/// |analytic - numeric| <= 1e-5 + 1e-3 * |numeric|, the bound of reliability tests, with a step of 1e-6.
inline bool gradient_agrees(double analytic, double numeric) {
  return std::abs(analytic - numeric) <= 1e-5 + 1e-3 * std::abs(numeric);
}

inline double numeric_gradient(double& at, const std::function<double()>& loss, double step = 1e-6) {
  const double kept = at;
  at = kept + step;
  const double above = loss();
  at = kept - step;
  const double below = loss();
  at = kept;
  return (above - below) / (2 * step);
}

/// Compares `gradient` with the finite differences of `loss` in `value`, at no more than `samples` places.
inline void check_gradient(const std::string& what, Matrix<double>& value, const Matrix<double>& gradient,
                           const std::function<double()>& loss, Index samples = 40) {
  REQUIRE_MESSAGE(gradient.size() == value.size(), what);
  const Index stride = std::max<Index>(1, value.size() / samples);
  for (Index i = 0; i < value.size(); i += stride) {
    const double numeric = numeric_gradient(value.data()[i], loss);
    const double analytic = gradient.data()[i];
    CHECK_MESSAGE(gradient_agrees(analytic, numeric), what, "[", i, "]: analytic ", analytic, ", numeric ", numeric);
  }
}

/// The same for every parameter of a layer, model or adapter that has a gradient.
template <class L>
void check_parameter_gradients(L& layer, const Gradients<double>& gradients, const std::function<double()>& loss,
                               Index samples = 40) {
  for_each_parameter(layer, [&](std::string_view path, Parameter<double>& p) {
    if (const Matrix<double>* g = gradients.find(p)) check_gradient(std::string(path), p.value, *g, loss, samples);
  });
}

}  // namespace tern::test
