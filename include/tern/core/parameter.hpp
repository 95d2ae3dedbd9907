#pragma once
#include "tern/core/matrix.hpp"

namespace tern {

/// A tensor that can train. Its gradient is the caller's: see Gradients.
template <std::floating_point S>
struct Parameter {
  using Scalar = S;

  Parameter() = default;
  explicit Parameter(Matrix<S> initial) : value(std::move(initial)) {}

  Matrix<S> value;
  bool takes_bf16 = false;  ///< whether its layer can add to a gradient in bf16: see StateType
};

}  // namespace tern
