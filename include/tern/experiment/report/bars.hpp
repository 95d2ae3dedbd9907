#pragma once
#include "tern/experiment/finding.hpp"
#include "tern/experiment/report/rows.hpp"

namespace tern::report {

/// Groups of horizontal bars from a common zero line, with whiskers where a bar has an interval. A value far on the
/// negative side is cut at the edge, its label still true: one diverged run must not flatten the others.
inline std::string picture(const BarChart& chart) {
  constexpr double bar = 13;
  double low = 0, high = 0.01;
  const auto cover = [&](const std::optional<double>& v) {
    if (detail::finite(v)) low = std::min(low, *v), high = std::max(high, *v);
  };
  for (const auto& group : chart.groups)
    for (const auto& b : group.bars) {
      cover(b.value);
      if (b.interval) cover(b.interval->first), cover(b.interval->second);
    }
  low = std::max(low, -std::max(0.3, high));

  Rows rows(share_scale(low, high), low < 0 ? 50 : 6, 74);
  const Axis& axis = rows.axis();
  for (const auto& group : chart.groups) {
    const double height = bar * std::max<double>(static_cast<double>(group.bars.size()), 1) + 8;
    Svg lane;
    std::string spoken = group.name;
    double y = 4;
    for (const auto& b : group.bars) {
      const std::string series = b.series < chart.series.size() ? chart.series[b.series] : "";
      const bool drawn = detail::finite(b.value), negative = drawn && *b.value < 0;
      double left = 0, right = 0;  // of bar and whisker
      if (drawn) {
        lane.rect(axis.at(std::min(0.0, *b.value)), y + 1, axis.between(0, *b.value), bar - 2, filled(b.series),
                  group.name + ", " + series + ": " + b.label);
        left = std::min(left, *b.value), right = std::max(right, *b.value);
      }
      if (drawn && b.interval && std::isfinite(b.interval->first) && std::isfinite(b.interval->second)) {
        const auto [from, to] = *b.interval;
        lane.line(axis.at(from), y + bar / 2, axis.at(to), y + bar / 2, "class=\"whisker\"");
        for (const double end : {from, to})
          lane.line(axis.at(end), y + 3, axis.at(end), y + bar - 3, "class=\"whisker\"");
        left = std::min(left, from), right = std::max(right, to);
      }
      lane.text(axis.at(negative ? left : right), y + bar - 3, b.label, negative ? "small end" : "small",
                negative ? "dx=\"-5\"" : "dx=\"5\"");
      spoken += "; " + series + " " + b.label;
      y += bar;
    }
    rows.add(detail::name_and_note(group.name, group.note), lane, height, spoken);
  }
  return rows.finish();
}

}  // namespace tern::report
