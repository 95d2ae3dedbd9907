#pragma once
/// E4: is the gain the person's own? Every user's adapter on every user's text.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tern/experiment/experiments/experiment.hpp"
#include "tern/experiment/experiments/personal.hpp"
#include "tern/experiment/experiments/sentences.hpp"

namespace tern::experiments::confusion {

inline void needs(const Design& design, const Needs& need) {
  for (const std::string& contender : design.options.contenders)
    for (const UserRecord& u : design.users)
      need({.setting = {.contender = contender, .user = u.name}, .everybody = true});
}

namespace detail {

/// Whether adapters were scored on other users' texts.
inline bool crossed(const Evidence& evidence, const std::string& contender) {
  for (const UserRecord& owner : evidence.users())
    for (const UserRecord& text : evidence.users())
      if (owner.name != text.name && evidence.cell({.contender = contender, .user = owner.name}, text.name) != nullptr)
        return true;
  return false;
}

inline std::vector<std::string> other_languages(const Evidence& evidence, const std::string& user) {
  std::vector<std::string> all;
  for (const UserRecord& u : evidence.users())
    if (u.language != evidence.user(user).language) all.push_back(u.name);
  return all;
}

/// Mean gain over the base of `owner`'s adapter on `texts`; nothing where it was scored on none.
inline std::optional<double> mean_gain(const Evidence& evidence, const std::string& contender, const std::string& owner,
                                       const std::vector<std::string>& texts) {
  double sum = 0, n = 0;
  for (const std::string& text : texts)
    if (const auto g = gain(evidence, {.contender = contender, .user = owner}, text)) {
      sum += *g;
      ++n;
    }
  return n == 0 ? std::nullopt : std::optional(sum / n);
}

/// Mean gain over the base, on `user`'s text, of the adapters of `owners`.
inline std::optional<double> mean_of_owners(const Evidence& evidence, const std::string& contender,
                                            const std::string& user, const std::vector<std::string>& owners) {
  double sum = 0, n = 0;
  for (const std::string& owner : owners)
    if (const auto g = gain(evidence, {.contender = contender, .user = owner}, user)) {
      sum += *g;
      ++n;
    }
  return n == 0 ? std::nullopt : std::optional(sum / n);
}

/// Own adapter less the mean of the same-language others, per user.
inline std::vector<double> over_mean_other(const Evidence& evidence, const std::string& contender) {
  std::vector<double> all;
  for (const UserRecord& u : evidence.users()) {
    const auto own = gain(evidence, {.contender = contender, .user = u.name}, u.name);
    const auto others = mean_of_owners(evidence, contender, u.name, same_language(evidence, u.name));
    if (own && others) all.push_back(*own - *others);
  }
  return all;
}

inline std::string shown(const std::vector<double>& nats, double level) {
  const auto mean = mean_of(nats, level);
  if (!mean) return std::string(words::missing);
  const auto m = statistics::margin(*mean);
  return words::margin_between(m.point, m.low, m.high);
}

/// What an adapter does to texts that are not its owner's.
inline Table elsewhere_table(const Evidence& evidence, const std::vector<std::string>& contenders) {
  Table table{.title = "An adapter on other people's text",
              .columns = {"", "own text", "same language", "other languages", "own over the mean other"}};
  const double level = 1 - evidence.protocol().alpha;
  for (const std::string& c : contenders) {
    std::vector<double> own, same, foreign;
    for (const UserRecord& u : evidence.users()) {
      if (const auto g = gain(evidence, {.contender = c, .user = u.name}, u.name)) own.push_back(*g);
      if (const auto g = mean_gain(evidence, c, u.name, same_language(evidence, u.name))) same.push_back(*g);
      if (const auto g = mean_gain(evidence, c, u.name, other_languages(evidence, u.name))) foreign.push_back(*g);
    }
    table.rows.push_back({evidence.title(c), shown(own, level), shown(same, level), shown(foreign, level),
                          shown(over_mean_other(evidence, c), level)});
  }
  table.note = "Margins over the base, below 0 where an adapter does harm; owners weigh the same. The last column compares on the owner's "
               "text, with others of the same language.";
  return table;
}

/// Texts by adapters, both by language.
inline void add_map(const Evidence& evidence, const std::string& contender, Finding& finding) {
  std::vector<UserRecord> users = evidence.users();
  std::stable_sort(users.begin(), users.end(),
                   [](const UserRecord& a, const UserRecord& b) { return a.language < b.language; });
  HeatMap map;
  map.row_title = "text of";
  map.column_title = "adapter of";
  for (std::size_t i = 0; i < users.size(); ++i) {
    map.rows.push_back(users[i].name);
    map.columns.push_back(users[i].name);
    map.row_groups.push_back(i == 0 || users[i].language != users[i - 1].language ? users[i].language : "");
    auto& row = map.values.emplace_back();
    for (const UserRecord& owner : users) {
      const auto g = gain(evidence, {.contender = contender, .user = owner.name}, users[i].name);
      row.push_back(g ? std::optional(statistics::margin(*g)) : std::nullopt);
    }
  }
  finding.figures.push_back({words::capital(evidence.title(contender)) + ": everybody's adapter on everybody's text",
                             "Margin over the base. A row is a person's held-out text, a column a person's adapter; users are grouped "
                             "by language, and only others of the same language count in the answer.",
                             std::move(map)});
}

}  // namespace detail

inline void measure(const Evidence& evidence, Finding& finding) {
  std::vector<std::string> contenders, alone;
  for (const std::string& c : champion_first(evidence))
    if (detail::crossed(evidence, c)) contenders.push_back(c);
  if (contenders.empty()) return;
  for (const UserRecord& u : evidence.users())
    if (same_language(evidence, u.name).empty()) alone.push_back(u.name + " (" + u.language + ")");
  const Index controlled = static_cast<Index>(evidence.users().size() - alone.size());
  for (const std::string& c : contenders) {
    finding.claims.push_back(compare(evidence,
                                     {.a = evidence.title(c) + " of the person",
                                      .b = "the best other's of the same language",
                                      .family = personal_family(evidence, c)},
                                     user_names(evidence), own_over_best(evidence, c)));
    void_without_control(evidence, finding.claims.back(), controlled, "have another user of their language");
    detail::add_map(evidence, c, finding);
  }
  if (!alone.empty())
    finding.notes.push_back("Nobody else writes the language of " + words::enumerate(alone) + ": left out of the answer.");
  finding.notes.push_back(
      "The best of several others is picked on the text that it is scored on, which favours the others: the margins are "
      "lower bounds.");
  finding.tables.push_back(detail::elsewhere_table(evidence, contenders));
}

inline void conclude(const Evidence& evidence, Finding& finding) {
  const ProtocolRecord& protocol = evidence.protocol();
  const std::string& champion = evidence.roles().champion;
  note_left_out(finding.claims, finding.notes);
  finding.tables.insert(finding.tables.begin(), claim_table("Answers", finding.claims, protocol));
  finding.sentence = sentences(finding.claims, personal_family(evidence, champion), protocol);
  const auto of_champion = of_family(finding.claims, personal_family(evidence, champion));
  if (of_champion.empty()) {
    finding.reason = "the champion's adapters were not scored on other people's text";
    return;
  }
  const Claim& claim = *of_champion.front();
  finding.answer = claim.answer;
  finding.reason = claim.reason;
  if (const auto mean = mean_of(detail::over_mean_other(evidence, champion), 1 - protocol.alpha)) {
    finding.numbers.emplace_back("margin over the mean other", statistics::margin(mean->point));
    finding.sentence += " Against the mean other of the same language, the perplexity of " + evidence.title(champion) +
                        " is " + words::lower(statistics::margin(mean->point)) + ".";
  }
  if (holds_over_others(claim, protocol))
    finding.sentence += " The gain is the person's own: at least " + words::percent(protocol.margin) +
                        " at the interval's lower end.";
  else if (claim.answer == Answer::better)
    finding.sentence += " The interval's lower end is below the " + words::percent(protocol.margin) +
                        " that the protocol asks for.";
}

inline constexpr Experiment experiment = {
    "E4", "Confusion matrix", "Is the gain the person's own, or would another person's adapter do as well?", needs, measure,
    conclude};

}  // namespace tern::experiments::confusion
