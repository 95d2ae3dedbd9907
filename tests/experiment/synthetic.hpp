#pragma once
/// Results with known truth: users, documents, chunks and effects as a test plants them.
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "tern/core/random.hpp"
#include "tern/experiment/experiments/judge.hpp"

namespace tern::synthetic {

/// What an adapter gains over the base in nats per token, user by user.
using Gain = std::function<double(const std::string& user)>;

/// The same for everybody, give or take `spread`: users in turns above and below, so that the mean is exact for an even
/// number of them.
inline Gain about(double mean, double spread = 0) {
  return [=](const std::string& user) {
    const int i = std::stoi(user.substr(1));
    return mean + (i % 2 == 0 ? spread : -spread) * (1 + (i / 2 % 3)) / 2;
  };
}

class Study {
 public:
  static constexpr Index documents = 3, chunks = 4, tokens = 64;

  /// Users u0, u1 ... who write English prose; base losses of 3 nats a token, more or less.
  explicit Study(int users, std::vector<std::string> experiments = {"E1"}) {
    results.protocol.experiments = std::move(experiments);
    results.protocol.weights = "stored";
    for (int i = 0; i < users; ++i) {
      UserRecord u;
      u.name = "u" + std::to_string(i);
      u.population = "people";
      u.kind = "prose";
      u.language = "en";
      u.documents = 9;
      u.train_tokens = 20'000 + 1000 * i;
      u.held_out_tokens = documents * chunks * tokens;
      results.users.push_back(u);
    }
    base(0);
  }

  std::vector<std::string> users() const {
    std::vector<std::string> all;
    for (const UserRecord& u : results.users) all.push_back(u.name);
    return all;
  }
  UserRecord& user(int i) { return results.users.at(static_cast<std::size_t>(i)); }

  /// A contender of the protocol, tuned; the first one is the champion, the next ones are rivals.
  Study& contender(const std::string& name, std::uint64_t bytes = 1000) {
    auto& p = results.protocol;
    p.contenders.push_back({.name = name, .title = "adapter " + name, .trains_base = false, .parameters = 250, .sites = {}});
    PilotRecord pilot;
    pilot.users = {"u0", "u1"};
    pilot.rates = {{1e-3, {3.0, 3.0}}, {3e-3, {2.9, 2.9}}, {9e-3, {3.1, 3.1}}};
    pilot.chosen = 3e-3;
    pilot.for_pilot = {3e-3, 3e-3};
    pilot.interior = true;
    p.pilots[name] = pilot;
    p.calibration[name] = {0.5, 200, "a cpu"};
    bytes_[name] = bytes;
    if (p.roles.champion.empty())
      p.roles.champion = name;
    else
      p.roles.rivals.push_back(name);
    p.roles.fallback = name;
    return *this;
  }

  /// The base of these weights, `worse` nats per token worse than the stored one.
  Study& base(double worse, const std::string& weights = "stored", const std::string& form = "") {
    for (const UserRecord& u : results.users) {
      add_cell("", weights, u.name, -worse, 0);
      results.cells.back().form = form;
    }
    return *this;
  }

  /// A run for one user, scored on the own text: `gain` over the stored base. `setting.user` is the user.
  Study& run(Setting setting, double gain) { return run(setting, {setting.user}, [=](const std::string&) { return gain; }); }

  /// A run scored on several users' texts.
  Study& run(const Setting& setting, const std::vector<std::string>& texts, const Gain& gain) {
    AdapterRecord a;
    a.id = describe(setting) + "|" + std::to_string(results.adapters.size());
    a.setting = setting;
    a.bytes = bytes_[setting.contender];
    a.parameters = 250;
    a.learning_rate = 3e-3;
    a.steps = static_cast<Index>(200 * setting.budget);
    a.seconds = 100 * setting.budget;
    a.curve = {{0, 0, 20.0}, {a.steps, a.seconds, 18.0}};
    results.adapters.push_back(a);
    for (const std::string& user : texts)
      add_cell(a.id, setting.weights, user, gain(user), 1 + static_cast<std::uint64_t>(setting.seed));
    return *this;
  }

  /// A run like `setting` for every user.
  Study& like(Setting setting, const Gain& gain) {
    for (const std::string& user : users()) {
      setting.user = user;
      run(setting, gain(user));
    }
    return *this;
  }
  Study& everybody(const std::string& contender, const Gain& gain) { return like({.contender = contender}, gain); }

  /// Every user's adapter on every user's text: `own` on the own text, `other(owner, text)` elsewhere.
  Study& matrix(const std::string& contender, const Gain& own,
                const std::function<double(const std::string&, const std::string&)>& other) {
    for (const std::string& owner : users())
      run({.contender = contender, .user = owner}, users(),
          [&](const std::string& text) { return text == owner ? own(text) : other(owner, text); });
    return *this;
  }

  Study& fail(const Setting& setting, const std::string& reason = "diverged") {
    for (AdapterRecord& a : results.adapters)
      if (a.setting == setting) {
        a.ok = false;
        a.reason = reason;
        std::erase_if(results.cells, [&](const CellRecord& c) { return c.adapter == a.id; });
      }
    return *this;
  }

  Findings judge() const { return experiments::judge(results); }

  Results results;

 private:
  /// Chunks differ in level, by the same for every run on a user's text; runs add a little noise that sums to nothing.
  void add_cell(const std::string& adapter, const std::string& weights, const std::string& user, double gain,
                std::uint64_t noise) {
    CellRecord c{.adapter = adapter, .weights = weights, .user = user, .nll = 0, .tokens = 0, .bytes = 0, .chunks = {}};
    Random level(static_cast<std::uint64_t>(std::stoi(user.substr(1))));
    for (Index d = 0; d < documents; ++d)
      for (Index i = 0; i < chunks; ++i) {
        const double wiggle = noise == 0 ? 0 : (i % 2 == 0 ? 0.01 : -0.01) * static_cast<double>(noise);
        const double nats = 3 + 0.3 * level.normal() - gain + wiggle;
        c.chunks.push_back({d, nats * tokens, tokens});
        c.nll += nats * tokens;
        c.tokens += tokens;
        c.bytes += 4 * tokens;
      }
    results.cells.push_back(c);
  }

  std::map<std::string, std::uint64_t> bytes_;
};

/// The finding of that id; fails the test where there is none.
inline const Finding& find(const Findings& findings, const std::string& id) {
  const Finding* found = findings.find(id);
  if (found == nullptr) throw ValueError("no finding " + id);
  return *found;
}

}  // namespace tern::synthetic
