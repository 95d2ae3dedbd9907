#pragma once
/// E7: can adapters be stored smaller?
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "tern/experiment/experiments/compare.hpp"
#include "tern/experiment/experiments/cost.hpp"
#include "tern/experiment/experiments/experiment.hpp"
#include "tern/experiment/experiments/personal.hpp"
#include "tern/experiment/experiments/sentences.hpp"
#include "tern/experiment/experiments/share.hpp"

namespace tern::experiments::precision {

inline constexpr const char* stored[] = {"bf16", "int8", "int4"};

inline void needs(const Design& design, const Needs& need) {
  for (const std::string& contender : design.judged()) {
    if (design.copies.contains(contender)) continue;
    for (const UserRecord& u : design.users) {
      need({.setting = {.contender = contender, .user = u.name}});
      for (const char* form : stored) need({.setting = {.contender = contender, .user = u.name, .form = form}});
    }
  }
}

/// What storing a contender's adapters in `form` costs.
struct Loss {
  std::optional<statistics::Interval> lost;  ///< share of the personal gain
  std::vector<std::string> harmed;           ///< who was better than the base, and is not any more
  double bytes = 0;                          ///< of the largest adapter
};

/// Personal gain: own over generic text of the same language where E3 trained on that, else over the base.
inline Loss loss(const Evidence& evidence, const std::string& contender, const std::string& form) {
  Loss found;
  std::vector<double> left, whole;
  for (const UserRecord& u : evidence.users()) {
    const Setting own{.contender = contender, .user = u.name}, less{.contender = contender, .user = u.name, .form = form};
    const auto before = gain(evidence, own, u.name), after = gain(evidence, less, u.name);
    if (!before || !after) continue;
    const AdapterRecord* run = evidence.run(less);
    found.bytes = std::max(found.bytes, static_cast<double>(run->bytes));
    if (*before > 0 && *after < 0) found.harmed.push_back(u.name);
    const auto generic = control(evidence, contender, u.name, Data::Kind::generic);
    const auto by_generic = generic ? gain(evidence, *generic, u.name) : std::nullopt;
    whole.push_back(*before - by_generic.value_or(0));
    left.push_back(*after - by_generic.value_or(0));
  }
  if (const auto kept = experiments::kept(left, whole, 1 - evidence.protocol().alpha))
    found.lost = statistics::Interval{1 - kept->point, 1 - kept->high, 1 - kept->low};
  return found;
}

/// Loses surely less than a twentieth of the personal gain, and makes nobody worse than the base.
inline bool is_harmless(const Loss& loss) { return loss.lost && loss.lost->high < 0.05 && loss.harmed.empty(); }

inline void measure(const Evidence& evidence, Finding& finding) {
  Table table{.title = "What is lost by storing adapters smaller",
              .columns = {"", "as", "bytes a user", "share of the personal gain lost", "worse than the base"}};
  for (const std::string& contender : judged(evidence))
    for (const char* form : stored) {
      Claim claim = compare(evidence, {.a = evidence.title(contender) + " in " + form, .b = "the same in fp32", .family = "E7"},
                            user_names(evidence), [&](const std::string& user) {
                              return Pair{{.contender = contender, .user = user, .form = form}, {.contender = contender, .user = user}};
                            });
      if (claim.users.users == 0) continue;
      finding.claims.push_back(std::move(claim));
      const Loss l = loss(evidence, contender, form);
      table.rows.push_back({evidence.title(contender), form, words::bytes(l.bytes),
                            l.lost ? share_between(*l.lost) : std::string(words::missing),
                            l.harmed.empty() ? "nobody" : words::enumerate(l.harmed)});
      finding.numbers.emplace_back("lost, " + evidence.title(contender) + " in " + form,
                                   l.lost ? std::optional(l.lost->point) : std::nullopt);
    }
  if (table.rows.empty()) return;
  table.note = "Personal gain: over generic text of the same language where that was trained on, else over the base. Whole numbers of 8 and 4 "
               "bits with a scale a vector.";
  finding.tables.push_back(std::move(table));
}

inline void conclude(const Evidence& evidence, Finding& finding) {
  note_left_out(finding.claims, finding.notes);
  finding.tables.insert(finding.tables.begin(), claim_table("Answers", finding.claims, evidence.protocol()));
  finding.answer = Answer::measured;
  for (const std::string& contender : judged(evidence)) {
    std::vector<std::string> said;
    for (const char* form : stored) {
      const Loss l = loss(evidence, contender, form);
      if (l.bytes == 0) continue;
      said.push_back((l.lost ? share_between(*l.lost) : "an unknown share") + " in " + form +
                     (l.harmed.empty() ? "" : " (worse than the base: " + words::enumerate(l.harmed) + ")"));
    }
    if (!said.empty())
      finding.sentence += (finding.sentence.empty() ? "" : " ") + words::capital(evidence.title(contender)) +
                          " loses of its personal gain " + words::enumerate(said) + ".";
  }
}

inline constexpr Experiment experiment = {"E7", "Adapter precision", "Can adapters be stored smaller?", needs, measure, conclude};

}  // namespace tern::experiments::precision
