#pragma once
#include <optional>

#include "tern/experiment/finding.hpp"
#include "tern/experiment/report/svg.hpp"
#include "tern/experiment/words.hpp"

namespace tern::report {

namespace detail {

/// One direction of a plot: linear, or logarithmic over what is above zero.
struct Direction {
  double low, high;
  bool log;
  double from, to;  // pixels

  double at(double v) const {
    const auto f = [&](double x) { return log ? std::log(x) : x; };
    return from + (f(std::clamp(v, low, high)) - f(low)) / (f(high) - f(low)) * (to - from);
  }
  std::vector<double> marks(int most) const { return log ? log_ticks(low, high, most) : ticks(low, high, most); }
};

/// Whether a point can be drawn.
inline bool drawable(const CurveChart& chart, const std::pair<double, double>& p) {
  return std::isfinite(p.first) && std::isfinite(p.second) && (!chart.log_x || p.first > 0) &&
         (!chart.log_y || p.second > 0);
}

/// A plain number, short: 0.003, 12, 4k, 5M.
inline std::string short_number(double v) {
  for (const auto& [size, letter] : {std::pair{1e15, "P"}, {1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}})
    if (std::abs(v) >= size) return words::general(v / size, 3) + letter;
  return words::general(v, 3);
}

}  // namespace detail

/// One plot for all series, or a plot a series where a series has several lines. All have the same axes: lines are
/// users, thick ones what sums them up. Far below zero, shares are cut: one diverged run must not flatten the others.
inline std::vector<std::string> pictures(const CurveChart& chart) {
  constexpr double left = 46, top = 26, width = 268, height = 160;
  std::vector<std::size_t> lines_of(chart.series.size(), 0);
  std::optional<double> x0, x1, y0, y1;
  for (const auto& line : chart.lines) {
    if (line.series < lines_of.size()) ++lines_of[line.series];
    for (const auto& p : line.points) {
      if (!detail::drawable(chart, p)) continue;
      x0 = std::min(x0.value_or(p.first), p.first), x1 = std::max(x1.value_or(p.first), p.first);
      y0 = std::min(y0.value_or(p.second), p.second), y1 = std::max(y1.value_or(p.second), p.second);
    }
  }
  if (!x0) return {};
  if (!chart.log_x) x0 = std::min(*x0, 0.0);
  if (!(*x1 > *x0)) x1 = chart.log_x ? *x0 * 10 : *x0 + 1;
  if (chart.y_is_share && !chart.log_y) {
    y0 = std::min(*y0, 0.0), y1 = std::max(*y1, 0.02);
    y0 = std::max(*y0, -std::max(0.1, *y1 / 2));
  }
  if (!(*y1 > *y0)) y1 = chart.log_y ? *y0 * 10 : *y0 + 1;
  const detail::Direction x{*x0, *x1, chart.log_x, left, left + width};
  const detail::Direction y{*y0, *y1, chart.log_y, top + height, top};

  const bool together = std::all_of(lines_of.begin(), lines_of.end(), [](std::size_t n) { return n <= 1; });
  const auto plot = [&](std::optional<std::size_t> only) {
    Svg svg;
    const std::string title = only ? chart.series[*only] : "";
    svg.text(left, 12, shorten(title, 40), "strong");
    for (const double t : y.marks(4)) {
      svg.line(left, y.at(t), left + width, y.at(t), t == 0 ? "class=\"axis\"" : "class=\"rule\"");
      svg.text(left - 6, y.at(t) + 4,
               chart.y_is_share ? words::margin(t, y.high - y.low < 0.05 ? 1 : 0) : detail::short_number(t),
               "small muted end");
    }
    for (const double t : x.marks(4)) {
      svg.line(x.at(t), top + height, x.at(t), top + height + 4, "class=\"axis\"");
      svg.text(x.at(t), top + height + 16, detail::short_number(t), "small muted middle");
    }
    svg.text(left + width, top + height + 31, chart.x, "small muted end");
    for (const auto& line : chart.lines) {
      if (only && line.series != *only) continue;
      std::vector<std::pair<double, double>> points;
      for (const auto& p : line.points)
        if (detail::drawable(chart, p)) points.emplace_back(x.at(p.first), y.at(p.second));
      if (points.empty()) continue;
      const bool thick = line.thick || together;
      const std::string colour = series_colour(line.series);
      svg.path(points,
               "class=\"line\" style=\"stroke:" + colour + "\" stroke-width=\"" +
                   (thick ? "2.5\"" : "1\" stroke-opacity=\"0.45\""),
               line.name);
      if (points.size() == 1 || (thick && points.size() <= 8))
        for (const auto& p : points) svg.circle(p.first, p.second, thick ? 3.5 : 2, filled(line.series));
    }
    return svg.finish(left + width + 16, top + height + 38,
                      (title.empty() ? "" : title + ": ") + chart.y + " against " + chart.x);
  };
  if (together) return {plot(std::nullopt)};
  std::vector<std::string> all;
  for (std::size_t s = 0; s < chart.series.size(); ++s)
    if (lines_of[s] > 0) all.push_back(plot(s));
  return all;
}

}  // namespace tern::report
