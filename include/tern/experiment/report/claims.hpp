#pragma once
/// Comparisons as a picture: what came of them, by how much, how sure, for whom.
#include <span>

#include "tern/experiment/report/marks.hpp"
#include "tern/experiment/report/rows.hpp"

namespace tern::report {

/// One user alone has no interval.
inline bool has_ends(const statistics::Interval& i) { return std::isfinite(i.low) && std::isfinite(i.high); }

/// "−8.7% [−14.5%, −3.3%]".
inline std::string with_interval(const statistics::Interval& margins) {
  if (!std::isfinite(margins.point)) return std::string(words::missing);
  return words::margin_between(margins.point, margins.low, margins.high) + (has_ends(margins) ? "" : ", no interval");
}

/// A comparison a row: its interval as a whisker, its answer's sign at the margin, a faint dot a user; the band within
/// which two count as equivalent. The axis covers the intervals; users beyond it stand at its edge.
inline std::string claims_picture(std::span<const Claim> claims, double band) {
  double low = -2 * band, high = 2 * band;
  for (const Claim& c : claims) {
    const statistics::Interval m = c.margin();
    for (const double v : {m.point, has_ends(m) ? m.low : m.point, has_ends(m) ? m.high : m.point})
      if (std::isfinite(v)) low = std::min(low, v * 1.08), high = std::max(high, v * 1.08);
  }
  low = std::max(low, -1.0);
  Rows rows(share_scale(low, std::min(high, 1.0)), 10, 10, "rows claims", band);
  const Axis& axis = rows.axis();
  constexpr double height = 40, middle = 20;
  for (const Claim& c : claims) {
    Svg lane;
    for (std::size_t u = 0; u < c.differences.size(); ++u) {
      const double m = statistics::margin(c.differences[u]);
      if (std::isfinite(m))
        lane.circle(axis.at(m), middle, 3, "class=\"user\"",
                    (u < c.names.size() ? c.names[u] + ": " : "") + words::margin(m));
    }
    const statistics::Interval m = c.margin();
    const std::string colour = "class=\"" + std::string(name(c.answer)) + "\"";
    if (has_ends(m)) {
      const std::string thick = "class=\"reach " + std::string(name(c.answer)) + "\"";
      lane.line(axis.at(m.low), middle, axis.at(m.high), middle, thick);
      for (const double end : {m.low, m.high}) lane.line(axis.at(end), middle - 5, axis.at(end), middle + 5, thick);
    }
    if (std::isfinite(m.point)) {
      lane.circle(axis.at(m.point), middle, 8, "class=\"paper\"");
      lane.shape(axis.at(m.point), middle, mark(c.answer), colour);
    }
    const std::string title = c.a + " against " + c.b, because = c.reason.empty() ? "" : "; " + c.reason;
    rows.add(element("b", title) + " " + badge(c.answer) + " " + element("span", with_interval(m) + because), lane,
             height, title + ": " + std::string(name(c.answer)) + ", " + with_interval(m) + because);
  }
  return rows.finish();
}

}  // namespace tern::report
