#pragma once
/// Two runs a user compared over users: what every experiment's claims are made of.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/core/random.hpp"
#include "tern/experiment/experiments/evidence.hpp"
#include "tern/experiment/finding.hpp"
#include "tern/experiment/form.hpp"
#include "tern/experiment/words.hpp"
#include "tern/statistics/hierarchical_bootstrap.hpp"
#include "tern/statistics/multiplicity.hpp"

namespace tern::experiments {

/// The two runs that are compared on a user's text.
struct Pair {
  Setting a, b;
};
/// Which two for whom; nothing where there is nothing to compare, which is no failure.
using Pairing = std::function<std::optional<Pair>(const std::string& user)>;

/// Both contenders' own adapters; no name is the base.
inline Pairing own_adapters(const std::string& a, const std::string& b) {
  const auto own = [](const std::string& contender, const std::string& user) {
    return contender.empty() ? base_setting() : Setting{.contender = contender, .user = user};
  };
  return [=](const std::string& user) { return Pair{own(a, user), own(b, user)}; };
}

inline statistics::Rules rules(const ProtocolRecord& protocol) {
  statistics::Rules rules;
  rules.alpha = protocol.alpha;
  rules.share = protocol.margin;
  return rules;
}

/// Random numbers of a comparison's own (FNV-1a of its name): what else is computed changes none of them.
inline Random stream(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return Random(hash);
}

/// Whether the pilots found a best rate inside the grid. The base has none, and the catalogue's design tunes nobody.
inline bool tuned(const Evidence& evidence, const std::string& contender) {
  if (contender.empty() || evidence.protocol().kind != "standard") return true;
  const auto pilot = evidence.protocol().pilots.find(contender);
  return pilot != evidence.protocol().pilots.end() && pilot->second.interior;
}

inline std::vector<std::string> user_names(const Evidence& evidence) { return names_of(evidence.users()); }

/// The champion and the rivals that ran.
inline std::vector<std::string> judged(const Evidence& evidence) {
  std::vector<std::string> all = evidence.rivals();
  if (evidence.ran(evidence.roles().champion)) all.insert(all.begin(), evidence.roles().champion);
  return all;
}

/// d_u of a pair, nats per token; nothing where either run is missing or did not end in finite losses.
inline std::optional<double> difference(const Evidence& evidence, const Pair& pair, const std::string& user,
                                        std::optional<Index> seed = {}) {
  const auto found = evidence.difference(pair.a, pair.b, user, seed);
  if (!found) return std::nullopt;
  for (const auto& document : *found)
    for (const auto& chunk : document)
      if (!std::isfinite(chunk.nats)) return std::nullopt;
  return statistics::user_difference(*found);
}

/// Nats per token that a run gains on `user`'s text over the base of the same weights, under the same noise.
inline std::optional<double> gain(const Evidence& evidence, const Setting& setting, const std::string& user) {
  return difference(evidence, {setting, base_setting(setting.weights, parse_form(setting.form).noise > 0 ? setting.form : "")},
                    user);
}

/// Mean over users, with the t interval where there are two; nothing for nobody.
inline std::optional<statistics::Interval> mean_of(const std::vector<double>& values, double level = 0.95) {
  if (values.empty()) return std::nullopt;
  const double infinity = std::numeric_limits<double>::infinity();
  if (values.size() == 1) return statistics::Interval{values[0], -infinity, infinity};
  return statistics::t_interval(values, level);
}

namespace detail {

/// Whether a seed of this run failed, or ended in losses that are not finite.
inline bool failed(const Evidence& evidence, Setting s, const std::string& user, std::optional<Index> only) {
  const bool each_seed = !s.is_base() && !s.user.empty();
  for (Index seed = 0; seed < (each_seed ? evidence.protocol().seeds : 1); ++seed) {
    if (each_seed) s.seed = seed;
    if (only && each_seed && seed != *only) continue;
    const AdapterRecord* run = evidence.run(s);
    if (run != nullptr && !run->ok) return true;
    if (const CellRecord* cell = evidence.cell(s, user))
      for (const ChunkLoss& chunk : cell->chunks)
        if (!std::isfinite(chunk.nll)) return true;
  }
  return false;
}

}  // namespace detail

/// Compares over those of `users` who have both runs, by sign flips, the t interval and the hierarchical bootstrap.
/// `claim` brings a, b and family. A user whose run failed is left out and named; where that happens to more than a
/// tenth, the claim's reason says so and nothing is decided. A contender that is not tuned is an obstacle.
inline Claim compare(const Evidence& evidence, Claim claim, const std::vector<std::string>& users, const Pairing& pair,
                     std::optional<Index> seed = {}) {
  std::vector<statistics::UserDifferences> all;
  std::vector<std::string> untuned;
  for (const std::string& user : users) {
    const auto runs = pair(user);
    if (!runs) continue;
    for (const Setting* s : {&runs->a, &runs->b})
      if (!tuned(evidence, s->contender) && std::find(untuned.begin(), untuned.end(), s->contender) == untuned.end())
        untuned.push_back(s->contender);
    const auto d = difference(evidence, *runs, user, seed);
    if (!d) {
      const bool broken = detail::failed(evidence, runs->a, user, seed) || detail::failed(evidence, runs->b, user, seed);
      (broken ? claim.failed : claim.missing).push_back(user);
      continue;
    }
    all.push_back(*evidence.difference(runs->a, runs->b, user, seed));
    claim.names.push_back(user);
    claim.differences.push_back(*d);
    claim.strict += *d > 0;
  }

  Random random = stream(claim.family + "|" + claim.a + "|" + claim.b);
  const double infinity = std::numeric_limits<double>::infinity();
  claim.users = {0, {0, -infinity, infinity}, infinity, 1, {}};
  if (!all.empty()) claim.users = statistics::compare(claim.differences, random, rules(evidence.protocol()));
  if (all.size() > 1)
    claim.bootstrap = statistics::hierarchical_bootstrap(all, random, {1999, 1 - evidence.protocol().alpha});
  claim.p_adjusted = claim.users.p;

  if (!untuned.empty()) {
    claim.obstacle = statistics::Reason::not_tuned;
    for (std::string& contender : untuned) contender = evidence.title(contender);
    claim.reason = "not tuned: no best learning rate was found inside the grid of " + words::enumerate(untuned);
  } else if (claim.failed.size() * 10 > claim.failed.size() + claim.names.size()) {
    claim.reason = "runs failed for " + words::some_of(static_cast<Index>(claim.failed.size()),
                                                       static_cast<Index>(claim.failed.size() + claim.names.size()), "user");
  }
  return claim;
}

/// Marks a claim whose control is void, whatever it measured.
inline void make_void(Claim& claim, std::string reason) {
  claim.obstacle = statistics::Reason::control_void;
  claim.reason = std::move(reason);
}

/// Fills the answer from p_adjusted, the obstacle and the reason.
inline void answer(Claim& claim, const ProtocolRecord& protocol) {
  claim.answer = Answer::undecided;
  if (claim.obstacle == statistics::Reason::control_void) claim.answer = Answer::voided;
  if (!claim.reason.empty()) return;
  const auto judged = statistics::judge(claim.users, claim.p_adjusted, rules(protocol), claim.obstacle);
  constexpr Answer answers[] = {Answer::better, Answer::worse, Answer::equivalent, Answer::undecided};
  claim.answer = answers[static_cast<std::size_t>(judged.answer)];
  claim.within_margin = judged.within_margin;
  claim.users_needed = judged.users_needed;
  if (judged.reason != statistics::Reason::too_few_users) return;
  const Index users = claim.users.users, needed = judged.users_needed.value_or(0);
  claim.reason = "too few users: " + std::to_string(users);
  if (needed > users) claim.reason += ", and about " + words::grouped(static_cast<double>(needed)) + " would do";
}

/// Holm within each family, then the answers.
inline void answer_all(const std::vector<Claim*>& claims, const ProtocolRecord& protocol) {
  std::map<std::string, std::vector<Claim*>> families;
  for (Claim* c : claims)
    if (!c->family.empty()) families[c->family].push_back(c);
  for (const auto& [name, family] : families) {
    std::vector<double> p;
    for (const Claim* c : family) p.push_back(c->users.p);
    const auto adjusted = statistics::holm(p);
    for (std::size_t i = 0; i < family.size(); ++i) {
      family[i]->p_adjusted = adjusted[i];
      family[i]->comparisons = static_cast<Index>(family.size());
    }
  }
  for (Claim* c : claims) answer(*c, protocol);
}

}  // namespace tern::experiments
