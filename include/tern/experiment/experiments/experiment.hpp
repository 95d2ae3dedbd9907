#pragma once
/// One experiment of the protocol: a file of its own and a row in all.hpp.
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tern/experiment/experiments/evidence.hpp"
#include "tern/experiment/finding.hpp"
#include "tern/experiment/options.hpp"

namespace tern::experiments {

/// What an experiment may know when it says which runs it needs.
struct Design {
  const ShootoutOptions& options;
  std::vector<UserRecord> users;
  std::map<std::string, std::string> generic = {};  ///< user -> name of the generic text of the same language and kind
  bool ternary_twin = false;
  bool four_bits = false;                ///< the base as stored holds most weights in 4 bits or fewer
  std::set<std::string> copies = {};     ///< contenders that train a copy of the base, which is not kept
  std::map<std::string, Index> steps = {};  ///< contender -> its calibrated budget
  /// At most options.sweep_users, spread over kinds by hash; all where that is 0.
  std::vector<std::string> sweep = {};
  std::vector<std::string> seeded = {};  ///< likewise, of options.seed_users
  /// The champion and the rivals, of those that run.
  std::vector<std::string> judged() const {
    std::vector<std::string> all;
    if (options.runs(options.roles.champion)) all.push_back(options.roles.champion);
    for (const std::string& r : options.roles.rivals)
      if (options.runs(r)) all.push_back(r);
    return all;
  }
  /// The others who write the same language.
  std::vector<std::string> peers(const std::string& user) const {
    std::vector<std::string> all;
    std::string language;
    for (const UserRecord& u : users)
      if (u.name == user) language = u.language;
    for (const UserRecord& u : users)
      if (u.name != user && u.language == language) all.push_back(u.name);
    return all;
  }
};

/// A run that an experiment needs: its setting, and whose held-out text it is scored on.
struct Need {
  Setting setting;
  bool everybody = false;  ///< on everybody's text, or on the own (a setting without a user: on everybody's)
};
using Needs = std::function<void(Need)>;

/// The base of options.weights is scored for everybody in every run; nobody needs to ask for it.
struct Experiment {
  const char* id;        ///< "E1"
  const char* title;     ///< "Contenders"
  const char* question;  ///< as the report asks it
  /// Says which runs it needs. Several experiments may need the same.
  void (*needs)(const Design&, const Needs&);
  /// Compares: fills claims, numbers, tables and figures of a finding that has id, title and question. Claims that lack
  /// evidence are left out; obstacles are set.
  void (*measure)(const Evidence&, Finding&);
  /// After families were adjusted and claims answered: the answer, its reason and the sentence.
  void (*conclude)(const Evidence&, Finding&);
};

}  // namespace tern::experiments
