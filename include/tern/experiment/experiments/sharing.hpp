#pragma once
/// E8: can users share adapters?
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tern/experiment/experiments/compare.hpp"
#include "tern/experiment/experiments/cost.hpp"
#include "tern/experiment/experiments/experiment.hpp"
#include "tern/experiment/experiments/sentences.hpp"
#include "tern/experiment/experiments/share.hpp"

namespace tern::experiments::sharing {

/// In which an adapter is made of several people's; the last one is stored in as many bytes as the one before it.
inline constexpr std::pair<const char*, const char*> forms[] = {
    {"mean", "everybody's mean"},
    {"others", "the mean of all others"},
    {"cluster", "the mean of the others in the person's cluster"},
    {"int4", "the person's own in int4"},
    {"cluster+int4", "the cluster's mean and what the person's own differs by, in int4"},
};
inline constexpr const char* residual = "cluster+int4";

inline void needs(const Design& design, const Needs& need) {
  const std::string& champion = design.options.roles.champion;
  if (!design.options.runs(champion) || design.copies.contains(champion) || design.users.size() < 3) return;
  for (const UserRecord& u : design.users) need({.setting = {.contender = champion, .user = u.name}});
  for (const auto& [form, words_] : forms)
    for (const UserRecord& u : design.users) need({.setting = {.contender = champion, .user = u.name, .form = form}});
}

/// Share of the own gain over the base that a form keeps.
inline std::optional<statistics::Interval> kept(const Evidence& evidence, const std::string& contender, const std::string& form) {
  std::vector<double> part, whole;
  for (const UserRecord& u : evidence.users()) {
    const auto own = gain(evidence, {.contender = contender, .user = u.name}, u.name);
    const auto shared = gain(evidence, {.contender = contender, .user = u.name, .form = form}, u.name);
    if (own && shared) whole.push_back(*own), part.push_back(*shared);
  }
  return experiments::kept(part, whole, 1 - evidence.protocol().alpha);
}

namespace detail {

/// cluster -> its people, in order.
inline std::map<Index, std::vector<std::string>> clusters(const Evidence& evidence) {
  std::map<Index, std::vector<std::string>> all;
  for (const UserRecord& u : evidence.users())
    if (const AdapterRecord* run = evidence.run({.contender = evidence.roles().champion, .user = u.name, .form = "cluster"}))
      if (run->group > 0) all[run->group].push_back(u.name);
  return all;
}

inline Table cluster_table(const Evidence& evidence) {
  Table table{.title = "Who is in which cluster", .columns = {"", "people", "who"}};
  table.numbers = false;
  for (const auto& [number, people] : clusters(evidence)) {
    std::vector<std::string> who;
    for (const std::string& name : people)
      who.push_back(name + " (" + evidence.user(name).kind + ", " + evidence.user(name).language + ")");
    table.rows.push_back({"cluster " + std::to_string(number), std::to_string(people.size()), words::enumerate(who)});
  }
  table.note = "k-means on the adapters' numbers, of the square root of half as many clusters as people; whoever is alone in a cluster has "
               "the mean of all others there.";
  return table;
}

/// E4's matrix with people in their clusters' order; empty where it was not measured.
inline HeatMap by_cluster(const Evidence& evidence) {
  HeatMap map;
  std::vector<std::string> order;
  for (const auto& [number, people] : clusters(evidence))
    for (const std::string& name : people) {
      map.row_groups.push_back(name == people.front() ? "cluster " + std::to_string(number) : "");
      order.push_back(name);
    }
  bool any = false;
  for (const std::string& text : order) {
    auto& row = map.values.emplace_back();
    for (const std::string& owner : order) {
      const auto g = gain(evidence, {.contender = evidence.roles().champion, .user = owner}, text);
      row.push_back(g ? std::optional(statistics::margin(*g)) : std::nullopt);
      any = any || (g && owner != text);
    }
  }
  map.rows = map.columns = order;
  map.row_title = "text of", map.column_title = "adapter of";
  return any ? map : HeatMap{};
}

}  // namespace detail

inline void measure(const Evidence& evidence, Finding& finding) {
  const std::string& champion = evidence.roles().champion;
  const double people = static_cast<double>(evidence.users().size());
  Table table{.title = "What sharing keeps", .columns = {"", "bytes a user", "share of the own gain kept", "margin over the base"}};
  BarChart chart{.series = {"kept"}, .groups = {}};
  const double groups = static_cast<double>(detail::clusters(evidence).size());
  for (const auto& [form, words_] : forms) {
    Claim claim = compare(evidence, {.a = words_, .b = "the person's own", .family = "E8"}, user_names(evidence),
                          [&, form = form](const std::string& user) {
                            return Pair{{.contender = champion, .user = user, .form = form}, {.contender = champion, .user = user}};
                          });
    if (claim.users.users == 0) continue;
    finding.claims.push_back(std::move(claim));
    double bytes = 0;
    std::vector<double> gains;
    for (const UserRecord& u : evidence.users()) {
      const Setting s{.contender = champion, .user = u.name, .form = form};
      if (const AdapterRecord* run = evidence.run(s); run != nullptr && run->ok) bytes = std::max(bytes, static_cast<double>(run->bytes));
      if (const auto g = gain(evidence, s, u.name)) gains.push_back(*g);
    }
    // What is stored once is divided among the people of this population.
    const std::string f = form;
    const double whole = stored_bytes(evidence, champion).value_or(0);
    if (f == "mean" || f == "others") bytes = whole / people;
    if (f == "cluster") bytes = whole * groups / people;
    if (f == residual) bytes += whole * groups / people;
    const auto share = kept(evidence, champion, form);
    const auto mean = mean_of(gains);
    table.rows.push_back({words_, words::bytes(bytes), share ? share_between(*share) : std::string(words::missing),
                          words::margin(mean ? std::optional(statistics::margin(mean->point)) : std::nullopt)});
    finding.numbers.emplace_back(std::string("kept, ") + form, share ? std::optional(share->point) : std::nullopt);
    BarChart::Bar bar{0, {}, share ? share_between(*share) : std::string(words::missing), {}};
    if (share) bar.value = share->point, bar.interval = std::pair(share->low, share->high);
    chart.groups.push_back({words_, "", {bar}});
  }
  if (table.rows.empty()) return;
  table.note = "Bytes: what is stored once is divided among the people here. The mean of all others holds nothing of the person's own.";
  finding.tables.push_back(std::move(table));
  finding.figures.push_back({"Share of the own gain that is kept", "Means over users, with their intervals.", std::move(chart)});
  if (groups > 0) finding.tables.push_back(detail::cluster_table(evidence));
  if (HeatMap map = detail::by_cluster(evidence); !map.rows.empty())
    finding.figures.push_back({"Whose adapter helps whom, by cluster", "Below the base's perplexity.", std::move(map)});
}

inline void conclude(const Evidence& evidence, Finding& finding) {
  note_left_out(finding.claims, finding.notes);
  finding.tables.insert(finding.tables.begin(), claim_table("Answers", finding.claims, evidence.protocol()));
  finding.answer = Answer::measured;
  std::vector<std::string> said;
  for (const auto& [form, words_] : forms)
    if (const auto share = kept(evidence, evidence.roles().champion, form)) said.push_back(std::string(words_) + " " + share_between(*share));
  const std::string title = evidence.title(evidence.roles().champion);
  finding.sentence = said.empty() ? "What sharing keeps has no meaning: " + title + " gains nothing that is certain."
                                  : "Of the gain of " + title + " there is kept: by " + words::enumerate(said) + ".";
}

inline constexpr Experiment experiment = {"E8", "Sharing", "Can users share adapters?", needs, measure, conclude};

}  // namespace tern::experiments::sharing
