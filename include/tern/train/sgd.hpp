#pragma once
#include <string>

#include "tern/train/optimizer.hpp"

namespace tern {

struct SgdOptions {
  double momentum = 0;        ///< in [0, 1)
  double weight_decay = 0;    ///< not negative
  bool nesterov = false;      ///< needs a momentum
  bool decay_vectors = true;  ///< whether parameters of one row (gains, biases) decay too
};

/// Stochastic gradient descent, by PyTorch's definition (torch.optim.SGD without dampening):
///   g = grad + weight_decay * value
///   v = momentum * v + g
///   value -= rate * (nesterov ? g + momentum * v : v)
/// Allocates at construction only.
template <std::floating_point S>
class Sgd {
 public:
  using Scalar = S;

  /// Trains every parameter of `layers`. Throws ValueError on options outside their range.
  template <class... Layers>
    requires(!std::is_same_v<Layers, Trainable<S>> && ...)
  explicit Sgd(const SgdOptions& options, Layers&... layers) : Sgd(options, Trainable<S>(layers...)) {}
  /// Trains those parameters.
  Sgd(const SgdOptions& options, Trainable<S> trainable) : options_(options), trainable_(std::move(trainable)) {
    if (!(options.momentum >= 0 && options.momentum < 1))
      throw ValueError("sgd: expected a momentum in [0, 1), got " + std::to_string(options.momentum));
    if (!(options.weight_decay >= 0))
      throw ValueError("sgd: expected a weight decay of 0 or more, got " + std::to_string(options.weight_decay));
    if (options.nesterov && options.momentum == 0) throw ValueError("sgd: nesterov needs a momentum above 0, got 0");
    if (options.momentum > 0) detail::add_moments(state_, trainable_);
  }

  void step(double rate, const Parallel& parallel = {}) {
    ++state_.steps;
    trainable_.each_piece(parallel, [&](const auto& piece) { update(piece, static_cast<S>(rate)); });
  }

  Trainable<S>& trainable() { return trainable_; }

  /// One velocity for each parameter; none without momentum.
  const OptimizerState<S>& state() const { return state_; }

  /// Throws ShapeError where `state` is of other parameters.
  void restore(const OptimizerState<S>& state) { detail::restore_state("sgd", state_, state); }

 private:
  void update(const typename Trainable<S>::Piece& piece, S rate) {
    Matrix<S>& values = trainable_.value(piece.parameter);
    S* value = values.data();
    const S* grad = trainable_.gradients()[piece.parameter].data();
    S* velocity = state_.moments.empty() ? nullptr : state_.moments[piece.parameter].data();
    const auto momentum = static_cast<S>(options_.momentum);
    const auto decay = static_cast<S>(options_.decay_vectors || values.rows() > 1 ? options_.weight_decay : 0);
    for (Index i = piece.begin; i < piece.end; ++i) {
      const S g = grad[i] + decay * value[i];
      S direction = g;
      if (velocity != nullptr) {
        velocity[i] = momentum * velocity[i] + g;
        direction = options_.nesterov ? g + momentum * velocity[i] : velocity[i];
      }
      value[i] -= rate * direction;
    }
  }

  SgdOptions options_;
  Trainable<S> trainable_;
  OptimizerState<S> state_;
};
static_assert(Optimizer<Sgd<float>>);

}  // namespace tern
