#pragma once
/// Do adapters work on a base of coarser weights, and is what they gain there personal or repair? E6 and E10.
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tern/experiment/experiments/compare.hpp"
#include "tern/experiment/experiments/experiment.hpp"
#include "tern/experiment/experiments/sentences.hpp"
#include "tern/experiment/experiments/share.hpp"

namespace tern::experiments::composition {

/// The coarser weights.
struct Coarse {
  const char* id;       ///< of the experiment, which is its family
  const char* weights;  ///< as a Setting has them
  const char* word;     ///< "ternary", "4-bit"
};

/// The champion of one user on the coarse base.
inline Setting own(const Coarse& coarse, const std::string& champion, const std::string& user) {
  return {.contender = champion, .user = user, .weights = coarse.weights};
}
/// Everybody's: trained on generic text on the coarse base, so that repair is not called personal.
inline Setting healed(const Coarse& coarse, const std::string& champion, const std::string& generic) {
  return {.contender = champion, .data = {Data::Kind::generic, generic}, .weights = coarse.weights};
}

inline void needs(const Coarse& coarse, const Design& design, const Needs& need) {
  const std::string& champion = design.options.roles.champion;
  if (design.options.weights || !design.options.runs(champion)) return;
  std::set<std::string> generic;
  for (const UserRecord& u : design.users) {
    need({.setting = own(coarse, champion, u.name)});
    if (const auto at = design.generic.find(u.name); at != design.generic.end()) generic.insert(at->second);
  }
  for (const std::string& name : generic) need({.setting = healed(coarse, champion, name), .everybody = true});
}

namespace detail {

/// Gains over the dense base of all users who have both.
struct Gains {
  std::vector<double> base, coarse_own, dense_own;  ///< base: of the coarse base, mostly below 0
};

inline Gains gains(const Coarse& coarse, const Evidence& evidence) {
  Gains all;
  const std::string& champion = evidence.roles().champion;
  for (const UserRecord& u : evidence.users()) {
    const auto base = difference(evidence, {base_setting(coarse.weights), base_setting()}, u.name);
    const auto there = difference(evidence, {own(coarse, champion, u.name), base_setting()}, u.name);
    const auto here = gain(evidence, {.contender = champion, .user = u.name}, u.name);
    if (!base || !there || !here) continue;
    all.base.push_back(*base);
    all.coarse_own.push_back(*there);
    all.dense_own.push_back(*here);
  }
  return all;
}

}  // namespace detail

inline void measure(const Coarse& coarse, const Evidence& evidence, Finding& finding) {
  const std::string& champion = evidence.roles().champion;
  const std::string word = coarse.word;
  if (!evidence.ran(champion, Data::Kind::real, coarse.weights)) return;
  const auto users = user_names(evidence);
  const std::string title = evidence.title(champion);
  finding.claims.push_back(compare(evidence, {.a = title + " on the " + word + " base", .b = "the same on the dense base", .family = coarse.id},
                                   users, [&](const std::string& user) {
                                     return Pair{own(coarse, champion, user), {.contender = champion, .user = user}};
                                   }));
  if (evidence.ran(champion, Data::Kind::generic, coarse.weights))
    finding.claims.push_back(
        compare(evidence, {.a = title + " of the person on the " + word + " base", .b = "the shared one that heals it", .family = coarse.id},
                users, [&](const std::string& user) -> std::optional<Pair> {
                  const auto generic = evidence.protocol().generic.find(user);
                  if (generic == evidence.protocol().generic.end()) return std::nullopt;
                  return Pair{own(coarse, champion, user), healed(coarse, champion, generic->second)};
                }));

  const double level = 1 - evidence.protocol().alpha;
  const detail::Gains g = detail::gains(coarse, evidence);
  Table table{.title = "Against the dense base: " + word + " weights", .columns = {"", "gain, nats per token", "margin"}};
  for (const auto& [what, nats] : {std::pair{word + " base", &g.base}, {word + " base with own adapters", &g.coarse_own},
                                   {std::string("dense base with own adapters"), &g.dense_own}})
    if (const auto mean = mean_of(*nats, level)) {
      const auto m = statistics::margin(*mean);
      table.rows.push_back({what, words::fixed(mean->point, 3), words::margin_between(m.point, m.low, m.high)});
    }
  if (const auto share = kept(g.coarse_own, g.dense_own, level)) {
    table.rows.push_back({"kept of the gain on the dense base", "", share_between(*share)});
    finding.numbers = {{"kept", share->point}, {"kept, low", share->low}, {"kept, high", share->high}};
  } else {
    finding.notes.push_back("What is kept has no meaning: " + title + " gain nothing that is certain on the dense base.");
  }
  if (const auto mean = mean_of(g.base, level)) finding.numbers.emplace_back("margin of the " + word + " base", statistics::margin(mean->point));
  table.note = "Kept: (dense base − " + word + " own) / (dense base − dense own) of users' means; below 0 where own adapters do not make "
               "up for " + word + " weights.";
  finding.tables.push_back(std::move(table));
}

inline void conclude(const Coarse& coarse, const Evidence& evidence, Finding& finding) {
  const ProtocolRecord& protocol = evidence.protocol();
  note_left_out(finding.claims, finding.notes);
  finding.tables.insert(finding.tables.begin(), claim_table("Answers", finding.claims, protocol));
  finding.answer = finding.claims.front().answer;
  finding.reason = finding.claims.front().reason;
  finding.sentence = sentences(finding.claims, protocol);
  const detail::Gains g = detail::gains(coarse, evidence);
  if (const auto share = kept(g.coarse_own, g.dense_own, 1 - protocol.alpha))
    finding.sentence += " Kept of the gain on the dense base: " + share_between(*share) + ".";
  if (finding.claims.size() == 1)
    finding.sentence += " No shared adapter was trained, so that personal gain cannot be told from repair.";
}

}  // namespace tern::experiments::composition
