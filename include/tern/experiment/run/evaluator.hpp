#pragma once
#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "tern/eval/scored_chunks.hpp"
#include "tern/experiment/base.hpp"
#include "tern/experiment/options.hpp"
#include "tern/experiment/users.hpp"
#include "tern/train/budget.hpp"

namespace tern {

/// Scores models on people's text: the same tokens for every contender. Borrows the users.
class Evaluator {
 public:
  /// Draws everybody's chunks: up to options.eval_tokens of held-out and options.validation_tokens of validation text.
  Evaluator(const Base& base, const Users& users, const ShootoutOptions& options) {
    score_.prefix = base.prefix();
    for (const User& u : users.users) {
      Texts& texts = texts_[u.name];
      texts.user = &u;
      texts.held_out = draw_chunks(u.held_out, options.context, options.eval_tokens);
      texts.validation = draw_chunks(u.validation, options.context, options.validation_tokens);
    }
  }

  /// The losses on `user`'s held-out text; the caller says whose adapter it was. Throws DivergedError.
  template <LanguageModel M>
  CellRecord score(const M& model, typename M::Cache& cache, const Pass& pass, const std::string& user) {
    const Texts& texts = texts_.at(user);
    const Score score = measure(model, cache, pass, texts.user->held_out, texts.held_out);
    CellRecord cell;
    cell.user = user;
    cell.nll = score.nll, cell.tokens = score.tokens, cell.bytes = score.bytes;
    for (const ChunkScore& c : score.chunks) cell.chunks.push_back({c.document, c.nll, c.tokens});
    return cell;
  }

  /// Nats per token of `user`'s validation text; NaN where the model's numbers are broken: fit() then ends the run as
  /// diverged.
  template <LanguageModel M>
  double validation(const M& model, typename M::Cache& cache, const Pass& pass, const std::string& user) {
    const Texts& texts = texts_.at(user);
    try {
      const Score score = measure(model, cache, pass, texts.user->validation, texts.validation);
      return score.nll / static_cast<double>(score.tokens);
    } catch (const DivergedError&) {
      return std::numeric_limits<double>::quiet_NaN();
    }
  }

  /// How long scoring so many tokens takes, by what was measured; 0 before anything was.
  double seconds_of(Index tokens) const {
    return tokens_ == 0 ? 0 : seconds_ * static_cast<double>(tokens) / static_cast<double>(tokens_);
  }

 private:
  struct Texts {
    const User* user = nullptr;
    std::vector<ScoredChunk> held_out, validation;
  };

  template <LanguageModel M>
  Score measure(const M& model, typename M::Cache& cache, const Pass& pass,
                const std::vector<ScoredDocument>& documents, const std::vector<ScoredChunk>& chunks) {
    const Stopwatch watch;
    Score score = score_chunks(model, pass, documents, chunks, cache, score_);
    tokens_ += score.tokens, seconds_ += watch.seconds();
    return score;
  }

  std::map<std::string, Texts> texts_;
  ScoreOptions score_;
  Index tokens_ = 0;
  double seconds_ = 0;
};

}  // namespace tern
