#pragma once
/// What a shootout measured, and nothing that follows from it: findings are computed from this alone.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tern/core/matrix.hpp"
#include "tern/experiment/setting.hpp"
#include "tern/train/budget.hpp"

namespace tern {

/// Which contender has which part in the verdicts. No verdict names a contender in its code.
struct Roles {
  std::string champion;             ///< judged against everybody
  std::vector<std::string> rivals;  ///< the primary family, in the order in which they are reported
  std::string fallback;             ///< where no default is found among the admissible ones

  bool operator==(const Roles&) const = default;
};

/// One person's text as a run used it.
struct UserRecord {
  std::string name, population, kind, language;
  std::vector<std::string> owners;  ///< "mail: anna@example.org (most mails)", guesses marked
  bool guessed_owner = false;
  Index documents = 0, bytes = 0;
  Index train_tokens = 0, validation_tokens = 0, held_out_tokens = 0;
  std::string split;       ///< "by time", "by document", "contiguous"
  bool one_work = false;   ///< all documents are parts of one work: say "document", not "person"
  std::string split_hash;  ///< of the parts' text
  Index duplicates_removed = 0, replaced = 0;
  std::map<std::string, Index> scrubbed;                   ///< class -> count
  std::map<std::string, Index> skipped;                    ///< reason -> count
  std::vector<std::pair<std::string, std::string>> files;  ///< skipped: name, reason
};

inline std::vector<std::string> names_of(const std::vector<UserRecord>& users) {
  std::vector<std::string> names;
  for (const UserRecord& u : users) names.push_back(u.name);
  return names;
}

/// A point of a curve that is drawn and never acted on.
struct CurvePoint {
  Index step = 0;
  double seconds = 0, validation_ppl = 0;
};

/// One adapter, trained.
struct AdapterRecord {
  std::string id;
  Setting setting;
  std::uint64_t bytes = 0;  ///< as stored
  Index parameters = 0;
  double learning_rate = 0;
  Index steps = 0;
  double seconds = 0;
  std::vector<CurvePoint> curve{};
  bool ok = true;
  std::string reason{};  ///< why it failed
  Index group = 0;       ///< of form "cluster": whose number it has, from 1
};

/// A chunk of scored tokens: which of the user's held-out documents, the sum of -log p in nats.
struct ChunkLoss {
  Index document = 0;
  double nll = 0;
  Index tokens = 0;
};

/// An adapter, or the bare base, on one user's held-out text.
struct CellRecord {
  std::string adapter;  ///< its id; empty: the bare base
  std::string weights = "stored";
  std::string user;
  double nll = 0;  ///< nats
  Index tokens = 0, bytes = 0;
  std::vector<ChunkLoss> chunks;
  std::string form = {};  ///< of the bare base: under which noise
};

/// A rate that the pilots tried, and the mean validation loss it came to, nats per token; none: it diverged.
struct RateTrial {
  double rate = 0;
  std::vector<std::optional<double>> loss;  ///< one a pilot user
};

/// How a contender's learning rate was found.
struct PilotRecord {
  std::vector<std::string> users;
  std::vector<RateTrial> rates;  ///< ascending
  double chosen = 0;             ///< for everyone who was no pilot
  std::vector<double> for_pilot; ///< for each pilot, what the other pilots chose
  bool interior = false;         ///< no choice lies at an end of the grid
  std::string candidate;         ///< what the pilots chose among candidates; empty where there is one only
  std::map<std::string, std::optional<double>> candidates;  ///< each one's best mean loss
};

struct Calibration {
  double seconds_a_step = 0;
  Index steps = 0;
  std::string cpu;
};

struct ContenderRecord {
  std::string name, title;
  bool trains_base = false;
  Index parameters = 0;
  std::string sites;  ///< where it sits, for a reader
};

/// What was fixed before the first task. `hash` is over all of it but what was measured (calibration, pilots).
struct ProtocolRecord {
  int version = 2;
  std::string hash, kind = "standard";  ///< or "catalogue"
  Roles roles;
  std::vector<ContenderRecord> contenders;
  double margin = 0.05, alpha = 0.05;
  Index context = 0, eval_tokens = 0, seeds = 1;
  std::string split = "by time";
  Budget budget;
  std::vector<std::string> experiments;
  std::vector<std::string> controls;  ///< of E3; empty: all
  std::string weights = "stored", precision, gradients;
  std::string state;  ///< of full fine-tunes, where it is not in full
  Index validation_tokens = 0, pilot_users = 0, most_rates = 0;  ///< 0: not recorded
  Index sweep_users = 0;                                         ///< 0: all
  Index seed_users = 0;                                          ///< 0: all
  bool early_stopping = false;
  std::map<std::string, std::string> refused;      ///< contender that was asked for and cannot run -> why
  std::map<std::string, Calibration> calibration;  ///< by contender
  std::map<std::string, PilotRecord> pilots;       ///< by contender
  std::map<std::string, std::string> generic;      ///< user -> name of the generic text; absent: none of that language

  const ContenderRecord* contender(const std::string& name) const {
    for (const ContenderRecord& c : contenders)
      if (c.name == name) return &c;
    return nullptr;
  }
};

struct BaseRecord {
  std::string name, fingerprint, architecture;
  Index parameters = 0, gains = 0, gain_vectors = 0;
  std::map<std::string, double> types;  ///< weight format -> share of the weights
  std::uint64_t bytes = 0;
  bool ternary_twin = false;
};

struct BuildRecord {
  std::string version, commit, compiler, isa, cpu;
  Index threads = 0;
};

/// Someone whose text could not be used, and why.
struct LeftOut {
  std::string name, reason;
};

struct Results {
  BuildRecord tern;
  BaseRecord base;
  ProtocolRecord protocol;
  std::vector<UserRecord> users;
  std::vector<LeftOut> left_out;
  std::vector<AdapterRecord> adapters;
  std::vector<CellRecord> cells;

  /// The users of each population, in order.
  std::map<std::string, std::vector<std::string>> populations() const {
    std::map<std::string, std::vector<std::string>> all;
    for (const UserRecord& u : users) all[u.population].push_back(u.name);
    return all;
  }
};

}  // namespace tern
