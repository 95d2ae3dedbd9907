#pragma once
/// E5: does the gain survive numerical noise?
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tern/experiment/experiments/compare.hpp"
#include "tern/experiment/experiments/experiment.hpp"
#include "tern/experiment/experiments/personal.hpp"
#include "tern/experiment/experiments/sentences.hpp"

namespace tern::experiments::robustness {

/// Relative to the RMS of the hidden state, ascending.
inline constexpr std::pair<double, const char*> levels[] = {
    {1e-4, "noise:0.0001"}, {1e-3, "noise:0.001"}, {1e-2, "noise:0.01"}, {1e-1, "noise:0.1"}, {1, "noise:1"}};

/// Own adapter, base, and the adapter of all others of that language, each under the same noise.
inline void needs(const Design& design, const Needs& need) {
  const std::string& champion = design.options.roles.champion;
  if (!design.options.runs(champion) || design.copies.contains(champion)) return;
  for (const auto& [relative, form] : levels) {
    need({.setting = base_setting("stored", form), .everybody = true});
    for (const UserRecord& u : design.users) {
      need({.setting = {.contender = champion, .user = u.name}});
      need({.setting = {.contender = champion, .user = u.name, .form = form}});
      if (design.peers(u.name).empty()) continue;
      need({.setting = {.contender = champion, .user = u.name, .data = {Data::Kind::others}}});
      need({.setting = {.contender = champion, .user = u.name, .data = {Data::Kind::others}, .form = form}});
    }
  }
}

namespace detail {

inline std::string level(double relative) { return words::general(relative, 1); }

inline Pairing over_base(const Evidence& evidence, const char* form) {
  const std::string champion = evidence.roles().champion;
  return [=](const std::string& user) {
    return Pair{{.contender = champion, .user = user, .form = form}, base_setting("stored", form)};
  };
}
inline Pairing over_others(const Evidence& evidence, const char* form) {
  const std::string champion = evidence.roles().champion;
  return [&evidence, champion, form](const std::string& user) -> std::optional<Pair> {
    if (same_language(evidence, user).empty()) return std::nullopt;
    return Pair{{.contender = champion, .user = user, .form = form},
                {.contender = champion, .user = user, .data = {Data::Kind::others}, .form = form}};
  };
}

inline std::string family(const char* against) { return std::string("E5, against ") + against; }

}  // namespace detail

inline void measure(const Evidence& evidence, Finding& finding) {
  const auto users = user_names(evidence);
  const std::string title = evidence.title(evidence.roles().champion);
  for (const auto& [relative, form] : levels) {
    const std::string under = " under noise of " + detail::level(relative);
    for (const bool others : {false, true}) {
      Claim claim = compare(evidence,
                            {.a = title + under, .b = others ? "the same language's others" : "the base",
                             .family = detail::family(others ? "others" : "the base")},
                            users, others ? detail::over_others(evidence, form) : detail::over_base(evidence, form));
      if (claim.users.users > 0) finding.claims.push_back(std::move(claim));
    }
  }
  if (finding.claims.empty()) return;
  Table table{.title = "Perplexity of the base, and what own adapters save, by noise",
              .columns = {"noise, of the hidden state's RMS", "base lost", "margin over the base", "over the others"}};
  CurveChart chart;
  chart.x = "noise relative to the hidden state's RMS", chart.y = "below the same noise's perplexity";
  chart.log_x = true;
  chart.series = {"the base", "the others of the language"};
  chart.lines = {{0, {}, "over the base", true}, {1, {}, "over the others", true}};
  for (const auto& [relative, form] : levels) {
    std::vector<double> lost, base, others;
    for (const std::string& user : users) {
      if (const auto d = difference(evidence, {base_setting("stored", form), base_setting()}, user)) lost.push_back(*d);
      if (const auto d = difference(evidence, *detail::over_base(evidence, form)(user), user)) base.push_back(*d);
      if (const auto pair = detail::over_others(evidence, form)(user))
        if (const auto d = difference(evidence, *pair, user)) others.push_back(*d);
    }
    auto& row = table.rows.emplace_back();
    row.emplace_back(detail::level(relative));
    for (const auto& [values, line] : {std::pair{&lost, -1}, {&base, 0}, {&others, 1}}) {
      const auto mean = mean_of(*values);
      row.emplace_back(words::margin(mean ? std::optional(statistics::margin(mean->point)) : std::nullopt));
      if (mean && line >= 0)
        chart.lines[static_cast<std::size_t>(line)].points.emplace_back(relative, statistics::margin(mean->point));
    }
  }
  table.note = "Gaussian noise on the hidden state after every block; base, own and others' adapters meet the same draws. Base lost: its "
               "margin over itself without noise.";
  finding.tables.push_back(std::move(table));
  finding.figures.push_back({"What own adapters save under noise", "Means over users; the others' adapter is trained on everybody else "
                             "who writes the language.", std::move(chart)});
}

/// The largest level up to which all claims of a family are better; nothing where the smallest is not.
inline std::optional<double> survives(const std::vector<Claim>& claims, const std::string& family) {
  std::optional<double> most;
  const auto of = of_family(claims, family);
  for (std::size_t i = 0; i < of.size() && i < std::size(levels); ++i) {
    if (of[i]->answer != Answer::better) break;
    most = levels[i].first;
  }
  return most;
}

inline void conclude(const Evidence& evidence, Finding& finding) {
  note_left_out(finding.claims, finding.notes);
  finding.tables.insert(finding.tables.begin(), claim_table("Answers", finding.claims, evidence.protocol()));
  finding.answer = Answer::measured;
  finding.sentence = words::capital(evidence.title(evidence.roles().champion)) + " of the person";
  const char* joint = "";
  for (const auto& [against, words_] : {std::pair{"the base", "the base"}, {"others", "the adapter of all others of the language"}}) {
    if (of_family(finding.claims, detail::family(against)).empty()) continue;
    const auto most = survives(finding.claims, detail::family(against));
    finding.sentence += std::string(joint) + (most ? " beats " : " does not surely beat ") + words_ +
                        (most ? " under noise of up to " + detail::level(*most) : " even under noise of " + detail::level(levels[0].first)) +
                        " of the hidden state's RMS";
    finding.numbers.emplace_back(std::string("largest noise, against ") + against, most);
    joint = ", and";
  }
  finding.sentence += ".";
}

inline constexpr Experiment experiment = {"E5", "Robustness", "Does the gain survive numerical noise?", needs, measure, conclude};

}  // namespace tern::experiments::robustness
