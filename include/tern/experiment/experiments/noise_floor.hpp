#pragma once
/// E3: how much of the gain is regularisation or language, and how much is the person?
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tern/experiment/experiments/experiment.hpp"
#include "tern/experiment/experiments/personal.hpp"
#include "tern/experiment/experiments/sentences.hpp"

namespace tern::experiments::noise_floor {

inline void needs(const Design& design, const Needs& need) {
  for (const std::string& contender : design.options.contenders)
    for (const UserRecord& u : design.users) {
      const auto ask = [&](Data data) {
        const auto& asked = design.options.controls;
        if (std::find(asked.begin(), asked.end(), name(data.kind)) != asked.end())
          need({.setting = {.contender = contender, .user = u.name, .data = std::move(data)}});
      };
      if (const auto generic = design.generic.find(u.name); generic != design.generic.end())
        ask({Data::Kind::generic, generic->second});
      if (contender != design.options.roles.champion) continue;
      ask({Data::Kind::uniform});
      ask({Data::Kind::shuffled});
      if (!design.peers(u.name).empty()) ask({Data::Kind::others});
    }
}

namespace detail {

/// base -> generic -> own of one user, in nats per token.
struct Steps {
  double generic = 0, personal = 0;
};

inline std::optional<Steps> steps(const Evidence& evidence, const std::string& contender, const std::string& user) {
  const auto generic = control(evidence, contender, user, Data::Kind::generic);
  if (!generic) return std::nullopt;
  const auto by_generic = gain(evidence, *generic, user);
  const auto own = difference(evidence, {{.contender = contender, .user = user}, *generic}, user);
  if (!by_generic || !own) return std::nullopt;
  return Steps{*by_generic, *own};
}

/// "0.061 of 0.100 (61%)" needs a gain to be a share of.
inline std::string share(double part, double whole) {
  return whole > 0 ? words::percent(part / whole) : std::string(words::missing);
}

/// The mean steps of each contender.
inline Table decomposition_table(const Evidence& evidence) {
  Table table{.title = "Where the gain comes from, nats per token",
              .columns = {"", "users", "base → generic", "generic → own", "base → own", "personal share"}};
  for (const std::string& contender : champion_first(evidence)) {
    double generic = 0, personal = 0, n = 0;
    for (const UserRecord& u : evidence.users())
      if (const auto s = steps(evidence, contender, u.name)) {
        generic += s->generic;
        personal += s->personal;
        ++n;
      }
    if (n == 0) continue;
    table.rows.push_back({evidence.title(contender), words::grouped(n), words::fixed(generic / n, 3),
                          words::fixed(personal / n, 3), words::fixed((generic + personal) / n, 3),
                          {share(personal, generic + personal), true}});
  }
  table.note = "Means over users who have generic text. The personal share is what own text adds over generic text of the same "
               "language and kind, of the whole gain over the base.";
  return table;
}

/// What the champion gains from each kind of data.
inline Table control_table(const Evidence& evidence) {
  const std::string& champion = evidence.roles().champion;
  Table table{.title = words::capital(evidence.title(champion)) + " trained on other data",
              .columns = {"", "users", "gain over the base, nats per token", "margin over the base", "share of the own gain"}};
  constexpr std::array<std::pair<Data::Kind, const char*>, 5> kinds = {{
      {Data::Kind::real, "own text"},
      {Data::Kind::generic, "generic text of the language and kind"},
      {Data::Kind::others, "the other users of the language"},
      {Data::Kind::shuffled, "own tokens, shuffled"},
      {Data::Kind::uniform, "uniform tokens"},
  }};
  for (const auto& [kind, what] : kinds) {
    std::vector<double> gains;
    double own = 0, all = 0;
    for (const UserRecord& u : evidence.users()) {
      const auto setting = control(evidence, champion, u.name, kind);
      if (!setting) continue;
      const auto g = gain(evidence, *setting, u.name);
      const auto of_own = gain(evidence, {.contender = champion, .user = u.name}, u.name);
      if (!g || !of_own) continue;
      gains.push_back(*g);
      own += *of_own;
      all += *g;
    }
    const auto mean = mean_of(gains, 1 - evidence.protocol().alpha);
    if (!mean) continue;
    const auto m = statistics::margin(*mean);
    table.rows.push_back({what, words::grouped(static_cast<double>(gains.size())), words::fixed(mean->point, 3),
                          words::margin_between(m.point, m.low, m.high), share(all, own)});
  }
  table.note = "Same steps, same rate. Shares are of the own gain of the same users.";
  return table;
}

inline void add_stack(const Evidence& evidence, Finding& finding) {
  const std::string& champion = evidence.roles().champion;
  StackChart chart{.series = {"base → generic", "generic → own"}, .rows = {}, .unit = "nats per token"};
  Table table{.title = "The same, user by user",
              .columns = {"", "base → generic", "generic → own", "base → own", "personal share"}};
  for (const UserRecord& u : evidence.users()) {
    const auto s = steps(evidence, champion, u.name);
    if (!s) continue;
    chart.rows.push_back({u.name, u.kind + ", " + u.language, {s->generic, s->personal}});
    table.rows.push_back({u.name, words::fixed(s->generic, 3), words::fixed(s->personal, 3),
                          words::fixed(s->generic + s->personal, 3), share(s->personal, s->generic + s->personal)});
  }
  if (chart.rows.empty()) return;
  finding.figures.push_back({"Base → generic → own, " + evidence.title(champion),
                             "What generic text of the language brings, then what the person's own text adds to it.",
                             std::move(chart)});
  finding.tables.push_back(std::move(table));
}

}  // namespace detail

inline void measure(const Evidence& evidence, Finding& finding) {
  const std::string& champion = evidence.roles().champion;
  std::vector<std::string> without;
  for (const UserRecord& u : evidence.users())
    if (!evidence.protocol().generic.contains(u.name)) without.push_back(u.name);
  const Index controlled = static_cast<Index>(evidence.users().size() - without.size());

  bool controls = false;
  for (const auto kind : {Data::Kind::generic, Data::Kind::uniform, Data::Kind::shuffled, Data::Kind::others})
    controls = controls || evidence.ran(champion, kind);
  for (const std::string& contender : champion_first(evidence)) {
    if (!(contender == champion ? controls : evidence.ran(contender, Data::Kind::generic))) continue;
    finding.claims.push_back(compare(evidence,
                                     {.a = evidence.title(contender) + " on own text",
                                      .b = "the same on generic text",
                                      .family = personal_family(evidence, contender)},
                                     user_names(evidence), own_over_generic(evidence, contender)));
    void_without_control(evidence, finding.claims.back(), controlled, "have generic text of their language and kind");
  }
  if (finding.claims.empty()) return;
  if (!without.empty())
    finding.notes.push_back("There is no generic text of the language and kind of " + words::enumerate(without) +
                            ": the control is void for them.");
  finding.tables.push_back(detail::decomposition_table(evidence));
  if (controls) {
    finding.tables.push_back(detail::control_table(evidence));
    detail::add_stack(evidence, finding);
  }
}

inline void conclude(const Evidence& evidence, Finding& finding) {
  const ProtocolRecord& protocol = evidence.protocol();
  const std::string& champion = evidence.roles().champion;
  note_left_out(finding.claims, finding.notes);
  finding.tables.insert(finding.tables.begin(), claim_table("Answers", finding.claims, protocol));
  finding.sentence = sentences(finding.claims, personal_family(evidence, champion), protocol);
  const auto of_champion = of_family(finding.claims, personal_family(evidence, champion));
  if (of_champion.empty()) {
    finding.reason = "the champion has no control runs";
    return;
  }
  const Claim& claim = *of_champion.front();
  finding.answer = claim.answer;
  finding.reason = claim.reason;
  if (claim.users.users == 0) return;

  double generic = 0, personal = 0;
  for (const std::string& user : claim.names)
    if (const auto s = detail::steps(evidence, champion, user)) {
      generic += s->generic;
      personal += s->personal;
    }
  const double n = static_cast<double>(claim.users.users), whole = generic + personal;
  finding.numbers = {{"base to generic, nats per token", generic / n},
                     {"generic to own, nats per token", personal / n},
                     {"personal share of the gain", whole > 0 ? std::optional(personal / whole) : std::nullopt}};
  if (whole > 0)
    finding.sentence += " Of what " + evidence.title(champion) + " gains over the base, generic text brings " +
                        words::percent(generic / whole) + " and the person's own text " +
                        words::percent(personal / whole) + ".";
  if (claim.answer == Answer::better && !holds_over_generic(claim, protocol))
    finding.sentence += " That is less than the " + words::percent(protocol.margin) + " that the protocol asks for.";
}

inline constexpr Experiment experiment = {
    "E3", "Noise floor", "How much of the gain is the person's, and how much would any text of the language bring?",
    needs, measure, conclude};

}  // namespace tern::experiments::noise_floor
