#pragma once
/// E2: is E1's answer one seed's accident?
#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tern/experiment/experiments/compare.hpp"
#include "tern/experiment/experiments/experiment.hpp"
#include "tern/experiment/experiments/sentences.hpp"
#include "tern/statistics/variance.hpp"

namespace tern::experiments::replication {

inline void needs(const Design& design, const Needs& need) {
  for (const std::string& contender : design.judged())
    for (const std::string& user : design.seeded)
      for (Index seed = 1; seed < design.options.seeds; ++seed)
        need({.setting = {.contender = contender, .user = user, .seed = seed}});
}

namespace detail {

inline std::string family(std::optional<Index> seed = {}) {
  return seed ? "E2, seed " + std::to_string(*seed) : "E2";
}

/// Users of whom two seeds or more have both runs.
inline std::vector<std::string> replicated(const Evidence& evidence, const std::string& rival) {
  std::vector<std::string> users;
  for (const UserRecord& u : evidence.users()) {
    Index seeds = 0;
    for (Index seed = 0; seed < evidence.protocol().seeds; ++seed)
      seeds += difference(evidence, *own_adapters(evidence.roles().champion, rival)(u.name), u.name, seed).has_value();
    if (seeds > 1) users.push_back(u.name);
  }
  return users;
}

/// [seeds x documents], nats per token.
inline Matrix<double> by_seed_and_document(const Evidence& evidence, const std::string& rival, const std::string& user) {
  const Pair pair = *own_adapters(evidence.roles().champion, rival)(user);
  std::vector<std::vector<double>> rows;
  for (Index seed = 0; seed < evidence.protocol().seeds; ++seed) {
    if (!difference(evidence, pair, user, seed)) continue;
    const auto documents = *evidence.difference(pair.a, pair.b, user, seed);
    auto& row = rows.emplace_back();
    for (const auto& document : documents) row.push_back(statistics::user_difference({document}));
  }
  Matrix<double> y(static_cast<Index>(rows.size()), static_cast<Index>(rows.front().size()));
  for (Index i = 0; i < y.rows(); ++i)
    for (Index j = 0; j < y.cols(); ++j) y(i, j) = rows[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)];
  return y;
}

inline std::string deviation(const std::optional<double>& variance) {
  return variance ? words::fixed(std::sqrt(*variance), 4) : std::string(words::missing);
}

/// Where the spread comes from, and how many users would find a difference of the margin with 1, 2 and 4 seeds.
inline void add_variance(const Evidence& evidence, Finding& finding, const std::vector<std::string>& rivals) {
  Table table{.title = "Where the spread of differences comes from, nats per token",
              .columns = {"", "users", "seeds", "documents", "rest", "users needed with 1 seed", "2 seeds", "4 seeds"}};
  const double edge = statistics::equivalence_margin(evidence.protocol().margin);
  for (const std::string& rival : rivals) {
    std::vector<Matrix<double>> all;
    std::vector<Index> documents;
    for (const std::string& user : replicated(evidence, rival)) {
      all.push_back(by_seed_and_document(evidence, rival, user));
      documents.push_back(all.back().cols());
    }
    if (all.size() < 2) continue;
    std::nth_element(documents.begin(), documents.begin() + static_cast<std::ptrdiff_t>(documents.size() / 2), documents.end());
    const Index median = documents[documents.size() / 2];
    const auto parts = statistics::variance_components(all);
    auto& row = table.rows.emplace_back();
    row.emplace_back("against " + evidence.title(rival));
    row.emplace_back(deviation(parts.user));
    row.emplace_back(deviation(parts.seed));
    row.emplace_back(deviation(parts.document));
    row.emplace_back(deviation(parts.residual));
    for (const Index seeds : {1, 2, 4}) {
      const double spread = std::sqrt(parts.of_mean(1, seeds, median));
      const auto users = statistics::users_for_difference(edge, spread, rules(evidence.protocol()).power,
                                                          evidence.protocol().alpha);
      row.emplace_back(users ? words::grouped(static_cast<double>(*users)) : "more than a million");
    }
    finding.numbers.emplace_back("deviation between users, against " + evidence.title(rival), std::sqrt(parts.user));
    finding.numbers.emplace_back("deviation between seeds, against " + evidence.title(rival),
                                 parts.seed ? std::optional(std::sqrt(*parts.seed)) : std::nullopt);
  }
  table.note = "Standard deviations by the method of moments. Users needed: to find a difference of " +
               words::percent(evidence.protocol().margin) + " in " +
               words::percent(rules(evidence.protocol()).power) + " of such experiments.";
  if (!table.rows.empty()) finding.tables.push_back(std::move(table));
}

}  // namespace detail

inline void measure(const Evidence& evidence, Finding& finding) {
  const std::string& champion = evidence.roles().champion;
  std::vector<std::string> rivals;
  for (const std::string& rival : evidence.rivals())
    if (!detail::replicated(evidence, rival).empty()) rivals.push_back(rival);
  const std::string seeds = words::count(evidence.protocol().seeds, "seed");
  for (const std::string& rival : rivals) {
    const auto users = detail::replicated(evidence, rival);
    const auto claim = [&](const std::string& how, std::optional<Index> seed) {
      finding.claims.push_back(compare(
          evidence,
          {.a = evidence.title(champion), .b = evidence.title(rival) + " (" + how + ")", .family = detail::family(seed)}, users,
          own_adapters(champion, rival), seed));
    };
    claim("mean of " + seeds, {});
    for (Index seed = 0; seed < evidence.protocol().seeds; ++seed) claim("seed " + std::to_string(seed) + " alone", seed);
    if (users.size() < evidence.users().size())
      finding.notes.push_back("Against " + evidence.title(rival) + ", " +
                              words::some_of(static_cast<Index>(users.size()), static_cast<Index>(evidence.users().size()), "user") +
                              " have more than one seed: the others do not count here.");
  }
  detail::add_variance(evidence, finding, rivals);
}

inline void conclude(const Evidence& evidence, Finding& finding) {
  const ProtocolRecord& protocol = evidence.protocol();
  finding.tables.insert(finding.tables.begin(), claim_table("Answers", finding.claims, protocol));
  note_left_out(finding.claims, finding.notes);
  const auto averaged = of_family(finding.claims, detail::family());
  std::vector<std::string> changed;
  for (std::size_t i = 0; i < averaged.size(); ++i) {
    std::vector<std::string> alone;
    for (Index seed = 0; seed < protocol.seeds; ++seed) {
      const Claim& one = *of_family(finding.claims, detail::family(seed))[i];
      alone.push_back(std::string(name(one.answer)) + " by seed " + std::to_string(seed));
    }
    if (of_family(finding.claims, detail::family(0))[i]->answer != averaged[i]->answer) changed.push_back(averaged[i]->b);
    finding.sentence += (i > 0 ? " " : "") + sentence(*averaged[i], protocol) + " Alone: " + words::enumerate(alone) + ".";
  }
  const Claim& best = *against_the_best(averaged);
  finding.answer = best.answer;
  finding.reason = best.reason;
  finding.numbers.emplace_back("answers that the first seed alone gives as well",
                               static_cast<double>(averaged.size() - changed.size()));
  if (changed.empty()) {
    finding.sentence += " The first seed's answers stand with seeds as a random effect.";
  } else {
    finding.answer = Answer::undecided;
    finding.reason = "the first seed alone answers otherwise against " + words::enumerate(changed);
    finding.sentence += " The first seed's answers do not all stand.";
  }
}

inline constexpr Experiment experiment = {"E2", "Replication", "Is the answer one seed's accident?", needs, measure,
                                          conclude};

}  // namespace tern::experiments::replication
