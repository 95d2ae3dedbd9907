#pragma once
/// E13: how much text does a person need?
#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tern/experiment/experiments/compare.hpp"
#include "tern/experiment/experiments/experiment.hpp"
#include "tern/experiment/experiments/sentences.hpp"

namespace tern::experiments::data_size {

/// Tokens of training text, besides all of it.
inline constexpr Index limits[] = {4096, 16384};

/// Users who have no more than a size skip it.
inline void needs(const Design& design, const Needs& need) {
  for (const UserRecord& u : design.users)
    if (std::find(design.sweep.begin(), design.sweep.end(), u.name) != design.sweep.end())
      for (const std::string& contender : design.judged())
        for (const Index size : limits)
          if (u.train_tokens > size) need({.setting = {.contender = contender, .user = u.name, .tokens = size}});
}

namespace detail {

inline std::string in_words(Index size) {
  return size == 0 ? "all tokens" : words::grouped(static_cast<double>(size)) + " tokens";
}

/// Users of whom the champion has a run on part of the text.
inline std::vector<std::string> swept(const Evidence& evidence) {
  std::set<std::string> names;
  for (const AdapterRecord& a : evidence.results().adapters)
    if (a.setting.tokens > 0 && a.setting.contender == evidence.roles().champion) names.insert(a.setting.user);
  std::vector<std::string> users;
  for (const UserRecord& u : evidence.users())
    if (names.contains(u.name)) users.push_back(u.name);
  return users;
}

/// Ascending; 0, which is all, at the end.
inline std::vector<Index> sizes_run(const Evidence& evidence) {
  std::set<Index> found;
  for (const AdapterRecord& a : evidence.results().adapters)
    if (a.setting.tokens > 0 && a.setting.contender == evidence.roles().champion) found.insert(a.setting.tokens);
  std::vector<Index> all(found.begin(), found.end());
  if (!all.empty()) all.push_back(0);
  return all;
}

/// Mean gains over the base at each size, of the users who have every size; empty where nobody has.
struct Curve {
  std::vector<std::pair<double, double>> points;  ///< tokens, gain in nats per token
  Index users = 0;
};

inline Curve curve(const Evidence& evidence, const std::string& contender) {
  const auto sizes = sizes_run(evidence);
  Curve curve{std::vector<std::pair<double, double>>(sizes.size()), 0};
  for (const std::string& user : swept(evidence)) {
    std::vector<double> gains;
    for (const Index size : sizes)
      if (const auto g = difference(evidence, {{.contender = contender, .user = user, .tokens = size}, base_setting()}, user, 0))
        gains.push_back(*g);
    if (gains.size() != sizes.size()) continue;
    ++curve.users;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      curve.points[i].first += static_cast<double>(sizes[i] == 0 ? evidence.user(user).train_tokens : sizes[i]);
      curve.points[i].second += gains[i];
    }
  }
  if (curve.users == 0) return {};
  for (auto& [tokens, gain] : curve.points) {
    tokens /= static_cast<double>(curve.users);
    gain /= static_cast<double>(curve.users);
  }
  return curve;
}

}  // namespace detail

inline void measure(const Evidence& evidence, Finding& finding) {
  const std::string& champion = evidence.roles().champion;
  const auto sizes = detail::sizes_run(evidence);
  if (sizes.empty()) return;
  for (const Index size : sizes)
    for (const std::string& rival : evidence.rivals())
      finding.claims.push_back(compare(
          evidence,
          {.a = evidence.title(champion), .b = evidence.title(rival) + " at " + detail::in_words(size), .family = "E13"},
          detail::swept(evidence),
          [&](const std::string& user) -> std::optional<Pair> {
            if (size > 0 && evidence.user(user).train_tokens <= size) return std::nullopt;
            return Pair{{.contender = champion, .user = user, .tokens = size}, {.contender = rival, .user = user, .tokens = size}};
          },
          0));

  Table table{.title = "Margin over the base by size of text", .columns = {"", "users"}};
  for (const Index size : sizes) table.columns.push_back(detail::in_words(size));
  CurveChart chart;
  chart.x = "tokens of training text";
  chart.y = "below the base's perplexity";
  chart.log_x = true;
  for (const std::string& contender : judged(evidence)) {
    const auto curve = detail::curve(evidence, contender);
    if (curve.users == 0) continue;
    auto& row = table.rows.emplace_back();
    row.emplace_back(evidence.title(contender));
    row.emplace_back(words::grouped(static_cast<double>(curve.users)));
    CurveChart::Line line{.series = chart.series.size(), .points = {}, .name = evidence.title(contender), .thick = true};
    chart.series.push_back(evidence.title(contender));
    for (const auto& [tokens, gain] : curve.points) {
      row.emplace_back(words::margin(statistics::margin(gain)));
      line.points.emplace_back(tokens, statistics::margin(gain));
    }
    chart.lines.push_back(std::move(line));
  }
  table.note = "Same steps at every size, on users who have more text than the largest; \"all\" differs from user to user, the figure "
               "shows the mean.";
  if (!table.rows.empty()) {
    finding.tables.push_back(std::move(table));
    finding.figures.push_back({"Gain against size of text", "Means over users who have every size.", std::move(chart)});
  }
}

inline void conclude(const Evidence& evidence, Finding& finding) {
  const ProtocolRecord& protocol = evidence.protocol();
  note_left_out(finding.claims, finding.notes);
  if (!finding.claims.empty())
    finding.tables.insert(finding.tables.begin(), claim_table("Answers", finding.claims, protocol));
  finding.answer = Answer::measured;
  const auto sizes = detail::sizes_run(evidence);
  for (const std::string& contender : judged(evidence)) {
    const auto curve = detail::curve(evidence, contender);
    if (curve.users == 0 || !(curve.points.back().second > 0)) continue;
    std::vector<std::string> shares;
    for (std::size_t i = 0; i + 1 < sizes.size(); ++i)
      shares.push_back(detail::in_words(sizes[i]) + " bring " + words::percent(curve.points[i].second / curve.points.back().second));
    finding.sentence += "Of what all text gains with " + evidence.title(contender) + ", " + words::enumerate(shares) + " (" +
                        words::count(curve.users, "user") + "). ";
  }
  finding.sentence += sentences(finding.claims, protocol);
}

inline constexpr Experiment experiment = {"E13", "Data size", "How much text does a person need?", needs, measure, conclude};

}  // namespace tern::experiments::data_size
