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

  /// `weights` as in a Setting: "ternary" is the twin, where there is one.
  Trainer& trainer(const std::string& weights = "stored") {
    const bool twin = weights == "ternary" && base_.ternary;
    auto& t = trainers_[twin];
    if (!t)
      t = std::make_unique<Trainer>(twin ? *base_.ternary : base_.model, sources_, options_, pass_, base_.prefix());
    t->interrupted = interrupted_;
    return *t;
  }
  const ModelView& view() { return trainer().view(); }

  /// From now on training ends where this is true; null: never.
  void obey(const std::atomic<bool>* interrupted) { interrupted_ = interrupted; }
  bool interrupted() const { return interrupted_ != nullptr && interrupted_->load(); }

 private:
  const Base& base_;
  const Users& users_;
  ShootoutOptions options_;
  Pass pass_;
  TrainingSources sources_;
  Evaluator evaluator_;
  std::map<bool, std::unique_ptr<Trainer>> trainers_;  // by whether it is the twin's
  const std::atomic<bool>* interrupted_ = nullptr;
};

}  // namespace tern
