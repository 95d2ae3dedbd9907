#pragma once
#include <algorithm>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "tern/experiment/verdict/losses.hpp"

namespace tern::verdict {

/// A validation on the way through a training run.
struct Validation {
  double step = 0, seconds = 0, log_ppl = 0;
};

/// One trained adapter.
struct Run {
  std::string id;
  bool failed = false;  ///< it diverged, or some perplexity of it is not finite
  double bytes = 0, steps = 0, seconds = 0;
  std::vector<Validation> curve;  ///< the finite ones
};

/// What tells the runs of a shootout apart.
struct Setting {
  std::string format, user;
  std::string data = "real";
  std::optional<Index> seed{};  ///< the lowest, unless named
  std::string weights = {};     ///< the main ones, unless named
};

/// The adapters and cells of a results document, found by what they are. Throws nlohmann's exceptions where a field is
/// missing or of the wrong type.
class Evidence {
 public:
  explicit Evidence(const nlohmann::json& results) {
    for (const auto& user : results.at("users")) users_.push_back(user.at("name"));
    for (const auto& cell : results.at("cells")) add_cell(cell);
    for (const auto& adapter : results.at("adapters")) add_run(adapter);
    dense_ = all_weights_.empty() || all_weights_.contains("dense");
  }

  const std::vector<std::string>& users() const { return users_; }
  /// In the order in which they were run.
  const std::vector<std::string>& formats() const { return formats_; }
  const std::set<Index>& seeds() const { return seeds_; }
  const std::set<Index>& texts() const { return texts_; }
  /// Those of the base that all formats share: "ternary" only where nothing dense was run.
  std::string weights() const { return dense_ ? "dense" : *all_weights_.begin(); }

  /// The run of that setting; nullptr where it was not run.
  const Run* run(const Setting& s) const {
    const Index seed = s.seed.value_or(seeds_.empty() ? 0 : *seeds_.begin());
    const auto found = runs_.find({s.format, s.user, s.data, seed, s.weights.empty() ? weights() : s.weights});
    return found == runs_.end() ? nullptr : &found->second;
  }
  bool failed(const Setting& s) const {
    const Run* found = run(s);
    return found != nullptr && found->failed;
  }
  /// Whether anybody has a run of that format.
  bool ran(const std::string& format, const std::string& data = "real", const std::string& weights = {}) const {
    return std::any_of(users_.begin(), users_.end(), [&](const std::string& u) {
      return run({format, u, data, {}, weights}) != nullptr;
    });
  }

  /// What an adapter loses on the text of `user`; nullptr where it was not run, failed, or was not evaluated there.
  const Losses* losses(const Setting& s, const std::string& user) const {
    const Run* found = run(s);
    return found == nullptr || found->failed ? nullptr : find(found->id, user);
  }
  /// The same on its own user's text.
  const Losses* own(const Setting& s) const { return losses(s, s.user); }
  /// What the base alone loses there.
  const Losses* base(const std::string& user, const std::string& weights) const {
    return find("base " + weights, user);
  }
  const Losses* base(const std::string& user) const { return base(user, weights()); }

 private:
  void add_cell(const nlohmann::json& cell) {
    const std::string weights = cell.at("weights");
    const auto& adapter = cell.at("adapter");
    const std::string id = adapter.is_null() ? "base " + weights : adapter.get<std::string>();
    const std::string user = cell.at("user");
    const Index text = cell.at("text");
    all_weights_.insert(weights);
    texts_.insert(text);
    Losses& losses = losses_[{id, user}];
    const auto add = [&](Index number, const nlohmann::json& nll, const nlohmann::json& tokens) {
      const auto chunk = ChunkNll{number_or_nan(nll), tokens.get<Index>()};
      if (!std::isfinite(chunk.nll)) not_finite_.insert(id);
      if (chunk.tokens > 0) losses[{user, text, number}] = chunk;
    };
    if (!cell.contains("chunks")) return add(0, cell.at("nll"), cell.at("tokens"));
    Index number = 0;
    for (const auto& chunk : cell.at("chunks")) add(number++, chunk.at(0), chunk.at(1));
  }

  void add_run(const nlohmann::json& adapter) {
    Run run;
    run.id = adapter.at("id");
    run.failed = adapter.at("status") != "ok" || not_finite_.contains(run.id);
    run.bytes = adapter.at("bytes");
    run.steps = adapter.at("steps");
    run.seconds = adapter.at("seconds");
    for (const auto& at : adapter.at("curve"))
      if (const double ppl = number_or_nan(at.at("validation_ppl")); ppl > 0 && std::isfinite(ppl))
        run.curve.push_back({at.at("step"), at.at("seconds"), std::log(ppl)});
    const std::string format = adapter.at("format"), weights = adapter.at("weights");
    if (std::find(formats_.begin(), formats_.end(), format) == formats_.end()) formats_.push_back(format);
    seeds_.insert(adapter.at("seed").get<Index>());
    all_weights_.insert(weights);
    runs_.insert_or_assign(Key{format, adapter.at("user"), adapter.at("data"), adapter.at("seed"), weights}, run);
  }

  /// JSON has no NaN: what was not finite was written as null.
  static double number_or_nan(const nlohmann::json& number) {
    return number.is_null() ? std::numeric_limits<double>::quiet_NaN() : number.get<double>();
  }

  const Losses* find(const std::string& id, const std::string& user) const {
    const auto found = losses_.find({id, user});
    return found == losses_.end() || found->second.empty() || not_finite_.contains(id) ? nullptr : &found->second;
  }

  using Key = std::tuple<std::string, std::string, std::string, Index, std::string>;

  std::vector<std::string> users_, formats_;
  std::set<Index> seeds_, texts_;
  std::set<std::string> all_weights_, not_finite_;
  std::map<Key, Run> runs_;
  std::map<std::pair<std::string, std::string>, Losses> losses_;  // by adapter (or base) and user
  bool dense_ = true;
};

}  // namespace tern::verdict
