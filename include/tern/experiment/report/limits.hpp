#pragma once
/// What a run cannot say, from what it did.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tern/experiment/results.hpp"
#include "tern/experiment/words.hpp"
#include "tern/statistics/answer.hpp"
#include "tern/statistics/user_claim.hpp"

namespace tern::report {

namespace detail {

inline std::string title_of(const Results& r, const std::string& contender) {
  const ContenderRecord* c = r.protocol.contender(contender);
  return c == nullptr || c->title.empty() ? contender : c->title;
}

inline Index size_of(std::size_t n) { return static_cast<Index>(n); }

/// An ordinary run: its user's own text, the whole of it, at the whole budget.
inline bool is_ordinary(const AdapterRecord& a) {
  return a.ok && a.setting.data.kind == Data::Kind::real && a.setting.budget == 1 && a.setting.tokens == 0;
}

/// Whether validation perplexity fell by 1% or more in the last quarter of a run's steps.
inline bool was_improving(const AdapterRecord& a) {
  if (a.curve.size() < 2) return false;
  const CurvePoint& last = a.curve.back();
  const CurvePoint* before = nullptr;
  for (const CurvePoint& p : a.curve)
    if (4 * p.step <= 3 * last.step) before = &p;
  return before != nullptr && last.validation_ppl < 0.99 * before->validation_ppl;
}

/// Names of users, or how many where it is all of them.
inline std::string whom(const Results& r, const std::vector<std::string>& names) {
  const Index all = size_of(r.users.size());
  return all > 1 && size_of(names.size()) == all ? "all " + words::count(all, "user") : words::enumerate(names);
}

inline void limits_of_users(const Results& r, std::vector<std::string>& out) {
  const Index n = size_of(r.users.size()), least = statistics::Rules{}.least_users;
  const std::string how_many = words::capital(words::count(n, "user"));
  constexpr Index enough = 24;  // equivalence at 5% is then found in about 85% of the cases where it is true
  if (n == 0)
    out.push_back("Nobody's text could be used: nothing was compared.");
  else if (n < least)
    out.push_back(how_many + ": no claim about people is decided by fewer than " + std::to_string(least) + ".");
  else if (n < enough)
    out.push_back(how_many + " are few. With " + std::to_string(enough) +
                  ", five in six true equivalences at 5% are found, with 12 "
                  "one in three; a true difference may stay undecided here.");
  std::vector<std::string> one_work, guessed, short_text;
  std::set<std::string> languages;
  for (const UserRecord& u : r.users) {
    if (u.one_work) one_work.push_back(u.name);
    if (u.guessed_owner) guessed.push_back(u.name);
    if (!u.language.empty()) languages.insert(u.language);
  }
  const statistics::UserClaimRules rules;
  for (const CellRecord& c : r.cells) {
    if (!c.adapter.empty() || c.weights != "stored") continue;
    std::set<Index> documents;
    for (const ChunkLoss& chunk : c.chunks) documents.insert(chunk.document);
    if (size_of(c.chunks.size()) < rules.least_chunks || size_of(documents.size()) < rules.least_documents)
      short_text.push_back(c.user);
  }
  if (!one_work.empty())
    out.push_back("Documents that are parts of one work, for " + whom(r, one_work) +
                  ": gains there may be the document's, not the person's.");
  if (!short_text.empty())
    out.push_back("Too little held-out text for a claim about a single person: " + whom(r, short_text) + ".");
  if (!guessed.empty()) out.push_back("Whose text it is was guessed for " + whom(r, guessed) + ".");
  if (languages.size() == 1)
    out.push_back("Everybody writes one language (" + *languages.begin() + "): other languages were not tried.");
  if (!r.left_out.empty()) {
    std::vector<std::string> names;
    for (const LeftOut& l : r.left_out) names.push_back(l.name);
    out.push_back("Left out, so no answer is about them: " + words::enumerate(names) + ".");
  }
}

inline void limits_of_controls(const Results& r, std::vector<std::string>& out) {
  std::set<Data::Kind> trained;
  for (const AdapterRecord& a : r.adapters) trained.insert(a.setting.data.kind);
  std::vector<std::string> untested;
  for (const auto& [kind, says] : {std::pair{Data::Kind::uniform, "random tokens"},
                                   {Data::Kind::shuffled, "the user's tokens in random order"},
                                   {Data::Kind::generic, "generic text of the same language"},
                                   {Data::Kind::others, "other users' text of the same language"}})
    if (!trained.contains(kind)) untested.push_back(says);
  if (!untested.empty())
    out.push_back("Not trained on for comparison: " + words::enumerate(untested) +
                  ". What such text would have gained is unknown.");
  if (!trained.contains(Data::Kind::generic)) return;
  std::map<std::string, std::vector<std::string>> without;
  for (const UserRecord& u : r.users)
    if (!r.protocol.generic.contains(u.name))
      without[u.language.empty() ? "an unknown language" : u.language].push_back(u.name);
  for (const auto& [language, users] : without)
    out.push_back("There was no generic text in " + language + ": for " + words::enumerate(users) +
                  ", a personal gain cannot be told from the language's.");
}

inline void limits_of_training(const Results& r, std::vector<std::string>& out) {
  if (r.protocol.seeds <= 1 && !r.adapters.empty())
    out.push_back("One seed: how much another would change is not known.");
  std::set<std::string> finished;
  std::map<std::string, std::pair<Index, Index>> improving;  // contender -> runs that were, runs with a curve
  Index failed = 0;
  for (const AdapterRecord& a : r.adapters) {
    failed += !a.ok;
    if (!is_ordinary(a)) continue;
    finished.insert(a.setting.contender);
    if (a.curve.size() < 2) continue;
    ++improving[a.setting.contender].second;
    improving[a.setting.contender].first += was_improving(a);
  }
  std::vector<std::string> absent, untuned, unpiloted, hurried;
  std::set<std::string> named(r.protocol.roles.rivals.begin(), r.protocol.roles.rivals.end());
  named.insert(r.protocol.roles.champion), named.insert(r.protocol.roles.fallback), named.erase("");
  for (const std::string& name : named)
    if (!finished.contains(name)) absent.push_back(title_of(r, name));
  for (const ContenderRecord& c : r.protocol.contenders) {
    const auto pilot = r.protocol.pilots.find(c.name);
    if (pilot == r.protocol.pilots.end())
      unpiloted.push_back(title_of(r, c.name));
    else if (!pilot->second.interior)
      untuned.push_back(title_of(r, c.name));
    if (const auto at = improving.find(c.name); at != improving.end() && 2 * at->second.first >= at->second.second)
      hurried.push_back(title_of(r, c.name) + " (" + words::some_of(at->second.first, at->second.second, "run") + ")");
  }
  if (!absent.empty()) out.push_back("Did not run, so nothing is said of: " + words::enumerate(absent) + ".");
  if (r.protocol.kind != "standard")
    out.push_back("Nothing was tuned: the " + r.protocol.kind +
                  " design gives every contender the same learning rate.");
  else if (!unpiloted.empty())
    out.push_back("No pilot chose the learning rate of " + words::enumerate(unpiloted) + ".");
  if (!untuned.empty())
    out.push_back(
        "Not tuned, as the best learning rate tried lies at the end of the grid: " + words::enumerate(untuned) + ".");
  if (!hurried.empty())
    out.push_back("Validation perplexity still fell by 1% or more in the last quarter of the budget for " +
                  words::enumerate(hurried) + ". More time may change the order.");
  if (failed > 0) out.push_back(words::capital(words::count(failed, "run")) + " failed; the method says which.");
}

}  // namespace detail

/// Sentences of plain text; whoever renders them escapes them.
inline std::vector<std::string> limits(const Results& r) {
  std::vector<std::string> out;
  detail::limits_of_users(r, out);
  detail::limits_of_controls(r, out);
  detail::limits_of_training(r, out);
  out.push_back(
      "One base" +
      (r.base.parameters > 0 ? " of " + words::grouped(static_cast<double>(r.base.parameters)) + " parameters" : "") +
      ": what a larger or smaller one would show is not known.");
  return out;
}

}  // namespace tern::report
