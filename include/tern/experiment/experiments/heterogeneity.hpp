#pragma once
/// E11: on which kinds, languages and sizes of text?
#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tern/experiment/experiments/experiment.hpp"
#include "tern/experiment/experiments/personal.hpp"
#include "tern/experiment/experiments/sentences.hpp"

namespace tern::experiments::heterogeneity {

/// The others' runs are enough.
inline void needs(const Design&, const Needs&) {}

namespace detail {

struct Group {
  std::string name;
  std::vector<std::string> users;
};
struct Split {
  std::string title;
  std::vector<Group> groups;
};

inline Split by(const Evidence& evidence, const std::string& title, std::string UserRecord::*field) {
  std::map<std::string, std::vector<std::string>> groups;
  for (const UserRecord& u : evidence.users()) groups[u.*field].push_back(u.name);
  Split split{title, {}};
  for (auto& [name, users] : groups) split.groups.push_back({name.empty() ? "unknown" : name, std::move(users)});
  return split;
}

/// Terciles of the tokens that users trained on.
inline Split by_size(const Evidence& evidence) {
  std::vector<UserRecord> users = evidence.users();
  std::stable_sort(users.begin(), users.end(),
                   [](const UserRecord& a, const UserRecord& b) { return a.train_tokens < b.train_tokens; });
  Split split{"By size of text", {}};
  if (users.size() < 3) return split;
  for (std::size_t third = 0; third < 3; ++third) {
    const std::size_t from = third * users.size() / 3, to = (third + 1) * users.size() / 3;
    Group group{words::grouped(static_cast<double>(users[from].train_tokens)) + " to " +
                    words::grouped(static_cast<double>(users[to - 1].train_tokens)) + " tokens",
                {}};
    for (std::size_t i = from; i < to; ++i) group.users.push_back(users[i].name);
    split.groups.push_back(std::move(group));
  }
  return split;
}

/// Those that divide users at all.
inline std::vector<Split> splits(const Evidence& evidence) {
  std::vector<Split> all = {by(evidence, "By population", &UserRecord::population), by(evidence, "By kind", &UserRecord::kind),
                            by(evidence, "By language", &UserRecord::language), by_size(evidence)};
  std::erase_if(all, [](const Split& s) { return s.groups.size() < 2; });
  return all;
}

struct Question {
  std::string b;
  Pairing pair;
};

/// What E1, E3 and E4 ask of the champion, of what was run.
inline std::vector<Question> questions(const Evidence& evidence) {
  const std::string& champion = evidence.roles().champion;
  std::vector<Question> all;
  if (!evidence.ran(champion)) return all;
  all.push_back({evidence.title(""), own_adapters(champion, "")});
  for (const std::string& rival : evidence.rivals()) all.push_back({evidence.title(rival), own_adapters(champion, rival)});
  if (evidence.ran(champion, Data::Kind::generic)) all.push_back({"generic text", own_over_generic(evidence, champion)});
  const Pairing best_other = own_over_best(evidence, champion);
  for (const UserRecord& u : evidence.users())
    if (best_other(u.name)) {
      all.push_back({"the best other person's", best_other});
      break;
    }
  return all;
}

inline std::vector<double> differences(const Evidence& evidence, const Group& group, const Question& question) {
  std::vector<double> all;
  for (const std::string& user : group.users)
    if (const auto pair = question.pair(user))
      if (const auto d = difference(evidence, *pair, user)) all.push_back(*d);
  return all;
}

inline std::string title_in(const Evidence& evidence, const Split& split, const Group& group) {
  return evidence.title(evidence.roles().champion) + ", " + (split.title == "By language" ? "language " : "") + group.name;
}

}  // namespace detail

inline void measure(const Evidence& evidence, Finding& finding) {
  const auto questions = detail::questions(evidence);
  const auto splits = detail::splits(evidence);
  if (questions.empty() || splits.empty()) return;
  const auto least = static_cast<std::size_t>(rules(evidence.protocol()).least_users);
  for (const auto& split : splits)
    for (const auto& group : split.groups)
      for (const auto& question : questions)
        if (detail::differences(evidence, group, question).size() >= least)
          finding.claims.push_back(compare(
              evidence, {.a = detail::title_in(evidence, split, group), .b = question.b, .family = "E11"}, group.users, question.pair));

  BarChart chart;
  for (const auto& question : questions) chart.series.push_back("over " + question.b);
  for (const auto& split : splits)
    for (const auto& group : split.groups) {
      auto& bars = chart.groups.emplace_back();
      bars.name = group.name;
      bars.note = words::count(static_cast<Index>(group.users.size()), "user");
      for (std::size_t q = 0; q < questions.size(); ++q) {
        const auto mean = mean_of(detail::differences(evidence, group, questions[q]));
        const auto margin = mean ? std::optional(statistics::margin(mean->point)) : std::nullopt;
        bars.bars.push_back({q, margin, words::margin(margin)});
      }
    }
  finding.figures.push_back({words::capital(evidence.title(evidence.roles().champion)) + ", by kind, language and size of text",
                             "Mean margins; groups of fewer than " + std::to_string(least) + " users support no claim.",
                             std::move(chart)});
  finding.numbers.emplace_back("claims", static_cast<double>(finding.claims.size()));
}

inline void conclude(const Evidence& evidence, Finding& finding) {
  const ProtocolRecord& protocol = evidence.protocol();
  const auto questions = detail::questions(evidence);
  for (const auto& split : detail::splits(evidence)) {
    Table table{.title = split.title, .columns = {"", "users"}};
    for (const auto& question : questions) table.columns.push_back("over " + question.b);
    for (const auto& group : split.groups) {
      auto& row = table.rows.emplace_back();
      row.emplace_back(group.name);
      row.emplace_back(words::grouped(static_cast<double>(group.users.size())));
      for (const auto& question : questions) {
        const Claim* claim = nullptr;
        for (const Claim& c : finding.claims)
          if (c.a == detail::title_in(evidence, split, group) && c.b == question.b) claim = &c;
        if (claim != nullptr) {
          const auto m = claim->margin();
          row.emplace_back(words::margin_between(m.point, m.low, m.high) + ", " + std::string(name(claim->answer)), true);
          continue;
        }
        const auto nats = detail::differences(evidence, group, question);
        const auto mean = mean_of(nats);
        row.emplace_back(mean ? words::margin(statistics::margin(mean->point)) + " (" +
                                    words::count(static_cast<Index>(nats.size()), "user") + ", no claim)"
                              : std::string(words::missing));
      }
    }
    table.note = "Margins of " + evidence.title(evidence.roles().champion) + ". No claim from fewer than " +
                 std::to_string(rules(protocol).least_users) + " users.";
    finding.tables.push_back(std::move(table));
  }
  note_left_out(finding.claims, finding.notes);
  finding.answer = Answer::measured;
  finding.sentence = finding.claims.empty()
                         ? "No group has " + std::to_string(rules(protocol).least_users) +
                               " users: the tables show margins, and no claim is made."
                         : decided_in_short(finding.claims);
}

inline constexpr Experiment experiment = {"E11", "Heterogeneity", "For which kinds, languages and sizes of text does it hold?",
                                          needs, measure, conclude};

}  // namespace tern::experiments::heterogeneity
