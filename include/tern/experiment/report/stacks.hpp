#pragma once
#include "tern/experiment/finding.hpp"
#include "tern/experiment/report/rows.hpp"

namespace tern::report {

/// Each row a stair: a part starts where the one before it ended, one step lower, so that a part that leads back is
/// seen as well as one that leads on. The number is their sum; a part that is missing ends the stair.
inline std::string picture(const StackChart& chart) {
  constexpr double step = 9;
  double low = 0, high = 1e-9;
  for (const auto& row : chart.rows) {
    double sum = 0;
    for (const auto& part : row.parts) {
      if (!detail::finite(part)) break;
      sum += *part;
      low = std::min(low, sum), high = std::max(high, sum);
    }
  }
  low = std::max(low, -high);  // a diverged run must not flatten the others

  Rows rows(unit_scale(low, high), low < 0 ? 46 : 6, 54);
  const Axis& axis = rows.axis();
  for (const auto& row : chart.rows) {
    const double height = step * std::max<double>(static_cast<double>(chart.series.size()), 1) + 8;
    Svg lane;
    std::string spoken = row.name;
    double from = 0, y = 4, left = 0, right = 0;  // left and right: ends of the last part
    bool whole = !row.parts.empty();
    for (std::size_t i = 0; i < row.parts.size(); ++i, y += step) {
      whole = detail::finite(row.parts[i]);
      if (!whole) {
        lane.text(axis.at(from), y + step - 1, "no " + (i < chart.series.size() ? chart.series[i] : "value"),
                  "small muted", "dx=\"5\"");
        break;
      }
      const double to = from + *row.parts[i];
      const std::string says = (i < chart.series.size() ? chart.series[i] : "") + " " + words::fixed(*row.parts[i], 3);
      lane.rect(axis.at(std::min(from, to)), y, axis.between(from, to), step - 1, filled(i), row.name + ": " + says);
      if (i + 1 < row.parts.size()) lane.line(axis.at(to), y, axis.at(to), y + 2 * step - 1, "class=\"axis\"");
      spoken += "; " + says;
      left = std::min(from, to), right = std::max(from, to);
      from = to;
    }
    if (whole)
      lane.text(axis.at(from < 0 ? left : right), y - 2, words::fixed(from, 3), from < 0 ? "small end" : "small",
                from < 0 ? "dx=\"-5\"" : "dx=\"5\"");
    rows.add(detail::name_and_note(row.name, row.note), lane, height,
             spoken + (chart.unit.empty() ? "" : ", in " + chart.unit));
  }
  return rows.finish() + (chart.unit.empty() ? "" : element("p", chart.unit, "class=\"unit\""));
}

}  // namespace tern::report
