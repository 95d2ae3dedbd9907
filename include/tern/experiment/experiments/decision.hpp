#pragma once
/// The default that follows from the answers and the costs.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tern/experiment/experiments/cost.hpp"
#include "tern/experiment/experiments/personal.hpp"
#include "tern/experiment/experiments/precision.hpp"
#include "tern/experiment/experiments/sentences.hpp"
#include "tern/experiment/experiments/share.hpp"
#include "tern/experiment/experiments/sharing.hpp"
#include "tern/experiment/experiments/storage.hpp"

namespace tern::experiments {

namespace detail {

/// A contender before the decision.
struct Option {
  std::string contender, why_not;     ///< why_not empty: admissible
  std::optional<double> bytes, gain;  ///< of a user; nats per token over the base, over the users whom all have
  std::string against_best;           ///< of admissible ones
  bool eligible = false;              ///< the best, or not worse than it by the margin
};

/// Why E3 and E4 do not let a contender in; empty where they do.
inline std::string why_not(const Evidence& evidence, const Findings& findings, const std::string& contender) {
  std::vector<std::string> reasons, untested;
  const auto ask = [&](const char* id, bool (*holds)(const Claim&, const ProtocolRecord&)) {
    const Finding* finding = findings.find(id);
    const auto claims = finding == nullptr ? std::vector<const Claim*>{}
                                           : of_family(finding->claims, personal_family(evidence, contender));
    if (claims.empty())
      untested.emplace_back(id);
    else if (!holds(*claims.front(), evidence.protocol()))
      reasons.push_back(std::string(id) + ": " + answer_in_words(*claims.front(), evidence.protocol()) +
                        (claims.front()->answer == Answer::better && !claims.front()->within_margin
                             ? ", by less than " + words::percent(evidence.protocol().margin) + " " +
                                   (holds == holds_over_others ? "at the interval's lower end" : "of perplexity")
                             : ""));
  };
  ask("E3", holds_over_generic);
  ask("E4", holds_over_others);
  if (!untested.empty()) reasons.push_back("not tested by " + words::enumerate(untested));
  return words::enumerate(reasons);
}

inline std::vector<Option> options(const Evidence& evidence, const Findings& findings) {
  std::vector<Option> all;
  for (const std::string& c : champion_first(evidence))
    all.push_back({c, why_not(evidence, findings, c), stored_bytes(evidence, c), {}, {}, false});
  // Means over the users whom all admissible contenders have: a failed run of somebody who cannot win changes nothing.
  std::vector<std::string> common;
  const auto gain_of = [&](const Option& o, const std::string& user) {
    return gain(evidence, {.contender = o.contender, .user = user}, user);
  };
  for (const UserRecord& u : evidence.users())
    if (std::all_of(all.begin(), all.end(), [&](const Option& o) { return !o.why_not.empty() || gain_of(o, u.name); }))
      common.push_back(u.name);
  for (Option& o : all) {
    std::vector<double> gains;
    for (const std::string& user : common)
      if (const auto g = gain_of(o, user)) gains.push_back(*g);
    if (const auto mean = mean_of(gains)) o.gain = mean->point;
  }
  return all;
}

/// Compares the admissible ones with the best of them: Holm over these comparisons. Returns the best.
inline Option* compare_with_best(const Evidence& evidence, std::vector<Option>& all) {
  Option* best = nullptr;
  for (Option& o : all)
    if (o.why_not.empty() && o.gain && (best == nullptr || *o.gain > *best->gain)) best = &o;
  if (best == nullptr) return nullptr;
  best->eligible = true;
  best->against_best = "the best";
  std::vector<Option*> others;
  std::vector<Claim> claims;
  for (Option& o : all) {
    if (!o.why_not.empty() || &o == best) continue;
    others.push_back(&o);
    claims.push_back(compare(evidence,
                             {.a = evidence.title(o.contender), .b = evidence.title(best->contender), .family = "decision"},
                             user_names(evidence), own_adapters(o.contender, best->contender)));
  }
  std::vector<Claim*> pointers;
  for (Claim& c : claims) pointers.push_back(&c);
  answer_all(pointers, evidence.protocol());
  for (std::size_t i = 0; i < claims.size(); ++i) {
    others[i]->against_best = answer_in_words(claims[i], evidence.protocol());
    // Worse by less than the margin is still within the margin of the best.
    others[i]->eligible = claims[i].answer == Answer::better || claims[i].answer == Answer::equivalent || claims[i].within_margin;
  }
  return best;
}

/// E7's word on a default: what it is stored in, and a sentence about it. Both are empty where E7 did not ask.
inline std::pair<std::string, std::string> storage_of(const Evidence& evidence, const std::string& contender) {
  const auto l = precision::loss(evidence, contender, "int8");
  if (l.bytes == 0) return {};
  const std::string lost = l.lost ? share_between(*l.lost) + " of the personal gain" : "an unknown share of the personal gain";
  if (precision::is_harmless(l))
    return {"int8", "Stored in int8 it takes " + words::bytes(l.bytes) + " a user and loses " + lost + "."};
  return {"fp32", "It is stored in fp32: in int8 it loses " + lost +
                      (l.harmed.empty() ? "" : ", and is worse than the base for " + words::enumerate(l.harmed)) + "."};
}

/// E8's word where nobody is admissible: whether sharing a cluster's mean, with the own residual, keeps enough.
inline std::optional<statistics::Interval> shared_default(const Evidence& evidence) {
  const auto kept = sharing::kept(evidence, evidence.roles().champion, sharing::residual);
  return kept && kept->point >= 0.8 ? kept : std::nullopt;
}

}  // namespace detail

/// Admissible is whose own E3 and E4 hold. Among the admissible the cheapest in bytes that is equivalent to or better than
/// the one of the largest mean gain becomes the default; in int8 where E7 finds that harmless. None is admissible: the
/// champion's cluster means with own residuals where E8 keeps 80% of the gain by them, else none. Who was not tested
/// never is admissible.
inline Decision decide(const Evidence& evidence, const Findings& findings) {
  Decision decision;
  const ProtocolRecord& protocol = evidence.protocol();
  auto all = detail::options(evidence, findings);
  if (all.empty()) return decision;
  const detail::Option* best = detail::compare_with_best(evidence, all);
  const detail::Option* chosen = nullptr;
  for (const detail::Option& o : all)
    if (o.eligible && o.bytes &&
        (chosen == nullptr || *o.bytes < *chosen->bytes || (*o.bytes == *chosen->bytes && *o.gain > *chosen->gain)))
      chosen = &o;

  Table table{.title = "Who may be the default",
              .columns = {"", "admissible", "bytes a user", "margin over the base", "against the best"}};
  table.numbers = false;
  for (const detail::Option& o : all)
    table.rows.push_back({{evidence.title(o.contender), &o == chosen},
                          o.why_not.empty() ? "yes" : "no (" + o.why_not + ")",
                          words::bytes(o.bytes),
                          words::margin(o.gain ? std::optional(statistics::margin(*o.gain)) : std::nullopt),
                          o.against_best.empty() ? std::string(words::missing) : o.against_best});
  table.note = "Admissible: the gain is better than generic text's by " + words::percent(protocol.margin) +
               " (E3), and than the best other person's by as much at the interval's lower end (E4). The default is the cheapest in bytes "
               "that is within " + words::percent(protocol.margin) + " of the best of these.";
  decision.tables.push_back(std::move(table));

  if (chosen == nullptr) {
    std::vector<std::string> reasons;
    for (const detail::Option& o : all) reasons.push_back(evidence.title(o.contender) + " (" + o.why_not + ")");
    const bool tested = findings.find("E3") != nullptr && findings.find("E4") != nullptr;
    decision.reason = tested ? "no contender's gain is shown to be the person's own"
                             : "whether a gain is the person's own was not tested";
    decision.sentence = "No default: " + decision.reason + ". Not admissible: " + words::enumerate(reasons) + ".";
    if (const auto kept = tested ? detail::shared_default(evidence) : std::nullopt) {
      decision.contender = evidence.roles().champion;
      decision.storage = sharing::residual;
      decision.sentence = "Default: of " + evidence.title(decision.contender) + " a cluster's mean and the own residual in int4, which keep " +
                          share_between(*kept) + " of the gain (E8); " + decision.reason + ". Not admissible alone: " +
                          words::enumerate(reasons) + ".";
      return decision;
    }
    for (const detail::Option& o : all)
      if (o.contender == evidence.roles().fallback && o.gain)
        decision.sentence += " The fallback, " + evidence.title(o.contender) + ", takes " + words::bytes(o.bytes) +
                             " a user, and its perplexity is " + words::lower(statistics::margin(*o.gain)) +
                             " than the base's.";
    return decision;
  }
  decision.contender = chosen->contender;
  decision.sentence = "Default: " + evidence.title(chosen->contender) + ", " + words::bytes(chosen->bytes) + " a user";
  if (findings.find("E9") != nullptr)
    for (const double fleet : storage::fleets)
      decision.sentence += ", " + words::bytes(*chosen->bytes * fleet) + " for " + words::grouped(fleet) + " users";
  decision.sentence += ". ";
  std::vector<std::string> dearer, unsure, refused;
  for (const detail::Option& o : all) {
    if (&o == chosen) continue;
    if (!o.why_not.empty())
      refused.push_back(evidence.title(o.contender) + " (" + o.why_not + ")");
    else if (o.eligible)
      dearer.push_back(evidence.title(o.contender));
    else
      unsure.push_back(evidence.title(o.contender) + " (" + o.against_best + ")");
  }
  if (chosen == best)
    decision.reason = dearer.empty() ? "it gains most of those that are admissible"
                                     : "it gains most of those that are admissible, and none within " +
                                           words::percent(protocol.margin) + " of it is cheaper";
  else
    decision.reason = "it is the cheapest within " + words::percent(protocol.margin) + " of " + evidence.title(best->contender) +
                      ", which gains most (" + chosen->against_best + ")";
  decision.sentence += words::capital(decision.reason) + ".";
  if (const auto [storage, said] = detail::storage_of(evidence, chosen->contender); !said.empty()) {
    decision.storage = storage;
    decision.sentence += " " + said;
  }
  if (!unsure.empty()) decision.sentence += " Not within the margin of the best: " + words::enumerate(unsure) + ".";
  if (!refused.empty()) decision.sentence += " Not admissible: " + words::enumerate(refused) + ".";
  return decision;
}

}  // namespace tern::experiments
