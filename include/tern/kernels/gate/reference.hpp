#pragma once
#include <cmath>

#include "tern/kernels/types.hpp"

namespace tern::kernels::reference {

/// An activation and its slope at one point.
template <class S>
struct Activation {
  S value;
  S slope;
};

/// With s = 1/(1 + exp(-v)):  silu is x*s at v = x;  gelu_tanh is x*s at v = 2*sqrt(2/pi)*(x + 0.044715*x^3),
/// because (1 + tanh(u))/2 = s(2u). Their slope is s + x*s*(1-s)*dv/dx.
template <class S>
Activation<S> activate(Gate kind, S x) {
  if (kind == Gate::relu_squared) {
    const S r = x < S(0) ? S(0) : x;  // keeps a NaN
    return {r * r, 2 * r};
  }
  constexpr S c = S(1.5957691216057308), cubic = S(0.044715);  // c = 2*sqrt(2/pi)
  const S v = kind == Gate::silu ? x : c * x * (1 + cubic * x * x);
  const S dv = kind == Gate::silu ? S(1) : c * (1 + 3 * cubic * x * x);
  const S s = 1 / (1 + std::exp(-v));
  return {x * s, s + x * s * (1 - s) * dv};
}

/// y = f(gate) * up. See Operations::gate.
template <class S>
void gate(Gate kind, Index n, const S* gate, const S* up, S* y) noexcept {
  for (Index i = 0; i < n; ++i) y[i] = activate(kind, gate[i]).value * up[i];
}

/// dgate += dy*up*f'(gate), dup += dy*f(gate). See Operations::gate_backward.
template <class S>
void gate_backward(Gate kind, Index n, const S* gate, const S* up, const S* dy, S* dgate, S* dup) noexcept {
  for (Index i = 0; i < n; ++i) {
    const Activation<S> f = activate(kind, gate[i]);
    dgate[i] += dy[i] * up[i] * f.slope;
    dup[i] += dy[i] * f.value;
  }
}

}  // namespace tern::kernels::reference
