#pragma once
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tern/core/error.hpp"
#include "tern/core/language_model.hpp"
#include "tern/train/batches.hpp"
#include "tern/train/budget.hpp"
#include "tern/train/clip.hpp"
#include "tern/train/optimizer.hpp"
#include "tern/train/schedule.hpp"
#include "tern/train/snapshot.hpp"

namespace tern {

struct FitOptions {
  Budget budget{};       ///< of training alone: what the hooks take is not counted
  Index accumulate = 1;  ///< batches a step; the loss is the mean over all their targets
  double clip = std::numeric_limits<double>::infinity();  ///< limit of the gradients' joint norm

  /// How often `validate` is asked, besides before the first step and after the last.
  Budget validate_every = Budget::of_steps(10);
  Index patience = 0;  ///< validations in a row without improvement that end the run; 0: none do
  bool keep_best = true;  ///< the parameters of the best validation stay; false: the last ones, nothing is selected

  /// Nats a token at which a run counts as diverged; a uniform guess over a million tokens costs 14.
  double loss_limit = 50;

  Index first_step = 0;      ///< steps of an earlier part of the run, all of it restored by the caller
  double first_seconds = 0;  ///< and its seconds
};

/// A moment of a run.
struct FitPoint {
  Index step = 0;            ///< steps taken
  double seconds = 0;        ///< of training
  double train_loss = 0;     ///< nats a token: of the step before, or, in the curve, the mean since the last point
  double rate = 0;           ///< of the step before
  double gradient_norm = 0;  ///< of the step before, unclipped
  double fraction = 0;       ///< share of the budget spent
  std::optional<double> validation{};  ///< nats a token, or whatever `validate` measures; less is better
};

/// What the caller may want to know or decide. Each may be empty. None counts as training time.
struct FitHooks {
  std::function<double()> validate{};              ///< measures the model as it stands
  std::function<void(const FitPoint&)> on_best{};  ///< after a validation better than all before
  std::function<void(const FitPoint&)> on_step{};  ///< after every step: progress, checkpoints
  std::function<bool()> interrupted{};             ///< asked before every step; true ends the run
};

enum class FitStatus {
  finished,       ///< the budget is spent
  stopped_early,  ///< validation stopped improving
  interrupted,
  diverged,  ///< a loss, gradient or validation was not finite, or a loss beyond the limit
};

constexpr std::string_view name(FitStatus status) {
  constexpr std::string_view names[] = {"finished", "stopped early", "interrupted", "diverged"};
  return names[static_cast<std::size_t>(status)];
}

struct FitResult {
  FitStatus status = FitStatus::finished;
  std::string reason;  ///< why it diverged: what, at which step, the last finite loss
  Index steps = 0;     ///< taken, those before first_step included
  double seconds = 0;  ///< of training
  std::vector<FitPoint>
      curve;            ///< one point a validation, the first before any step; only the last step without `validate`
  Index best_step = 0;  ///< whose parameters the model now has
  std::optional<double> best_validation;
  double last_loss = 0;  ///< of the last step whose loss was finite

  bool ok() const { return status != FitStatus::diverged; }
};

namespace detail {

/// One run of fit(); see there.
template <LanguageModel M, Optimizer O, BatchSource B, class Schedule>
class Fit {
  using S = typename M::Scalar;
  static_assert(std::same_as<S, typename O::Scalar>, "model and optimiser share one scalar");

 public:
  Fit(const M& model, typename M::Cache& cache, const Pass& pass, O& optimizer, B& source, const Schedule& schedule,
      const FitOptions& options, const FitHooks& hooks)
      : model_(model),
        cache_(cache),
        pass_(pass),
        optimizer_(optimizer),
        source_(source),
        schedule_(schedule),
        options_(options),
        hooks_(hooks),
        batches_(static_cast<std::size_t>(options.accumulate)),
        watch_(options.first_seconds) {
    now_.step = options.first_step;
    now_.seconds = options.first_seconds;
  }

  FitResult run() {
    if (hooks_.validate) {
      const auto pause = watch_.pause();
      if (options_.keep_best) best_.emplace(optimizer_.trainable());
      validate();
    }
    while (result_.status == FitStatus::finished && !spent()) {
      if (hooks_.interrupted && asked_to_stop())
        result_.status = FitStatus::interrupted;
      else if (step() && hooks_.validate && validation_due())
        validate();
    }
    finish();
    return std::move(result_);
  }

 private:
  bool spent() const { return options_.budget.spent(now_.step, watch_.seconds()); }

  bool asked_to_stop() {
    const auto pause = watch_.pause();
    return hooks_.interrupted();
  }

  /// One change of the parameters. False, and nothing changed, where the run diverged.
  bool step() {
    const Progress progress{now_.step, options_.budget.fraction(now_.step, watch_.seconds())};
    const double loss = gradients();
    if (!(loss <= options_.loss_limit)) return diverged("loss", loss);  // or it is NaN
    const double norm = clip_gradients(optimizer_.trainable(), options_.clip, pass_.parallel);
    if (!std::isfinite(norm)) return diverged("gradient norm", norm);
    const double rate = schedule_(progress);
    if constexpr (requires { optimizer_.step(rate, pass_.parallel, pass_.kernels); })
      optimizer_.step(rate, pass_.parallel, pass_.kernels);
    else
      optimizer_.step(rate, pass_.parallel);

    result_.last_loss = loss;
    loss_sum_ += loss;
    ++steps_summed_;
    now_ = {now_.step + 1, watch_.seconds(), loss, rate, norm, 0, {}};
    now_.fraction = options_.budget.fraction(now_.step, now_.seconds);
    if (hooks_.on_step) {
      const auto pause = watch_.pause();
      hooks_.on_step(now_);
    }
    return true;
  }

  /// Leaves the gradient of the mean loss over all targets of the step's batches; returns that mean.
  double gradients() {
    Index scored = 0;
    for (Batch& batch : batches_) {
      source_.next(batch);
      scored += batch.scored();
    }
    if (scored == 0) throw ValueError("fit: expected a target to train on in step " + std::to_string(now_.step + 1));
    optimizer_.trainable().zero_gradients(pass_.parallel);
    double sum = 0;
    for (const Batch& batch : batches_) {
      Pass pass = pass_;
      pass.sequences = batch.sequences;
      pass.user = batch.user;
      sum += model_.gradients(pass, batch.tokens, batch.targets, static_cast<S>(1.0 / static_cast<double>(scored)),
                              cache_, optimizer_.trainable().gradients());
    }
    return sum / static_cast<double>(scored);
  }

  bool validation_due() const {
    const FitPoint& last = result_.curve.back();
    return options_.validate_every.spent(now_.step - last.step, now_.seconds - last.seconds);
  }

  void validate() {
    const auto pause = watch_.pause();
    const double validation = hooks_.validate();
    add_point(validation);
    if (!std::isfinite(validation)) {
      diverged("validation", validation);
    } else if (!result_.best_validation || validation < *result_.best_validation) {
      result_.best_validation = validation;
      result_.best_step = now_.step;
      worse_ = 0;
      if (best_) best_->save();
      if (hooks_.on_best) hooks_.on_best(result_.curve.back());
    } else if (++worse_ == options_.patience) {
      result_.status = FitStatus::stopped_early;
    }
  }

  void add_point(std::optional<double> validation) {
    FitPoint point = now_;
    if (steps_summed_ > 0) point.train_loss = loss_sum_ / static_cast<double>(steps_summed_);
    point.validation = validation;
    result_.curve.push_back(point);
    loss_sum_ = 0;
    steps_summed_ = 0;
  }

  bool diverged(std::string_view what, double value) {
    result_.status = FitStatus::diverged;
    result_.reason = std::string(what) + " " + std::to_string(value) + " after " + std::to_string(now_.step) +
                     " steps, last finite loss " +
                     (now_.step > options_.first_step ? std::to_string(result_.last_loss) : std::string("none"));
    return false;
  }

  /// The last validation, if it is due, and the best parameters.
  void finish() {
    const bool trained = result_.curve.empty() || result_.curve.back().step != now_.step;
    if (result_.status == FitStatus::finished && trained) {
      if (hooks_.validate)
        validate();
      else
        add_point({});
      if (result_.status == FitStatus::stopped_early) result_.status = FitStatus::finished;
    }
    result_.steps = now_.step;
    result_.seconds = watch_.seconds();
    if (best_ && result_.best_validation)
      best_->restore();
    else
      result_.best_step = now_.step;
  }

  const M& model_;
  typename M::Cache& cache_;
  const Pass& pass_;
  O& optimizer_;
  B& source_;
  const Schedule& schedule_;
  const FitOptions& options_;
  const FitHooks& hooks_;

  std::vector<Batch> batches_;
  std::optional<Snapshot<S>> best_;
  FitResult result_;
  FitPoint now_;
  double loss_sum_ = 0;  // since the curve's last point
  Index steps_summed_ = 0;
  Index worse_ = 0;  // validations since the best
  Stopwatch watch_;
};

}  // namespace detail

/// Trains what the optimiser collected, until the budget is spent or something ends the run earlier.
///
/// Each step: gradients of the mean loss over `accumulate` batches, clipped; a change at the rate schedule(Progress).
/// With a validate hook, the run is judged before the first step, every so often, and at the end; afterwards the
/// parameters are those of the best validation, however the run ended (`keep_best`). Without, they are the last ones.
///
/// A loss, gradient or validation that is not finite, or a loss beyond the limit, ends the run at once as diverged: the
/// step is not taken, the best parameters stay. That is a result and no exception; exceptions of model, source and
/// hooks pass through and leave the parameters as they are.
///
/// Same seed, step budget and options: same bits on any number of workers. Between validations nothing allocates once
/// the batches and the model's cache have grown. Throws ValueError on options outside their range, or nothing to train.
template <LanguageModel M, Optimizer O, BatchSource B, class Schedule>
FitResult fit(const M& model, typename M::Cache& cache, const Pass& pass, O& optimizer, B& source, const Schedule& schedule,
              const FitOptions& options, const FitHooks& hooks = {}) {
  expect_positive("fit budget", options.budget);
  expect_positive("fit validation interval", options.validate_every);
  if (options.budget.unlimited()) throw ValueError("fit budget: expected a limit of steps or seconds, got none");
  if (options.accumulate < 1)
    throw ValueError("fit: expected to accumulate at least 1 batch, got " + std::to_string(options.accumulate));
  if (options.patience < 0)
    throw ValueError("fit: expected a patience of 0 or more, got " + std::to_string(options.patience));
  if (optimizer.trainable().size() == 0) throw ValueError("fit: expected trainable parameters, got none");
  return detail::Fit<M, O, B, Schedule>(model, cache, pass, optimizer, source, schedule, options, hooks).run();
}

}  // namespace tern
