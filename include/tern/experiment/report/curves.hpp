#pragma once
#include "tern/experiment/report/svg.hpp"

namespace tern::report {

/// A validation curve: x in seconds or steps, y the margin over the first evaluation.
struct Curve {
  std::string user;
  std::vector<std::pair<double, double>> points;
};

/// The x axis of all curves: seconds, unless the budget was steps.
inline const char* curve_axis(const Readings& r) {
  const Json& budget = member(member(r.document(), "protocol"), "budget");
  return number(budget, "steps") && !number(budget, "seconds") ? "step" : "seconds";
}

inline std::vector<Curve> read_curves(const Readings& r, const std::string& format) {
  std::vector<Curve> curves;
  for (const std::string& user : r.users()) {
    const Json* adapter = r.adapter({format, user});
    if (adapter == nullptr) continue;
    Curve curve{user, {}};
    Maybe first;
    for (const Json& point : list(*adapter, "curve")) {
      const Maybe x = number(point, curve_axis(r)), ppl = number(point, "validation_ppl");
      if (!x || !ppl || !(*ppl > 0)) continue;
      if (!first) first = ppl;
      curve.points.emplace_back(*x, 1 - *ppl / *first);
    }
    if (curve.points.size() > 1) curves.push_back(std::move(curve));
  }
  return curves;
}

namespace detail {
/// The curve's value at x, linear between its points, the last one kept after its end; missing before its start.
inline Maybe value_at(const Curve& curve, double x) {
  const auto& p = curve.points;
  if (x < p.front().first) return std::nullopt;
  for (std::size_t i = 1; i < p.size(); ++i)
    if (x <= p[i].first) {
      const double span = p[i].first - p[i - 1].first;
      return span > 0 ? p[i - 1].second + (x - p[i - 1].first) / span * (p[i].second - p[i - 1].second) : p[i].second;
    }
  return p.back().second;
}
}  // namespace detail

/// One panel a format, with common axes: a thin line a user, a thick one their median.
inline std::vector<std::string> curve_panels(const Readings& r) {
  constexpr double left = 44, top = 28, plot_width = 256, plot_height = 150;
  const auto formats = formats_with(r);
  std::vector<std::vector<Curve>> all;
  double last = 0, low = 0, high = 0.02;
  for (const std::string& format : formats) {
    all.push_back(read_curves(r, format));
    for (const Curve& curve : all.back())
      for (const auto& point : curve.points) {
        last = std::max(last, point.first);
        low = std::min(low, point.second), high = std::max(high, point.second);
      }
  }
  low = std::max(low, -std::max(0.1, high / 2));
  std::vector<std::string> panels;
  if (!(last > 0)) return panels;
  const auto x = [&](double v) { return left + v / last * plot_width; };
  const auto y = [&](double v) { return top + (high - std::clamp(v, low, high)) / (high - low) * plot_height; };

  for (std::size_t f = 0; f < formats.size(); ++f) {
    if (all[f].empty()) continue;
    Svg svg;
    svg.text(left, 14, formats[f], "strong");
    for (const double t : ticks(low, high, 4)) {
      svg.line(left, y(t), left + plot_width, y(t), t == 0 ? "class=\"axis\"" : "class=\"rule\"");
      svg.text(left - 6, y(t) + 4, margin(t, high - low < 0.05 ? 1 : 0), "small muted end");
    }
    for (const double t : ticks(0, last, 4))
      svg.text(x(t), top + plot_height + 16, grouped(t), t == 0 ? "small muted" : "small muted middle");
    svg.text(left + plot_width, top + plot_height + 30, curve_axis(r), "small muted end");
    const std::string stroke = "class=\"line\" style=\"stroke:" + series_colour(f) + "\"";
    for (const Curve& curve : all[f]) {
      std::vector<std::pair<double, double>> points;
      for (const auto& p : curve.points) points.emplace_back(x(p.first), y(p.second));
      svg.path(points, stroke + " stroke-width=\"1\" stroke-opacity=\"0.4\"",
               curve.user + ": " + margin(curve.points.back().second));
    }
    std::vector<std::pair<double, double>> middle;
    for (int i = 0; i <= 60; ++i) {
      std::vector<double> values;
      for (const Curve& curve : all[f])
        if (const Maybe v = detail::value_at(curve, last * i / 60)) values.push_back(*v);
      if (const Maybe v = median(std::move(values))) middle.emplace_back(x(last * i / 60), y(*v));
    }
    svg.path(middle, stroke + " stroke-width=\"2.5\"", "median");
    panels.push_back(svg.finish(left + plot_width + 14, top + plot_height + 36,
                                "Validation margin over the first evaluation: " + formats[f]));
  }
  return panels;
}

}  // namespace tern::report
