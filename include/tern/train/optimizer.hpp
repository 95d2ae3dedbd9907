#pragma once
#include <concepts>
#include <string>
#include <string_view>
#include <vector>

#include "tern/core/error.hpp"
#include "tern/train/trainable.hpp"

namespace tern {

/// What an optimiser remembers between steps, and a checkpoint keeps: steps taken, and for each trained parameter one
/// or more matrices of its shape, in bf16 where its gradient is.
template <std::floating_point S>
struct OptimizerState {
  Index steps = 0;
  std::vector<StateMatrix<S>> moments;
};

/// Changes the parameters it trains against their gradients. It reads the gradients and leaves them as they are.
template <class O>
concept Optimizer = requires(O o, const O c, double rate, const Parallel& parallel,
                             const OptimizerState<typename O::Scalar>& state) {
  { o.trainable() } -> std::same_as<Trainable<typename O::Scalar>&>;
  o.step(rate, parallel);
  { c.state() } -> std::same_as<const OptimizerState<typename O::Scalar>&>;
  o.restore(state);
};

namespace detail {

/// Appends a zero matrix for each trained parameter, held as its gradient is.
template <std::floating_point S>
void add_moments(OptimizerState<S>& state, const Trainable<S>& trainable) {
  for (std::size_t i = 0; i < trainable.size(); ++i)
    state.moments.push_back(StateMatrix<S>::zero(trainable.gradients().held(i).type(), trainable.value(i).rows(),
                                                 trainable.value(i).cols()));
}

/// Copies `from` into `into`. Throws ShapeError where they do not belong to the same parameters, ValueError where one
/// holds in bf16 what the other holds in full.
template <std::floating_point S>
void restore_state(std::string_view optimizer, OptimizerState<S>& into, const OptimizerState<S>& from) {
  if (from.moments.size() != into.moments.size())
    throw ShapeError(std::string(optimizer) + " state: expected " + std::to_string(into.moments.size()) +
                     " moments, got " + std::to_string(from.moments.size()));
  for (std::size_t i = 0; i < into.moments.size(); ++i) {
    expect_shape(std::string(optimizer) + " state", "moment " + std::to_string(i), from.moments[i],
                 into.moments[i].rows(), into.moments[i].cols());
    if (from.moments[i].type() != into.moments[i].type())
      throw ValueError(std::string(optimizer) + " state: expected moment " + std::to_string(i) + " in " +
                       std::string(name(into.moments[i].type())) + ", got " + std::string(name(from.moments[i].type())));
  }
  into = from;
}

}  // namespace detail
}  // namespace tern
