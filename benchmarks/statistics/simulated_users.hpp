#pragma once
/// Users whose truth is known: chunks in documents in users, trained with several seeds.
#include <cmath>
#include <vector>

#include "tern/core/random.hpp"
#include "tern/statistics/margin.hpp"

namespace tern::statistics {

struct Truth {
  double mean = 0;           ///< over all users there could be, nats per token
  double correlation = 0.6;  ///< of two chunks from different documents of one user
  double spread = 0.1;       ///< standard deviation of a chunk's difference per token
  bool skewed = false;       ///< users' own part exponential instead of normal
};

/// A fixed design: each user has 3 to 6 documents of 1 to 6 chunks of 60 to 255 tokens, as hashed. Of a chunk's
/// variance `correlation` is the user's (a fifth of that the seeds'), three tenths of the rest the document's.
class SimulatedUsers {
 public:
  static constexpr int seeds = 2;

  SimulatedUsers(Index users, const Truth& truth, std::uint64_t seed) : truth_(truth), design_(users) {
    const double variance = truth.spread * truth.spread, rest = variance * (1 - truth.correlation);
    user_ = std::sqrt(0.8 * variance * truth.correlation);
    seed_ = std::sqrt(0.2 * variance * truth.correlation * seeds);  // their mean has the fifth
    document_ = std::sqrt(0.3 * rest);
    chunk_ = std::sqrt(0.7 * rest);
    Random random(seed);
    for (UserDifferences& user : design_) {
      user.resize(3 + random.below(4));
      for (DocumentDifferences& document : user) {
        document.resize(1 + random.below(6));
        for (ChunkDifference& chunk : document) chunk.tokens = 60 + random.below(196);
      }
    }
  }

  /// These users, their texts and their trainings drawn anew.
  std::vector<UserDifferences> draw(Random& random) const {
    std::vector<UserDifferences> users = design_;
    for (UserDifferences& user : users) {
      double level = truth_.mean + user_ * (truth_.skewed ? -std::log(1 - random.uniform()) - 1 : random.normal());
      for (int s = 0; s < seeds; ++s) level += seed_ * random.normal() / seeds;
      for (DocumentDifferences& document : user) {
        const double here = level + document_ * random.normal();
        for (ChunkDifference& chunk : document)
          chunk.nats = (here + chunk_ * random.normal()) * static_cast<double>(chunk.tokens);
      }
    }
    return users;
  }

  /// Of d_u between users: the root of the mean over users of its variance.
  double deviation() const {
    double sum = 0;
    for (const UserDifferences& user : design_) {
      double all = 0, documents = 0, chunks = 0;
      for (const DocumentDifferences& document : user) {
        double tokens = 0;
        for (const ChunkDifference& chunk : document) {
          tokens += static_cast<double>(chunk.tokens);
          chunks += static_cast<double>(chunk.tokens * chunk.tokens);
        }
        all += tokens;
        documents += tokens * tokens;
      }
      sum += user_ * user_ + seed_ * seed_ / seeds +
             (document_ * document_ * documents + chunk_ * chunk_ * chunks) / (all * all);
    }
    return std::sqrt(sum / static_cast<double>(design_.size()));
  }

 private:
  Truth truth_;
  std::vector<UserDifferences> design_;
  double user_, seed_, document_, chunk_;
};

}  // namespace tern::statistics
