#pragma once
#include "tern/core/matrix.hpp"

namespace tern {

/// A trainable tensor. `grad` has value's shape while the parameter is trainable and is empty while it is frozen;
/// backward passes add to it, nobody but the optimiser's owner clears it.
template <std::floating_point S>
struct Parameter {
  using Scalar = S;

  Parameter() = default;
  explicit Parameter(Matrix<S> initial) : value(std::move(initial)) {}

  bool trainable() const { return grad.size() == value.size() && value.size() > 0; }

  Matrix<S> value;
  Matrix<S> grad;
};

/// Creates a zero gradient, or frees it.
template <std::floating_point S>
void set_trainable(Parameter<S>& p, bool trainable) {
  if (trainable)
    p.grad = Matrix<S>::Zero(p.value.rows(), p.value.cols());
  else
    p.grad.resize(0, 0);
}

}  // namespace tern
