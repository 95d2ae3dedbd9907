#pragma once
#include <doctest/doctest.h>
#include <array>
#include <cmath>

#include "tern/core/parameter.hpp"

namespace tern::test {

/// Four steps of an optimiser on two rows, with gradients that change sign and depend on the values, and a falling
/// rate. The expected values in the tests come from PyTorch 2.13, by
///
///   def run(make):
///       p = torch.nn.Parameter(torch.tensor([[1.0, -2.0, 0.5], [0.25, 3.0, -1.0]], dtype=torch.float64))
///       optimizer = make([p])
///       for t in range(1, 5):
///           g = torch.tensor([[0.5, -1.0, 0.1], [2.0, 0.0, -0.3]], dtype=torch.float64)
///           p.grad = g * (-1) ** t / t + 0.01 * p.detach()
///           for group in optimizer.param_groups: group["lr"] = 0.1 / t
///           optimizer.step()
///       return p
template <std::floating_point S>
Parameter<S> before_four_steps() {
  const std::array<S, 6> value = {S(1), S(-2), S(0.5), S(0.25), S(3), S(-1)};
  return Parameter<S>(Eigen::Map<const Matrix<S>>(value.data(), 2, 3));
}

template <class Optimizer, class P>
void take_step(Optimizer& optimizer, const P& p, int t) {
  using S = typename P::Scalar;
  const std::array<S, 6> g = {S(0.5), S(-1), S(0.1), S(2), S(0), S(-0.3)};
  const auto sign = static_cast<S>((t % 2 == 0 ? 1.0 : -1.0) / t);
  optimizer.trainable().gradients()[0] =
      sign * Eigen::Map<const Matrix<S>>(g.data(), 2, 3) + S(0.01) * p.value;
  optimizer.step(0.1 / t);
}

/// Checks against PyTorch's values to the scalar's precision.
template <class Optimizer, class Options, class S = typename Optimizer::Scalar>
void check_four_steps(const Options& options, const std::array<double, 6>& expected) {
  auto p = before_four_steps<S>();
  Optimizer optimizer(options, p);
  for (int t = 1; t <= 4; ++t) take_step(optimizer, p, t);
  const double tolerance = sizeof(S) == sizeof(float) ? 2e-6 : 1e-14;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CAPTURE(i);
    CHECK(std::abs(static_cast<double>(p.value.data()[i]) - expected[i]) <= tolerance * std::abs(expected[i]));
  }
}

}  // namespace tern::test
