#pragma once
#include <atomic>
#include <map>
#include <memory>
#include <string>

#include "tern/experiment/run/evaluator.hpp"
#include "tern/experiment/run/generic_texts.hpp"
#include "tern/experiment/run/trainer.hpp"

namespace tern {

/// Where adapters are trained and scored: one evaluator, and a trainer for the base's own model and for its ternary
/// twin, each made when it is first needed. Borrows base, users and generic texts.
class Workshop {
 public:
  Workshop(const Base& base, const Users& users, const GenericTexts& generic, const ShootoutOptions& options,
           const Pass& pass)
      : base_(base),
        users_(users),
        options_(options),
        pass_(pass),
        sources_{users.users, generic.tokens, base.model.config.vocabulary},
        evaluator_(base, users, options) {}
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;

  const Base& base() const { return base_; }
  const std::vector<User>& users() const { return users_.users; }
  Evaluator& evaluator() { return evaluator_; }
  const Evaluator& evaluator() const { return evaluator_; }

  /// `weights` as in a Setting: "stored"; "ternary", the twin; another weight format: the stored model in that, made when
  /// it is first asked for. Tables stay as they are stored.
  Trainer& trainer(const std::string& weights = "stored") {
    auto& t = trainers_[weights];
    if (!t) t = std::make_unique<Trainer>(model(weights), sources_, options_, pass_, base_.prefix());
    t->interrupted = interrupted_;
    return *t;
  }
  const ModelView& view() { return trainer().view(); }

  /// From now on training ends where this is true; null: never.
  void obey(const std::atomic<bool>* interrupted) { interrupted_ = interrupted; }
  bool interrupted() const { return interrupted_ != nullptr && interrupted_->load(); }

 private:
  const PackedModel& model(const std::string& weights) {
    if (weights == "stored") return base_.model;
    if (weights == "ternary" && base_.ternary) return *base_.ternary;
    const auto known = converted_.find(weights);
    if (known != converted_.end()) return known->second;
    PackedModel made = converted(base_.model, parse_weight_format(weights), base_.model.embedding.table.format());
    return converted_.emplace(weights, std::move(made)).first->second;
  }

  const Base& base_;
  const Users& users_;
  ShootoutOptions options_;
  Pass pass_;
  TrainingSources sources_;
  Evaluator evaluator_;
  std::map<std::string, PackedModel> converted_;              // by weights
  std::map<std::string, std::unique_ptr<Trainer>> trainers_;  // by weights
  const std::atomic<bool>* interrupted_ = nullptr;
};

}  // namespace tern
