#pragma once
#include <atomic>
#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tern/experiment/options.hpp"
#include "tern/experiment/run/training_text.hpp"
#include "tern/models/adapted.hpp"
#include "tern/models/convert.hpp"
#include "tern/train/adam.hpp"
#include "tern/train/fit.hpp"

namespace tern {

using PackedModel = PackedDecoder<float>;
using Subject = Adapted<PackedModel, AdapterSet<float>>;

/// One contender's adapter of one setting: the numbers, and, of a full fine-tune, the copy of the base that they are.
class TrainedAdapter {
 public:
  /// Freshly initialised: `seed` decides the initial values. Borrows the model.
  TrainedAdapter(const PackedModel& model, const ModelView& view, const Contender& contender, std::uint64_t seed)
      : model_(model) {
    Random random(seed);
    contender.attach(view, set_, random);
    if (contender.trains_base) own_ = std::make_unique<PackedModel>(converted(model, WeightFormat::f32, WeightFormat::f32));
  }

  Subject subject() const { return Subject(own_ ? *own_ : model_, set_); }
  const AdapterSet<float>& set() const { return set_; }
  AdapterSet<float>& set() { return set_; }
  Index parameters() const { return count_parameters(set_) + (own_ ? count_parameters(*own_) : 0); }
  bool is_copy() const { return own_ != nullptr; }

  /// `state`: how gradients and moments of a copy are held; those of adapters are in full.
  Adam<float> optimizer(const AdamOptions& options = {}, StateType state = StateType::full) {
    return own_ ? Adam<float>(options, Trainable<float>(state, *own_, set_)) : Adam<float>(options, set_);
  }

 private:
  const PackedModel& model_;
  AdapterSet<float> set_;
  std::unique_ptr<PackedModel> own_;
};

/// How long and at what rate one adapter trains.
struct TrainingPlan {
  Index steps = 0;
  double rate = 0;
  bool constant_rate = false;  ///< else warm-up over a twentieth of the steps, then a cosine down to a tenth
  Index points = 12;           ///< of the validation curve, besides the start
};

/// As many points as a run of `steps` is worth: twelve, but no fewer than five steps between two of them, or a short
/// run would cost less than its curve.
inline Index curve_points(Index steps) { return std::clamp<Index>(steps / 5, 1, 12); }

/// Trains adapters on one model of the base: the same for every contender. Adam without weight decay, gradient norm
/// clipped to 1, one window of `context` tokens a step. The *last* iterate is the adapter: nothing is selected on the
/// user's text unless options.early_stopping says so. The order of the data depends on the setting's user, data and seed
/// alone. Borrows everything.
class Trainer {
 public:
  Trainer(const PackedModel& model, const TrainingSources& sources, const ShootoutOptions& options, const Pass& pass,
          std::optional<Token> prefix)
      : model_(model), view_(model, pass), sources_(sources), options_(options), pass_(pass), prefix_(prefix) {
    pass_.precision = options.precision;
    pass_.gradients = options.gradients;
  }
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  const PackedModel& model() const { return model_; }
  const ModelView& view() const { return view_; }
  const Pass& pass() const { return pass_; }
  Subject::Cache& cache() { return cache_; }

  TrainedAdapter fresh(const Contender& contender, const Setting& s) const {
    return TrainedAdapter(model_, view_, contender,
                          content_hash("values/" + contender.name + "/" + s.user, static_cast<std::uint64_t>(s.seed)));
  }

  /// `validate` measures the adapter as it stands, nats per token; it draws the curve and decides nothing.
  FitResult train(TrainedAdapter& adapter, const Setting& s, const TrainingPlan& plan,
                  const std::function<double()>& validate) {
    const TokenPieces text = training_text(s, sources_);
    const auto seed = static_cast<std::uint64_t>(s.seed);
    Adam<float> adam = adapter.optimizer({.seed = content_hash("rounding/" + s.user, seed)}, options_.state);
    std::vector<std::span<const Token>> documents(text.begin(), text.end());
    Windows windows(documents, {.context = options_.context,
                                .sequences = 1,
                                .shuffled = true,
                                .seed = content_hash("order/" + to_string(s.data) + "/" + s.user, seed),
                                .prefix = prefix_});
    FitOptions options;
    options.budget = Budget::of_steps(plan.steps);
    options.clip = 1.0;
    options.validate_every = Budget::of_steps(std::max<Index>(1, plan.steps / std::max<Index>(1, plan.points)));
    options.keep_best = options_.early_stopping;
    options.patience = options_.early_stopping ? 3 : 0;
    FitHooks hooks;
    hooks.validate = validate;
    hooks.interrupted = [&] { return interrupted != nullptr && interrupted->load(); };
    const Subject subject = adapter.subject();
    if (plan.constant_rate)
      return fit(subject, cache_, pass_, adam, windows, ConstantRate{plan.rate}, options, hooks);
    const WarmupCosine schedule{.peak = plan.rate, .warmup = std::max<Index>(1, plan.steps / 20), .floor = 0.1};
    return fit(subject, cache_, pass_, adam, windows, schedule, options, hooks);
  }

  /// Asked before every step; null: never.
  const std::atomic<bool>* interrupted = nullptr;

 private:
  const PackedModel& model_;
  ModelView view_;
  const TrainingSources& sources_;
  const ShootoutOptions& options_;
  Pass pass_;
  std::optional<Token> prefix_;
  Subject::Cache cache_;
};

}  // namespace tern
