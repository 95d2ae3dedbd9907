#pragma once
#include <string>

#include "tern/train/optimizer.hpp"

namespace tern {

struct SgdOptions {
  double momentum = 0;        ///< in [0, 1)
  double weight_decay = 0;    ///< not negative
  bool nesterov = false;      ///< needs a momentum
  bool decay_vectors = true;  ///< whether parameters of one row (gains, biases) decay too
  std::uint64_t seed = 0;     ///< of what rounds velocities in bf16
};

/// Stochastic gradient descent, by PyTorch's definition (torch.optim.SGD without dampening):
///   g = grad + weight_decay * value
///   v = momentum * v + g
///   value -= rate * (nesterov ? g + momentum * v : v)
/// Where a gradient is in bf16 (StateType), so is v, rounded at random as Adam's moments are. Allocates at construction
/// only.
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
  using Piece = typename Trainable<S>::Piece;

  void update(const Piece& piece, S rate) {
    if (trainable_.gradients().held(piece.parameter).is_bf16()) return update_bf16(piece, rate);
    S* velocity = state_.moments.empty() ? nullptr : state_.moments[piece.parameter].full().data() + piece.begin;
    move(piece, rate, piece.begin, piece.end, trainable_.gradients()[piece.parameter].data() + piece.begin, velocity);
  }

  /// As update, some numbers at a time, which become S on the way.
  void update_bf16(const Piece& piece, S rate) {
    const std::uint16_t* grad = trainable_.gradients().held(piece.parameter).bf16().data();
    std::uint16_t* velocity = state_.moments.empty() ? nullptr : state_.moments[piece.parameter].bf16().data();
    const std::uint32_t noise = detail::rounding_seed(options_.seed, state_.steps, piece.parameter, piece.begin);
    S wide_grad[detail::bf16_chunk], wide_velocity[detail::bf16_chunk];
    for (Index i = piece.begin; i < piece.end; i += detail::bf16_chunk) {
      const Index n = std::min(detail::bf16_chunk, piece.end - i);
      if (options_.weight_decay == 0 && all_zero(n, grad + i) && (velocity == nullptr || all_zero(n, velocity + i)))
        continue;
      kernels::widen_bf16(n, grad + i, wide_grad);
      if (velocity != nullptr) kernels::widen_bf16(n, velocity + i, wide_velocity);
      move(piece, rate, i, i + n, wide_grad, velocity != nullptr ? wide_velocity : nullptr);
      for (Index k = 0; velocity != nullptr && k < n; ++k)
        velocity[i + k] = kernels::to_bf16_at_random(static_cast<float>(wide_velocity[k]),
                                                     kernels::noise_word(noise, i + k - piece.begin))
                              .bits;
    }
  }

  /// Numbers [begin, end) of a piece's parameter, whose gradients and velocities begin at `grad` and `velocity`.
  void move(const Piece& piece, S rate, Index begin, Index end, const S* grad, S* velocity) {
    Matrix<S>& values = trainable_.value(piece.parameter);
    S* value = values.data() + begin;
    const auto momentum = static_cast<S>(options_.momentum);
    const auto decay = static_cast<S>(options_.decay_vectors || values.rows() > 1 ? options_.weight_decay : 0);
    for (Index i = 0; i < end - begin; ++i) {
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
