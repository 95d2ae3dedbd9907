#pragma once
/// E12: how long must a user wait?
#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tern/experiment/experiments/compare.hpp"
#include "tern/experiment/experiments/cost.hpp"
#include "tern/experiment/experiments/experiment.hpp"

namespace tern::experiments::budget {

/// Besides the ordinary one.
inline constexpr double shares[] = {0.2, 0.5, 3};

inline void needs(const Design& design, const Needs& need) {
  for (const std::string& contender : design.judged())
    for (const std::string& user : design.sweep)
      for (const double share : shares) need({.setting = {.contender = contender, .user = user, .budget = share}});
}

/// Seconds at which a share of the last point's gain is reached, linear in log(seconds) between points (seconds, gain);
/// where the first point has it already, that one's. Nothing where the last gains nothing.
inline std::optional<double> seconds_to(double share, const std::vector<std::pair<double, double>>& points) {
  if (points.empty() || !(points.back().second > 0)) return std::nullopt;
  const double wanted = share * points.back().second;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto [seconds, gain] = points[i];
    if (gain < wanted) continue;
    if (i == 0) return seconds;
    const auto [before, less] = points[i - 1];
    return before * std::pow(seconds / before, (wanted - less) / (gain - less));
  }
  return std::nullopt;
}

namespace detail {

/// One contender's mean over the users who have every budget.
struct Curve {
  Index users = 0;
  std::vector<double> budgets;
  std::vector<std::pair<double, double>> points;  ///< seconds, gain in nats per token
};

inline Curve curve(const Evidence& evidence, const std::string& contender) {
  std::set<double> budgets;
  for (const AdapterRecord& a : evidence.results().adapters) {
    const Setting ordinary{.contender = contender, .user = a.setting.user, .budget = a.setting.budget};
    const bool asked = a.setting.budget == 1 || std::find(std::begin(shares), std::end(shares), a.setting.budget) != std::end(shares);
    if (a.ok && asked && a.setting == ordinary) budgets.insert(a.setting.budget);
  }
  Curve curve;
  curve.budgets.assign(budgets.begin(), budgets.end());
  curve.points.resize(budgets.size());
  for (const UserRecord& u : evidence.users()) {
    std::vector<std::pair<double, double>> points;
    for (const double b : curve.budgets) {
      const Setting s{.contender = contender, .user = u.name, .budget = b};
      const AdapterRecord* run = evidence.run(s);
      const auto g = difference(evidence, {s, base_setting()}, u.name, 0);
      if (run != nullptr && run->ok && g) points.emplace_back(seconds_of(evidence, *run), *g);
    }
    if (points.size() != curve.budgets.size()) continue;
    ++curve.users;
    for (std::size_t i = 0; i < points.size(); ++i) {
      curve.points[i].first += points[i].first;
      curve.points[i].second += points[i].second;
    }
  }
  for (auto& [seconds, gain] : curve.points) {
    seconds /= static_cast<double>(curve.users);
    gain /= static_cast<double>(curve.users);
  }
  return curve;
}

/// Contenders with more than one budget.
inline std::vector<std::pair<std::string, Curve>> curves(const Evidence& evidence) {
  std::vector<std::pair<std::string, Curve>> all;
  for (const std::string& c : judged(evidence))
    if (Curve found = curve(evidence, c); found.users > 0 && found.budgets.size() > 1) all.emplace_back(c, std::move(found));
  return all;
}

inline std::string at_most(const Curve& c, const std::optional<double>& seconds) {
  return (seconds && *seconds == c.points.front().first ? "at most " : "") + words::seconds(seconds);
}

}  // namespace detail

inline void measure(const Evidence& evidence, Finding& finding) {
  const auto curves = detail::curves(evidence);
  if (curves.empty()) return;
  Table gains{.title = "Margin over the base by budget", .columns = {"", "users", "budget", "seconds", "margin", "share of the longest"}};
  Table waits{.title = "How long a user waits",
              .columns = {"", "to 90% of the longest run's gain", "seconds a step", "pilots, once a contender"}};
  CurveChart chart;
  chart.x = "seconds of training";
  chart.y = "below the base's perplexity";
  chart.log_x = true;
  for (const auto& [contender, curve] : curves) {
    const std::string title = evidence.title(contender);
    const double longest = curve.points.back().second;
    CurveChart::Line line{.series = chart.series.size(), .points = {}, .name = title, .thick = true};
    chart.series.push_back(title);
    for (std::size_t i = 0; i < curve.points.size(); ++i) {
      const auto [seconds, gain] = curve.points[i];
      gains.rows.push_back({title, words::grouped(static_cast<double>(curve.users)), words::general(curve.budgets[i]),
                            words::seconds(seconds), words::margin(statistics::margin(gain)),
                            longest > 0 ? words::percent(gain / longest) : std::string(words::missing)});
      line.points.emplace_back(seconds, statistics::margin(gain));
    }
    chart.lines.push_back(std::move(line));
    const auto wait = seconds_to(0.9, curve.points);
    finding.numbers.emplace_back("seconds to 90%, " + title, wait);
    const auto pilot = evidence.protocol().pilots.find(contender);
    const auto calibration = evidence.protocol().calibration.find(contender);
    std::string tuning(words::missing);
    if (pilot != evidence.protocol().pilots.end() && calibration != evidence.protocol().calibration.end()) {
      const Index runs = pilot_runs(pilot->second);
      const double seconds = static_cast<double>(runs) * *seconds_of(evidence, contender, calibration->second.steps);
      finding.numbers.emplace_back("seconds of pilots, " + title, seconds);
      tuning = words::count(runs, "run") + ", " + words::seconds(seconds);
    }
    waits.rows.push_back({title, detail::at_most(curve, wait),
                          calibration == evidence.protocol().calibration.end()
                              ? std::string(words::missing)
                              : words::general(calibration->second.seconds_a_step),
                          tuning});
  }
  waits.note = "Between budgets by interpolation over log seconds of means over users. Calibration and pilots are paid once a contender "
               "and machine, not once a user; pilots of candidates that were not chosen come on top.";
  gains.note = "Separate runs, one a budget, each with a schedule of its own; the rate is the one chosen for one budget.";
  finding.tables.push_back(std::move(waits));
  finding.tables.push_back(std::move(gains));
  finding.figures.push_back({"Gain against budget", "Means over users who have every budget.", std::move(chart)});
}

inline void conclude(const Evidence& evidence, Finding& finding) {
  finding.answer = Answer::measured;
  for (const auto& [contender, curve] : detail::curves(evidence)) {
    const auto wait = seconds_to(0.9, curve.points);
    finding.sentence += finding.sentence.empty() ? "" : " ";
    finding.sentence += words::capital(evidence.title(contender)) + ": ";
    if (wait)
      finding.sentence += "90% of what " + words::general(curve.budgets.back()) + " budgets gain after " +
                          detail::at_most(curve, wait) + " (" + words::count(curve.users, "user") + ").";
    else
      finding.sentence += "no gain over the base after " + words::seconds(curve.points.back().first) + ", so there is nothing to wait for.";
  }
}

inline constexpr Experiment experiment = {"E12", "Budget", "How long must a user wait?", needs, measure, conclude};

}  // namespace tern::experiments::budget
