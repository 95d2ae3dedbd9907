#pragma once
#include <cmath>
#include <string>

#include "tern/kernels/kernels.hpp"
#include "tern/train/optimizer.hpp"

namespace tern {

struct AdamOptions {
  double beta1 = 0.9;         ///< in [0, 1)
  double beta2 = 0.999;       ///< in [0, 1)
  double epsilon = 1e-8;      ///< not negative
  double weight_decay = 0;    ///< not negative
  bool decoupled = true;      ///< AdamW: decay the value itself; else add the decay to the gradient
  bool decay_vectors = true;  ///< whether parameters of one row (gains, biases) decay too
  std::uint64_t seed = 0;     ///< of what rounds moments in bf16
};

/// Adam (Kingma, Ba 2015) and AdamW (Loshchilov, Hutter 2019), by PyTorch's definition, with t counting steps from 1:
///   value *= 1 - rate * weight_decay          if decoupled, else
///   g      = grad + weight_decay * value
///   m      = beta1 * m + (1 - beta1) * g
///   v      = beta2 * v + (1 - beta2) * g^2
///   value -= rate / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon)
/// Where a gradient is in bf16 (StateType), so are m and v: they are computed in S, as the value is, and then rounded at
/// random, so that they are right on average (kernels::to_bf16_at_random). The noise is a function of (seed, step,
/// parameter, place): same bits with any number of workers. Allocates at construction only.
template <std::floating_point S>
class Adam {
 public:
  using Scalar = S;

  /// Trains every parameter of `layers`. Throws ValueError on options outside their range.
  template <class... Layers>
    requires(!std::is_same_v<Layers, Trainable<S>> && ...)
  explicit Adam(const AdamOptions& options, Layers&... layers) : Adam(options, Trainable<S>(layers...)) {}
  /// Trains those parameters.
  Adam(const AdamOptions& options, Trainable<S> trainable) : options_(options), trainable_(std::move(trainable)) {
    for (const double beta : {options.beta1, options.beta2})
      if (!(beta >= 0 && beta < 1)) throw ValueError("adam: expected a beta in [0, 1), got " + std::to_string(beta));
    if (!(options.epsilon >= 0))
      throw ValueError("adam: expected an epsilon of 0 or more, got " + std::to_string(options.epsilon));
    if (!(options.weight_decay >= 0))
      throw ValueError("adam: expected a weight decay of 0 or more, got " + std::to_string(options.weight_decay));
    detail::add_moments(state_, trainable_);  // m of each parameter,
    detail::add_moments(state_, trainable_);  // then v of each
  }

  /// `table`: whose adam_bf16 to run; null: the best that this machine has.
  void step(double rate, const Parallel& parallel = {}, const kernels::Table* table = nullptr) {
    const auto& ops = (table != nullptr ? *table : kernels::best_table()).template operations<S>();
    const auto t = static_cast<double>(++state_.steps);
    const Factors factors{static_cast<S>(rate / (1 - std::pow(options_.beta1, t))),
                          static_cast<S>(std::sqrt(1 - std::pow(options_.beta2, t)))};
    trainable_.each_piece(parallel, [&](const auto& piece) {
      if (trainable_.gradients().held(piece.parameter).is_bf16())
        update_bf16(piece, rate, factors, ops);
      else
        update(piece, rate, factors, ops);
    });
  }

  Trainable<S>& trainable() { return trainable_; }

  /// m of each parameter, then v of each.
  const OptimizerState<S>& state() const { return state_; }

  /// Throws ShapeError where `state` is of other parameters.
  void restore(const OptimizerState<S>& state) { detail::restore_state("adam", state_, state); }

 private:
  using Piece = typename Trainable<S>::Piece;
  struct Factors {
    S step;        // rate / (1 - beta1^t)
    S root_scale;  // sqrt(1 - beta2^t)
  };

  /// value *= keep and grad += pull * value are the decay.
  kernels::AdamStep<S> factors_of(const Matrix<S>& values, double rate, Factors factors) const {
    const double decay = options_.decay_vectors || values.rows() > 1 ? options_.weight_decay : 0;
    return {.keep = static_cast<S>(options_.decoupled ? 1 - rate * decay : 1),
            .pull = static_cast<S>(options_.decoupled ? 0 : decay),
            .fresh1 = static_cast<S>(1 - options_.beta1),
            .beta2 = static_cast<S>(options_.beta2),
            .fresh2 = static_cast<S>(1 - options_.beta2),
            .step = factors.step,
            .root_scale = 1 / factors.root_scale,
            .epsilon = static_cast<S>(options_.epsilon)};
  }

  void update_bf16(const Piece& piece, double rate, Factors factors, const kernels::Operations<S>& ops) {
    Matrix<S>& values = trainable_.value(piece.parameter);
    const std::uint16_t* const grad = trainable_.gradients().held(piece.parameter).bf16().data();
    std::uint16_t* const m = state_.moments[piece.parameter].bf16().data();
    std::uint16_t* const v = state_.moments[trainable_.size() + piece.parameter].bf16().data();
    const kernels::AdamStep<S> by = factors_of(values, rate, factors);
    const std::uint32_t noise = detail::rounding_seed(options_.seed, state_.steps, piece.parameter, piece.begin);
    constexpr Index most = 1024;
    for (Index i = piece.begin; i < piece.end; i += most) {
      const Index n = std::min(most, piece.end - i);
      // Where no gradient ever came all stays zero but the value, which decays: nothing is written there (Bf16Matrix).
      if (by.pull == 0 && by.epsilon > 0 && all_zero(n, grad + i) && all_zero(n, m + i) && all_zero(n, v + i)) {
        if (by.keep != 1) Eigen::Map<Eigen::Array<S, Eigen::Dynamic, 1>>(values.data() + i, n) *= by.keep;
        continue;
      }
      ops.adam_bf16(by, n, grad + i, values.data() + i, m + i, v + i,
                    noise + static_cast<std::uint32_t>(i - piece.begin));
    }
  }

  void update(const Piece& piece, double rate, Factors factors, const kernels::Operations<S>& ops) {
    Matrix<S>& values = trainable_.value(piece.parameter);
    const S* grad = trainable_.gradients()[piece.parameter].data();
    S* m = state_.moments[piece.parameter].full().data();
    S* v = state_.moments[trainable_.size() + piece.parameter].full().data();
    const kernels::AdamStep<S> by = factors_of(values, rate, factors);
    // Arrays of some numbers at a time, which Eigen computes in registers: a loop over std::sqrt, which may set errno, is
    // scalar and took 3.5 times as long. Eigen's own root takes numbers below 2^-126 for 0.
    constexpr Index most = 256;
    using Numbers = Eigen::Array<S, Eigen::Dynamic, 1, Eigen::ColMajor, most, 1>;
    for (Index i = piece.begin; i < piece.end; i += most) {
      const Index n = std::min(most, piece.end - i);
      Eigen::Map<Eigen::Array<S, Eigen::Dynamic, 1>> w(values.data() + i, n), mean(m + i, n), square(v + i, n);
      const Numbers g = Eigen::Map<const Eigen::Array<S, Eigen::Dynamic, 1>>(grad + i, n) + by.pull * w;
      mean += by.fresh1 * (g - mean);
      square = by.beta2 * square + by.fresh2 * g * g;
      Numbers root = square;
      ops.sqrt(n, root.data());
      w = by.keep * w - by.step * mean / (root / factors.root_scale + by.epsilon);
    }
  }

  AdamOptions options_;
  Trainable<S> trainable_;
  OptimizerState<S> state_;
};
static_assert(Optimizer<Adam<float>>);

}  // namespace tern
