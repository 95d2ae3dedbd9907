#pragma once
/// Claims as people read them: one sentence each, one row each, and what a reader must know beside them.
#include <algorithm>
#include <string>
#include <vector>

#include "tern/experiment/experiments/compare.hpp"
#include "tern/experiment/words.hpp"

namespace tern::experiments {

/// "better, by less than 5%", "undecided: too few users: 12, and about 24 would do".
inline std::string answer_in_words(const Claim& c, const ProtocolRecord& protocol) {
  std::string said(name(c.answer));
  if ((c.answer == Answer::better || c.answer == Answer::worse) && c.within_margin)
    said += ", by less than " + words::percent(protocol.margin);
  if (c.answer == Answer::equivalent) said += " within " + words::percent(protocol.margin);
  return c.reason.empty() ? said : said + " (" + c.reason + ")";
}

/// "95% interval 2.0% to 4.2% lower, p 0.004 adjusted for 3 comparisons, 12 users".
inline std::string how_sure(const Claim& c, const ProtocolRecord& protocol) {
  const std::string users = words::count(c.users.users, "user");
  if (c.users.users < 2) return users + ", so no interval";
  const auto m = c.margin();
  return words::percent(1 - protocol.alpha) + " interval " + words::lower_between(m.low, m.high) + ", " +
         words::p_value(c.p_adjusted) +
         (c.comparisons > 1 ? " adjusted for " + words::count(c.comparisons, "comparison") : "") + ", " + users;
}

/// "Norm-only gains against LoRA rank 4: worse. Perplexity is 8.7% higher (95% interval ...); lower for 1 of 12 users."
inline std::string sentence(const Claim& c, const ProtocolRecord& protocol) {
  std::string said = words::capital(c.a) + " against " + c.b + ": " + answer_in_words(c, protocol) + ".";
  if (c.users.users == 0) return said;
  return said + " Perplexity is " + words::lower(c.margin().point) + " (" + how_sure(c, protocol) + "); lower for " +
         words::some_of(c.strict, c.users.users, "user") + ".";
}

inline std::string sentences(const std::vector<Claim>& claims, const ProtocolRecord& protocol) {
  std::string said;
  for (const Claim& c : claims) said += (said.empty() ? "" : " ") + sentence(c, protocol);
  return said;
}

/// "LoRA rank 4 against the base: better (12.3% lower, 12 users)."
inline std::string in_short(const Claim& c) {
  std::string said = words::capital(c.a) + " against " + c.b + ": " + std::string(name(c.answer));
  if (c.users.users > 0) said += " (" + words::lower(c.margin().point) + ", " + words::count(c.users.users, "user") + ")";
  return said + ".";
}

/// Those of a family in full, the others in short.
inline std::string sentences(const std::vector<Claim>& claims, const std::string& family, const ProtocolRecord& protocol) {
  std::string said, rest;
  for (const Claim& c : claims) {
    if (c.family == family)
      said += (said.empty() ? "" : " ") + sentence(c, protocol);
    else
      rest += " " + in_short(c);
  }
  return said.empty() && !rest.empty() ? rest.substr(1) : said + rest;
}

/// Of many claims, those that are decided: "Of 11 comparisons, 1 is decided. Norm-only, prose against LoRA-r4: worse
/// (12.3% higher, 6 users)."
inline std::string decided_in_short(const std::vector<Claim>& claims) {
  Index decided = 0;
  std::string said;
  for (const Claim& c : claims) {
    if (c.answer == Answer::undecided || c.answer == Answer::voided) continue;
    ++decided;
    said += " " + in_short(c);
  }
  return "Of " + words::count(static_cast<Index>(claims.size()), "comparison") + ", " +
         (decided == 0 ? "none is" : words::grouped(static_cast<double>(decided)) + (decided == 1 ? " is" : " are")) +
         " decided." + said;
}

/// One row a claim, with its answer.
inline Table claim_table(std::string title, const std::vector<const Claim*>& claims, const ProtocolRecord& protocol) {
  const std::string level = words::percent(1 - protocol.alpha);
  Table table{.title = std::move(title),
              .columns = {"", "margin", level + " interval", "bootstrap", "p", "p adjusted", "ahead for", "answer"}};
  const auto ends = [](const statistics::Interval& m) {
    return std::isfinite(m.low) && std::isfinite(m.high) ? words::margin(m.low) + " to " + words::margin(m.high)
                                                         : std::string(words::missing);
  };
  for (const Claim* c : claims) {
    const std::string row = c->a + " against " + c->b;
    if (c->users.users == 0) {
      const std::string none(words::missing);
      table.rows.push_back({row, none, none, none, none, none, none, {answer_in_words(*c, protocol), true}});
      continue;
    }
    table.rows.push_back({row, words::margin(c->margin().point), ends(c->margin()),
                          c->bootstrap ? ends(statistics::margin(*c->bootstrap)) : std::string(words::missing),
                          words::p_number(c->users.p), words::p_number(c->p_adjusted),
                          words::some_of(c->strict, c->users.users, "user"), {answer_in_words(*c, protocol), true}});
  }
  table.note = "Margin: how far the first one's perplexity lies below the other's. Users weigh the same; the bootstrap "
               "draws users, documents and chunks anew.";
  return table;
}

inline Table claim_table(std::string title, const std::vector<Claim>& claims, const ProtocolRecord& protocol) {
  std::vector<const Claim*> all;
  for (const Claim& c : claims) all.push_back(&c);
  return claim_table(std::move(title), all, protocol);
}

/// Says once whom runs that failed, or are not there yet, leave out.
inline void note_left_out(const std::vector<Claim>& claims, std::vector<std::string>& notes) {
  const auto once = [&](std::string note) {
    if (std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(std::move(note));
  };
  for (const Claim& c : claims) {
    const std::string which = " left out of " + c.a + " against " + c.b + ".";
    if (!c.failed.empty())
      once(words::capital(words::count(static_cast<Index>(c.failed.size()), "user")) + " (" + words::enumerate(c.failed) +
           "), of whom a run failed," + which);
    if (!c.missing.empty())
      once(words::capital(words::count(static_cast<Index>(c.missing.size()), "user")) + " (" +
           words::enumerate(c.missing) + "), of whom a run is not there," + which);
  }
}

/// The claims' one answer, or that of the strongest opponent: the one over which a's margin is smallest.
inline const Claim* against_the_best(const std::vector<const Claim*>& claims) {
  const Claim* best = nullptr;
  for (const Claim* c : claims)
    if (c->users.users > 0 && (best == nullptr || c->users.difference.point < best->users.difference.point)) best = c;
  return best != nullptr || claims.empty() ? best : claims.front();
}

/// Those of a family.
inline std::vector<const Claim*> of_family(const std::vector<Claim>& claims, const std::string& family) {
  std::vector<const Claim*> found;
  for (const Claim& c : claims)
    if (c.family == family) found.push_back(&c);
  return found;
}

}  // namespace tern::experiments
