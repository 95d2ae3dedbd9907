#pragma once
/// E1: does the champion beat each rival at the same budget?
#include <cmath>
#include <optional>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tern/experiment/experiments/compare.hpp"
#include "tern/experiment/experiments/cost.hpp"
#include "tern/experiment/experiments/experiment.hpp"
#include "tern/experiment/experiments/sentences.hpp"
#include "tern/statistics/user_claim.hpp"

namespace tern::experiments::contenders {

/// The primary family: the champion against each rival.
inline constexpr const char* family = "E1";

namespace detail {

/// The part of its budget that gives a contender as many steps as the slowest of `names` makes.
inline std::map<std::string, double> equal_steps(const std::map<std::string, Index>& steps,
                                                 const std::vector<std::string>& names) {
  Index fewest = std::numeric_limits<Index>::max();
  std::map<std::string, double> budgets;
  for (const std::string& name : names)
    if (const auto of = steps.find(name); of != steps.end()) fewest = std::min(fewest, of->second);
  for (const std::string& name : names)
    if (const auto of = steps.find(name); of != steps.end() && of->second > 0)
      budgets[name] = static_cast<double>(fewest) / static_cast<double>(of->second);
  return budgets;
}

}  // namespace detail

inline void needs(const Design& design, const Needs& need) {
  const auto equal = detail::equal_steps(design.steps, design.judged());
  for (const std::string& contender : design.options.contenders)
    for (const UserRecord& u : design.users) {
      need({.setting = {.contender = contender, .user = u.name}});
      if (const auto budget = equal.find(contender); budget != equal.end() && budget->second < 1)
        need({.setting = {.contender = contender, .user = u.name, .budget = budget->second}});
    }
}

namespace detail {

/// The champion against each rival, all with as many steps as the slowest makes; empty where they all make as many.
inline std::vector<Claim> at_equal_steps(const Evidence& evidence) {
  const std::string& champion = evidence.roles().champion;
  std::map<std::string, Index> steps;
  for (const auto& [name, calibration] : evidence.protocol().calibration) steps[name] = calibration.steps;
  const auto budgets = equal_steps(steps, judged(evidence));
  if (std::all_of(budgets.begin(), budgets.end(), [](const auto& b) { return b.second == 1; })) return {};
  const auto own = [&](const std::string& contender, const std::string& user) {
    return Setting{.contender = contender, .user = user, .budget = budgets.at(contender)};
  };
  std::vector<Claim> claims;
  for (const std::string& rival : evidence.rivals()) {
    if (!budgets.contains(champion) || !budgets.contains(rival)) continue;
    Claim claim = compare(evidence, {.a = evidence.title(champion), .b = evidence.title(rival)}, user_names(evidence),
                          [&](const std::string& user) { return Pair{own(champion, user), own(rival, user)}; }, 0);
    answer(claim, evidence.protocol());
    if (claim.users.users > 0) claims.push_back(std::move(claim));
  }
  return claims;
}

/// Perplexity and bits per byte of each user's held-out text, the lowest marked.
inline void add_losses(const Evidence& evidence, Finding& finding) {
  Table ppl{.title = "Perplexity of each user's held-out text", .columns = {"", "base"}};
  Table bits{.title = "The same in bits per byte", .columns = {"", "base"}};
  bits.note = "Tokens are not comparable across languages, bytes are.";
  for (const std::string& c : evidence.contenders()) {
    ppl.columns.push_back(evidence.title(c));
    bits.columns.push_back(evidence.title(c));
  }
  for (const UserRecord& u : evidence.users()) {
    const CellRecord* base = evidence.cell(base_setting(), u.name);
    if (base == nullptr || base->tokens == 0) continue;
    const double tokens = static_cast<double>(base->tokens), nats = base->nll / tokens;
    std::vector<std::optional<double>> losses = {nats};
    for (const std::string& c : evidence.contenders()) {
      const auto d = gain(evidence, {.contender = c, .user = u.name}, u.name);
      losses.push_back(d ? std::optional(nats - *d) : std::nullopt);
    }
    double lowest = nats;
    for (const auto& l : losses) lowest = std::min(lowest, l.value_or(lowest));
    auto &ppl_row = ppl.rows.emplace_back(), &bits_row = bits.rows.emplace_back();
    ppl_row.emplace_back(u.name);
    bits_row.emplace_back(u.name);
    for (const auto& l : losses) {
      const bool strong = l && *l == lowest;
      ppl_row.emplace_back(words::perplexity(l ? std::optional(std::exp(*l)) : std::nullopt), strong);
      bits_row.emplace_back(l && base->bytes > 0
                                ? words::fixed(statistics::bits_per_byte(*l * tokens, static_cast<double>(base->bytes)), 3)
                                : std::string(words::missing),
                            strong);
    }
  }
  finding.tables.push_back(std::move(ppl));
  finding.tables.push_back(std::move(bits));
}

/// What each user's own documents say of the champion against each rival, with Benjamini-Hochberg over all of it.
inline void add_users(const Evidence& evidence, Finding& finding) {
  const std::string& champion = evidence.roles().champion;
  const auto rivals = evidence.rivals();
  std::vector<std::vector<std::optional<statistics::UserClaim>>> claims;
  std::vector<double> p;
  std::vector<std::string> not_testable;
  for (const UserRecord& u : evidence.users()) {
    auto& row = claims.emplace_back();
    bool testable = true;
    for (const std::string& rival : rivals) {
      const Pair pair = *own_adapters(champion, rival)(u.name);
      if (!difference(evidence, pair, u.name)) {
        row.emplace_back();
        continue;
      }
      const auto claim = statistics::user_claim(*evidence.difference(pair.a, pair.b, u.name));
      row.emplace_back(claim);
      if (claim.testable) p.push_back(claim.p);
      testable = testable && claim.testable;
    }
    if (!testable) not_testable.push_back(u.name);
  }
  const auto adjusted = statistics::benjamini_hochberg(p);
  Table table{.title = words::capital(evidence.title(champion)) + ", user by user", .columns = {""}};
  for (const std::string& rival : rivals) table.columns.push_back("margin over " + evidence.title(rival));
  std::size_t next = 0;
  for (std::size_t i = 0; i < claims.size(); ++i) {
    auto& row = table.rows.emplace_back();
    row.emplace_back(evidence.users()[i].name);
    for (const auto& claim : claims[i]) {
      if (!claim) {
        row.emplace_back(std::string(words::missing));
        continue;
      }
      const double point = claim->difference.point;
      std::string text = words::margin(statistics::margin(point));
      const bool found = claim->testable && adjusted[next++] <= evidence.protocol().alpha;
      if (found) text += point > 0 ? ", better" : ", worse";
      row.emplace_back(text, found);
    }
  }
  table.note = "Better or worse: by the user's own documents, of such claims at most " +
               words::percent(evidence.protocol().alpha) + " are false (Benjamini-Hochberg, " +
               words::count(static_cast<Index>(p.size()), "test") + ").";
  finding.tables.push_back(std::move(table));
  if (!not_testable.empty())
    finding.notes.push_back("Not testable by themselves, for want of 12 chunks in 3 documents: " +
                            words::enumerate(not_testable) + ".");
}

/// Margins over the base, everybody's mean first.
inline void add_bars(const Evidence& evidence, Finding& finding) {
  BarChart chart;
  BarChart::Group mean{.name = "mean", .note = "", .bars = {}};
  std::vector<BarChart::Group> groups;
  for (const UserRecord& u : evidence.users()) groups.push_back({.name = u.name, .note = u.kind, .bars = {}});
  for (const std::string& c : evidence.contenders()) {
    const std::size_t series = chart.series.size();
    chart.series.push_back(evidence.title(c));
    std::vector<double> gains;
    for (BarChart::Group& group : groups) {
      const auto d = gain(evidence, {.contender = c, .user = group.name}, group.name);
      if (d) gains.push_back(*d);
      const auto m = d ? std::optional(statistics::margin(*d)) : std::nullopt;
      group.bars.push_back({series, m, words::margin(m)});
    }
    BarChart::Bar bar{series, std::nullopt, std::string(words::missing)};
    if (const auto over = mean_of(gains, 1 - evidence.protocol().alpha)) {
      const auto m = statistics::margin(*over);
      bar.value = m.point;
      bar.label = words::margin(m.point);
      if (std::isfinite(m.low)) bar.interval = {m.low, m.high};
    }
    mean.bars.push_back(bar);
  }
  chart.groups.push_back(std::move(mean));
  for (auto& group : groups) chart.groups.push_back(std::move(group));
  finding.figures.push_back({"How far below the base's perplexity",
                             "Each user's own adapter on the own held-out text; the mean over users with its interval.",
                             std::move(chart)});
}

/// Validation perplexity on the way, as a share of where it began.
inline void add_curves(const Evidence& evidence, Finding& finding) {
  CurveChart chart;
  chart.x = "seconds of training";
  chart.y = "below the first validation perplexity";
  for (const std::string& c : evidence.contenders()) {
    const std::size_t series = chart.series.size();
    chart.series.push_back(evidence.title(c));
    for (const UserRecord& u : evidence.users()) {
      const AdapterRecord* run = evidence.run({.contender = c, .user = u.name});
      if (run == nullptr || run->curve.size() < 2) continue;
      CurveChart::Line line{.series = series, .points = {}, .name = u.name};
      for (const CurvePoint& point : run->curve)
        line.points.emplace_back(seconds_of(evidence, c, point.step).value_or(point.seconds),
                                 1 - point.validation_ppl / run->curve.front().validation_ppl);
      chart.lines.push_back(std::move(line));
    }
  }
  if (!chart.lines.empty())
    finding.figures.push_back({"Training curves", "Drawn, never acted on: the last step is the adapter.", std::move(chart)});
}

/// Users for whom the champion is ahead of every rival, of those who have all runs.
inline std::pair<Index, Index> strict(const Evidence& evidence) {
  Index ahead = 0, users = 0;
  for (const UserRecord& u : evidence.users()) {
    bool all = true, first = true;
    for (const std::string& rival : evidence.rivals()) {
      const auto d = difference(evidence, *own_adapters(evidence.roles().champion, rival)(u.name), u.name);
      all = all && d.has_value();
      first = first && d.value_or(0) > 0;
    }
    users += all;
    ahead += all && first;
  }
  return {ahead, users};
}

}  // namespace detail

inline void measure(const Evidence& evidence, Finding& finding) {
  if (evidence.contenders().empty()) return;
  const std::string& champion = evidence.roles().champion;
  const auto users = user_names(evidence);
  if (evidence.ran(champion)) {
    for (const std::string& rival : evidence.rivals())
      finding.claims.push_back(compare(evidence,
                                       {.a = evidence.title(champion), .b = evidence.title(rival), .family = family},
                                       users, own_adapters(champion, rival)));
    finding.claims.push_back(compare(evidence, {.a = evidence.title(champion), .b = evidence.title("")}, users,
                                     own_adapters(champion, "")));
    if (!evidence.rivals().empty()) detail::add_users(evidence, finding);
  }
  detail::add_losses(evidence, finding);
  finding.tables.push_back(training_table(evidence));
  detail::add_bars(evidence, finding);
  detail::add_curves(evidence, finding);
}

inline void conclude(const Evidence& evidence, Finding& finding) {
  const ProtocolRecord& protocol = evidence.protocol();
  const std::string& champion = evidence.roles().champion;
  note_left_out(finding.claims, finding.notes);
  if (protocol.kind != "standard")
    finding.notes.push_back("Nothing is tuned: every contender has the one learning rate of the " + protocol.kind +
                            " design.");
  const auto against = of_family(finding.claims, family);
  if (against.empty()) {
    finding.answer = Answer::undecided;
    finding.reason = evidence.ran(champion) ? "no rival ran" : "the champion, " + evidence.title(champion) + ", did not run";
  } else {
    const Claim& best = *against_the_best(against);
    finding.answer = best.answer;
    finding.reason = best.reason;
  }
  finding.sentence = sentences(finding.claims, family, protocol);
  if (finding.sentence.empty()) finding.sentence = words::capital(finding.reason) + ".";
  if (!against.empty()) {
    const auto [ahead, users] = detail::strict(evidence);
    finding.numbers.emplace_back("users for whom the champion is first", static_cast<double>(ahead));
    finding.numbers.emplace_back("users with all runs", static_cast<double>(users));
    finding.sentence += " Strictly first, ahead of every rival: for " + words::some_of(ahead, users, "user") + ".";
  }
  std::vector<Claim> others;
  for (const std::string& c : evidence.contenders())
    if (c != champion) {
      others.push_back(compare(evidence, {.a = evidence.title(c), .b = evidence.title("")}, user_names(evidence),
                               own_adapters(c, "")));
      answer(others.back(), protocol);
    }
  std::vector<const Claim*> rows;
  for (const Claim& c : finding.claims) rows.push_back(&c);
  for (const Claim& c : others) rows.push_back(&c);
  finding.tables.insert(finding.tables.begin(), claim_table("Answers", rows, protocol));
  if (const auto equal = detail::at_equal_steps(evidence); !equal.empty()) {
    Table table = claim_table("The same at equal steps", equal, protocol);
    table.note = "Each trained anew, with as many steps as the slowest of them makes in the budget. Not adjusted: it stands beside the "
                 "answers, and decides nothing.";
    finding.tables.insert(finding.tables.begin() + 1, std::move(table));
  }
}

inline constexpr Experiment experiment = {
    "E1", "Contenders", "Does the champion beat each rival at the same budget?", needs, measure, conclude};

}  // namespace tern::experiments::contenders
