#pragma once
#include <atomic>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "tern/eval/perplexity.hpp"
#include "tern/experiment/adapter_file.hpp"
#include "tern/experiment/learning_rates.hpp"
#include "tern/experiment/task.hpp"
#include "tern/models/adapted.hpp"
#include "tern/train/adam.hpp"
#include "tern/train/fit.hpp"

namespace tern {

/// Where adapters are trained and evaluated: one model of the base, with the threads it may use. Not copyable; borrows all.
class Lab {
 public:
  /// Seconds of one training step and of evaluating one eval text, measured; the numbers that train; and the bytes that
  /// the caches of training and evaluation fill.
  struct Cost {
    double step = 0, text = 0;
    Index parameters = 0;
    std::size_t cache_bytes = 0;
  };

  Lab(const Base& base, const PackedDecoder<float>& model, const Users& users, const ShootoutOptions& options,
      const std::vector<Contender>& table, const Pass& pass, const std::atomic<bool>* interrupted = nullptr)
      : base_(base),
        model_(model),
        users_(users),
        options_(options),
        table_(table),
        pass_(pass),
        interrupted_(interrupted),
        view_(model_) {
    pass_.precision = options.precision == "mixed" ? Precision::mixed : Precision::full;
    pass_.gradients = options.gradients == "int8"              ? GradientRounding::nearest
                      : options.gradients == "int8-stochastic" ? GradientRounding::stochastic
                                                               : GradientRounding::none;
  }
  Lab(const Lab&) = delete;
  Lab& operator=(const Lab&) = delete;

  /// The bare base on everybody's eval texts.
  nlohmann::json evaluate_base(const Task& task) {
    nlohmann::json result;
    result["cells"] = evaluate(model_, cache_.decoder, task, nullptr);
    return result;
  }

  /// Trains and evaluates one adapter; nothing where it was interrupted. `rate` is the learning rate of a run whose
  /// format was tried before (noise floors take the real run's); without it one is searched for from the contender's
  /// rates, each trial for `trial_share` of the budget, judged on validation text. Adapters whose numbers fill at most
  /// 16 MB are kept in `adapters`, if given.

  std::optional<nlohmann::json> run(const Task& task, std::optional<double> rate,
                                    const std::filesystem::path& adapters) {
    const Contender& contender = find_contender(table_, task.format);
    const User& user = users_.users[task.user];
    nlohmann::json entry = {{"id", task.id},     {"format", task.format},   {"user", user.name}, {"seed", task.seed},
                            {"data", task.data}, {"weights", task.weights}, {"status", "ok"},    {"reason", ""}};
    nlohmann::json trials = nlohmann::json::array();
    if (!rate) {
      LearningRateSearch search(contender.rates, options_.trials);
      while (const auto candidate = search.next()) {
        Training t(*this, contender, task);
        const Budget trial = share(options_.budget, options_.trial_share);
        // A trial of a few steps that warmed up for three would never feel its rate, and the highest would win.
        const FitResult result = t.fit(*candidate, trial, trial, 1);
        if (result.status == FitStatus::interrupted) return std::nullopt;
        const bool ok = result.ok() && result.curve.size() > 1;
        const double loss = ok ? after_start(result) : std::numeric_limits<double>::infinity();
        trials.push_back({{"learning_rate", *candidate},
                          {"validation_ppl", ok ? nlohmann::json(std::exp(loss)) : nlohmann::json()}});
        search.record(*candidate, loss);
      }
      rate = search.best();  // where all diverged, the run itself will say so
    }
    Training training(*this, contender, task);
    const FitResult result = training.fit(*rate, options_.budget, share(options_.budget, 0.1), 3);
    if (result.status == FitStatus::interrupted) return std::nullopt;

    entry["trials"] = trials;
    entry["learning_rate"] = *rate;
    entry["parameters"] = training.parameters();
    entry["steps"] = result.steps;
    entry["seconds"] = result.seconds;
    entry["best_step"] = result.best_step;
    entry["stopped_early"] = result.status == FitStatus::stopped_early;
    entry["curve"] = nlohmann::json::array();
    for (const FitPoint& p : result.curve)
      if (p.validation && std::isfinite(*p.validation))
        entry["curve"].push_back(
            {{"step", p.step}, {"seconds", p.seconds}, {"validation_ppl", std::exp(*p.validation)}});
    nlohmann::json cells = nlohmann::json::array();
    std::uintmax_t bytes = sizeof(float) * static_cast<std::uintmax_t>(training.parameters());
    const auto fail = [&](const std::string& reason) {
      entry["status"] = "failed";
      entry["reason"] = reason;
    };
    if (!result.ok()) {
      fail(result.reason);
    } else {
      if (!contender.trains_base && bytes <= (16u << 20) && !adapters.empty()) {
        std::filesystem::create_directories(adapters);
        bytes = save_adapter(adapters / (task.id + ".adapter"), training.set(), task.format, base_.fingerprint);
      }
      try {
        cells = evaluate(training.subject(), cache_, task, &task.id);
      } catch (const DivergedError& e) {
        fail(e.what());
      }
    }
    entry["bytes"] = bytes;
    return nlohmann::json{{"adapter", entry}, {"cells", cells}};
  }

  Cost measure(const std::string& format) {
    const Contender& contender = find_contender(table_, format);
    const Task task{.format = format, .weights = options_.weights_name()};
    Training t(*this, contender, task);
    Cost cost;
    const Budget one = Budget::of_steps(1), two = Budget::of_steps(2);
    t.fit(1e-9, one, one);  // pays for the caches
    cost.step = t.fit(1e-9, two, two).seconds / 2;
    const Stopwatch watch;
    PerplexityOptions options = perplexity_options(options_.eval_tokens);
    perplexity(model_, pass_, Convention::chunked, users_.users[0].held_out[0], cache_.decoder, options);
    cost.text = watch.seconds();
    cost.cache_bytes = cache_.decoder.bytes() + t.set().bytes(cache_.adapters);
    cost.parameters = t.parameters();
    return cost;
  }

 private:
  using Model = PackedDecoder<float>;
  using Subject = Adapted<Model, AdapterSet<float>>;

  /// One fresh adapter with its optimiser and data.
  class Training {
   public:
    Training(Lab& lab, const Contender& contender, const Task& task) : lab_(lab), user_(lab.users_.users[task.user]) {
      // Everything random in a task comes from here: initial values and the order of the data.
      const std::uint64_t seed =
          content_hash(task.format + "/" + user_.split_hash, static_cast<std::uint64_t>(task.seed));
      Random random(seed);
      contender.attach(lab.view_, set_, random);
      if (contender.trains_base)
        own_ = std::make_unique<Model>(converted(lab.model_, WeightFormat::f32, WeightFormat::f32));
      lab.training_data(task, random, data_);
      data_seed_ = random.next();
    }

    Subject subject() const { return Subject(own_ ? *own_ : lab_.model_, set_); }
    const AdapterSet<float>& set() const { return set_; }
    Index parameters() const { return count_parameters(set_) + (own_ ? count_parameters(*own_) : 0); }

    /// `warmup`: steps under a budget of time; one of steps warms up for a twentieth of them.
    FitResult fit(double rate, const Budget& budget, const Budget& validate_every, Index warmup = 1) {
      const Subject subject = this->subject();
      Adam<float> adam = own_ ? Adam<float>(AdamOptions{}, *own_, set_) : Adam<float>(AdamOptions{}, set_);
      std::vector<std::span<const Token>> documents(data_.begin(), data_.end());
      Windows windows(documents,
                      {.context = lab_.options_.context, .sequences = 1, .shuffled = true, .seed = data_seed_});
      FitOptions options;
      options.budget = budget;
      options.clip = 1.0;
      options.validate_every = validate_every;
      options.patience = lab_.options_.patience;
      FitHooks hooks;
      hooks.validate = [&] { return lab_.mean_nll(subject, user_.validation); };
      hooks.interrupted = [&] { return lab_.interrupted_ != nullptr && lab_.interrupted_->load(); };
      if (budget.steps != Budget::any_steps) warmup = std::max<Index>(1, budget.steps / 20);
      return tern::fit(subject, lab_.cache_, lab_.pass_, adam, windows,
                       WarmupCosine{.peak = rate, .warmup = warmup, .floor = 0.1}, options, hooks);
    }

   private:
    Lab& lab_;
    const User& user_;
    AdapterSet<float> set_;
    std::unique_ptr<Model> own_;
    std::vector<std::vector<Token>> data_;
    std::uint64_t data_seed_ = 0;
  };

  /// The lowest validation after the start: a rate that never improves must not win by having begun.
  static double after_start(const FitResult& result) {
    double best = std::numeric_limits<double>::infinity();
    for (std::size_t i = 1; i < result.curve.size(); ++i)
      if (result.curve[i].validation) best = std::min(best, *result.curve[i].validation);
    return best;
  }

  static Budget share(const Budget& budget, double part) {
    if (budget.steps == Budget::any_steps) return Budget::of_seconds(budget.seconds * part);
    return Budget::of_steps(
        std::max<Index>(1, static_cast<Index>(std::lround(static_cast<double>(budget.steps) * part))));
  }

  PerplexityOptions perplexity_options(Index tokens) const {
    PerplexityOptions options;
    options.context = options_.context;
    options.max_tokens = tokens;
    options.prefix = base_.prefix();
    return options;
  }

  /// NaN where the model's numbers are broken: fit() then ends the run as diverged.
  double mean_nll(const Subject& subject, std::span<const Token> tokens) {
    try {
      const Perplexity p = perplexity(subject, pass_, Convention::chunked, tokens, cache_,
                                      perplexity_options(options_.validation_tokens));
      return p.nll / static_cast<double>(p.tokens);
    } catch (const DivergedError&) {
      return std::numeric_limits<double>::quiet_NaN();
    }
  }

  /// The user's own text, or noise of the same lengths: ids drawn uniformly, or the user's own in random order.
  void training_data(const Task& task, Random& random, std::vector<std::vector<Token>>& data) const {
    data = users_.users[task.user].train;
    if (task.data == "uniform") {
      for (auto& piece : data)
        for (Token& t : piece) t = static_cast<Token>(random.below(model_.config.vocabulary));
    } else if (task.data == "shuffled") {
      std::vector<Token*> all;
      for (auto& piece : data)
        for (Token& t : piece) all.push_back(&t);
      for (std::size_t i = all.size(); i > 1; --i)
        std::swap(*all[i - 1], *all[static_cast<std::size_t>(random.below(static_cast<Index>(i)))]);
    }
  }

  template <LanguageModel M>
  nlohmann::json evaluate(const M& subject, typename M::Cache& cache, const Task& task, const std::string* adapter) {
    nlohmann::json cells = nlohmann::json::array();
    for (std::size_t u = 0; u < users_.users.size(); ++u) {
      if (!task.is_base() && !task.every_user && u != task.user) continue;
      const User& user = users_.users[u];
      for (std::size_t text = 0; text < user.held_out.size(); ++text) {
        const Perplexity p =
            perplexity(subject, pass_, Convention::chunked, user.held_out[text], cache,
                       perplexity_options(options_.eval_tokens), base_.token_bytes(user.held_out[text]));
        nlohmann::json chunks = nlohmann::json::array();
        for (const ChunkNll& c : p.chunks) chunks.push_back({c.nll, c.tokens});
        cells.push_back({{"adapter", adapter != nullptr ? nlohmann::json(*adapter) : nlohmann::json()},
                         {"weights", task.weights},
                         {"user", user.name},
                         {"text", text},
                         {"nll", p.nll},
                         {"tokens", p.tokens},
                         {"ppl", p.ppl},
                         {"bytes", p.bytes},
                         {"bits_per_byte", p.bits_per_byte},
                         {"chunks", chunks}});
      }
    }
    return cells;
  }

  const Base& base_;
  const Model& model_;
  const Users& users_;
  const ShootoutOptions& options_;
  const std::vector<Contender>& table_;
  Pass pass_;
  const std::atomic<bool>* interrupted_;
  ModelView view_;
  typename Subject::Cache cache_;
};

}  // namespace tern
