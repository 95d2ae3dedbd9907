#pragma once
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tern/experiment/contender.hpp"
#include "tern/train/budget.hpp"
#include "tern/weights/weight_format.hpp"

namespace tern {

/// What a shootout compares, and how. The defaults are the demonstration.
struct ShootoutOptions {
  std::vector<std::string> formats = {"norm", "lora-r4", "lora-matched", "full"};
  std::vector<std::string> experiments = {"E1", "E2", "E3", "E4", "E6", "E9", "E12"};
  std::vector<std::string> noise_formats = {"norm"};  ///< whose noise floor E3 measures
  Budget budget = Budget::of_seconds(300);            ///< of training one adapter
  Index seeds = 1, texts = 3;
  Index context = 256;
  Index eval_tokens = 1024;         ///< read of each eval text
  Index validation_tokens = 256;    ///< read of the validation text
  Index trials = 4;                 ///< of learning rates, as many for every format
  double trial_share = 0.15;        ///< of the budget, for each of them
  Index patience = 3;               ///< validations without improvement that end a run
  std::string precision = "mixed";  ///< of products with weights, in training and evaluation: "full" or "mixed"
  std::string gradients = "int8";   ///< back through ternary weights: "float", "int8" or "int8-stochastic"
  std::optional<WeightFormat> weights{};  ///< of the base that E1-E4 run on; none: each tensor as it is stored
  Index threads = 2;
  std::string commit = "unknown";  ///< of the program that runs, for the results to name

  /// What results call the weights of E1-E4: "dense" where they are the base's own.
  std::string weights_name() const { return weights ? std::string(name(*weights)) : "dense"; }
  /// Whether the base's own weights can be a full fine-tune's start.
  bool trains_base() const {
    return !weights || *weights == WeightFormat::f32 || *weights == WeightFormat::bf16;
  }
  bool wants(const std::string& experiment) const {
    return std::find(experiments.begin(), experiments.end(), experiment) != experiments.end();
  }
};

inline nlohmann::json to_json(const Budget& budget) {
  if (budget.steps != Budget::any_steps) return {{"steps", budget.steps}};
  return {{"seconds", budget.seconds}};
}

/// Throws ValueError naming the option that cannot be.
inline void validate(const ShootoutOptions& o, const std::vector<Contender>& table) {
  const auto at_least = [](const char* option, Index got, Index least) {
    if (got < least)
      throw ValueError(std::string(option) + ": expected at least " + std::to_string(least) + ", got " +
                       std::to_string(got));
  };
  expect_positive("--budget", o.budget);
  at_least("--seeds", o.seeds, 1);
  at_least("--texts", o.texts, 1);
  at_least("--context", o.context, 8);
  at_least("--eval-tokens", o.eval_tokens, 2);
  at_least("--threads", o.threads, 1);
  if (o.precision != "full" && o.precision != "mixed")
    throw ValueError("--precision: expected full or mixed, got '" + o.precision + "'");
  if (o.gradients != "float" && o.gradients != "int8" && o.gradients != "int8-stochastic")
    throw ValueError("--gradients: expected float, int8 or int8-stochastic, got '" + o.gradients + "'");
  if (o.formats.empty()) throw ValueError("--formats: expected at least one");
  for (const auto* names : {&o.formats, &o.noise_formats})
    for (const std::string& f : *names) {
      const Contender& contender = find_contender(table, f);
      if (contender.trains_base && !o.trains_base())
        throw ValueError("--formats " + f + ": expected --weights stored, f32 or bf16, for its own weights train, got " +
                         o.weights_name());
      if (contender.rates.empty()) throw ValueError("format '" + f + "': expected a learning rate to start from");
      at_least("--trials", o.trials, static_cast<Index>(contender.rates.size()));
    }
  static const std::vector<std::string> experiments = {"E1", "E2", "E3", "E4", "E6", "E9", "E12"};
  for (const std::string& e : o.experiments)
    if (std::find(experiments.begin(), experiments.end(), e) == experiments.end())
      throw ValueError("--experiments: expected some of E1,E2,E3,E4,E6,E9,E12, got '" + e + "'");
}

}  // namespace tern
