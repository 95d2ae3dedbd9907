#pragma once
/// Results made ready to be asked: which run, which losses, which difference between two runs on one user's text.
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tern/experiment/results.hpp"
#include "tern/statistics/margin.hpp"

namespace tern::experiments {

/// Borrows the results.
class Evidence {
 public:
  explicit Evidence(const Results& results) : results_(results) {
    std::map<std::string, const AdapterRecord*> by_id;
    for (const AdapterRecord& a : results.adapters) {
      runs_[a.setting] = &a;
      by_id[a.id] = &a;
    }
    for (const CellRecord& c : results.cells) {
      if (c.adapter.empty()) {
        cells_[{base_setting(c.weights, c.form), c.user}] = &c;
      } else if (const auto at = by_id.find(c.adapter); at != by_id.end()) {
        cells_[{at->second->setting, c.user}] = &c;
      }
    }
    for (const UserRecord& u : results.users) users_[u.name] = &u;
  }

  const Results& results() const { return results_; }
  const ProtocolRecord& protocol() const { return results_.protocol; }
  const Roles& roles() const { return results_.protocol.roles; }
  const std::vector<UserRecord>& users() const { return results_.users; }
  const UserRecord& user(const std::string& name) const { return *users_.at(name); }

  /// The run of exactly this setting, failed or not; null where there is none.
  const AdapterRecord* run(const Setting& s) const {
    const auto at = runs_.find(s);
    return at == runs_.end() ? nullptr : at->second;
  }
  /// Its losses on `user`'s text; null where they were not measured.
  const CellRecord* cell(const Setting& s, const std::string& user) const {
    const auto at = cells_.find({s, user});
    return at == cells_.end() ? nullptr : at->second;
  }
  /// Whether a contender finished for anybody on this data and these weights.
  bool ran(const std::string& contender, Data::Kind data = Data::Kind::real, const std::string& weights = "stored") const {
    for (const auto& [setting, run] : runs_)
      if (setting.contender == contender && setting.data.kind == data && setting.weights == weights && setting.form.empty() && run->ok)
        return true;
    return false;
  }
  /// As a sentence calls it: its title, "the base" for none.
  std::string title(const std::string& contender) const {
    if (contender.empty()) return "the base";
    const ContenderRecord* c = protocol().contender(contender);
    return c == nullptr ? contender : c->title;
  }
  /// Those of the protocol that ran, in its order.
  std::vector<std::string> contenders() const {
    std::vector<std::string> all;
    for (const ContenderRecord& c : protocol().contenders)
      if (ran(c.name)) all.push_back(c.name);
    return all;
  }
  /// The protocol's rivals that ran.
  std::vector<std::string> rivals() const {
    std::vector<std::string> all;
    for (const std::string& r : roles().rivals)
      if (r != roles().champion && ran(r)) all.push_back(r);
    return all;
  }

  /// b less a on `user`'s text, chunk by chunk; the mean over the protocol's seeds where both have a run. A setting of
  /// no contender is the base, one whose user is empty is everybody's: both have one run for all seeds. Nothing where
  /// no seed has both, or they were scored on other chunks. `only`: that seed alone.
  std::optional<statistics::UserDifferences> difference(Setting a, Setting b, const std::string& user,
                                                        std::optional<Index> only = {}) const {
    std::vector<std::vector<double>> nats;  // [seed][chunk]
    const CellRecord* shape = nullptr;
    for (Index seed = 0; seed < protocol().seeds; ++seed) {
      if (only && seed != *only) continue;
      const CellRecord* x = at_seed(a, seed, user);
      const CellRecord* y = at_seed(b, seed, user);
      if (x == nullptr || y == nullptr || !alike(*x, *y)) continue;
      if (shape != nullptr && !alike(*x, *shape)) continue;
      shape = x;
      std::vector<double>& of_seed = nats.emplace_back();
      for (std::size_t i = 0; i < x->chunks.size(); ++i) of_seed.push_back(y->chunks[i].nll - x->chunks[i].nll);
    }
    if (shape == nullptr || shape->chunks.empty()) return std::nullopt;
    std::map<Index, statistics::DocumentDifferences> documents;
    for (std::size_t i = 0; i < shape->chunks.size(); ++i) {
      double sum = 0;
      for (const auto& of_seed : nats) sum += of_seed[i];
      documents[shape->chunks[i].document].push_back(
          {sum / static_cast<double>(nats.size()), shape->chunks[i].tokens});
    }
    statistics::UserDifferences all;
    for (auto& [document, chunks] : documents) all.push_back(std::move(chunks));
    return all;
  }

 private:
  const CellRecord* at_seed(Setting s, Index seed, const std::string& user) const {
    if (!s.is_base() && !s.user.empty()) s.seed = seed;
    return cell(s, user);
  }
  static bool alike(const CellRecord& a, const CellRecord& b) {
    if (a.chunks.size() != b.chunks.size()) return false;
    for (std::size_t i = 0; i < a.chunks.size(); ++i)
      if (a.chunks[i].document != b.chunks[i].document || a.chunks[i].tokens != b.chunks[i].tokens) return false;
    return true;
  }

  const Results& results_;
  std::map<Setting, const AdapterRecord*> runs_;
  std::map<std::pair<Setting, std::string>, const CellRecord*> cells_;
  std::map<std::string, const UserRecord*> users_;
};

}  // namespace tern::experiments
