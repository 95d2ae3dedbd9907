#pragma once
#include "tern/experiment/report/svg.hpp"

namespace tern::report {

struct Bar {
  std::size_t series;  // its colour
  Maybe value;         // from the zero line; none draws the label alone
  std::string label;
};

struct BarGroup {
  std::string name, note;
  std::vector<Bar> bars;
};

/// Groups of horizontal bars from a common zero line. A value far on the negative side is cut at the edge, its label
/// still true: one diverged run must not flatten the others.
inline std::string bar_chart(const std::vector<BarGroup>& groups, std::string_view name) {
  constexpr double left = 156, plot = 420, gutter = 110, bar = 12, gap = 14, top = 22;
  double low = 0, high = 0.01;
  for (const BarGroup& g : groups)
    for (const Bar& b : g.bars) low = std::min(low, b.value.value_or(0)), high = std::max(high, b.value.value_or(0));
  low = std::max(low, -std::max(0.3, high));
  const double origin = low < 0 ? left + 44 : left;  // room for the labels of negative bars
  const auto x = [&](double v) { return origin + (std::clamp(v, low, high) - low) / (high - low) * plot; };

  double height = top + 6;
  for (const BarGroup& g : groups) height += std::max(2.4, static_cast<double>(g.bars.size())) * bar + gap;
  Svg svg;
  for (const double t : ticks(low, high, 5)) {
    svg.line(x(t), top - 4, x(t), height, t == 0 ? "class=\"axis\"" : "class=\"rule\"");
    svg.text(x(t), 12, margin(t, high - low < 0.06 ? 1 : 0), "small muted middle");
  }
  double y = top + 6;
  for (const BarGroup& g : groups) {
    svg.text(0, y + 11, shorten(g.name, 19), "strong");
    svg.text(0, y + 25, shorten(g.note, 25), "small muted");
    double at = y;
    for (const Bar& b : g.bars) {
      const double end = x(b.value.value_or(0)), zero = x(0);
      if (b.value)
        svg.rect(std::min(zero, end), at + 1, std::max(1.0, std::abs(end - zero)), bar - 2,
                 "style=\"fill:" + series_colour(b.series) + "\"", g.name + ": " + b.label);
      const bool negative = b.value.value_or(0) < 0;
      svg.text(negative ? end - 5 : end + 5, at + bar - 2, b.label, negative ? "small end" : "small");
      at += bar;
    }
    y += std::max(2.4, static_cast<double>(g.bars.size())) * bar + gap;
  }
  return svg.finish(origin + plot + gutter, height, name);
}

/// E1: margins over the base.
inline std::string formats_chart(const Readings& r) {
  const auto formats = formats_with(r);
  std::vector<BarGroup> groups;
  for (const std::string& user : r.users()) {
    const Maybe base = r.base(user);
    BarGroup group{user, "base " + perplexity(base), {}};
    for (std::size_t f = 0; f < formats.size(); ++f) {
      const Maybe own = r.own({formats[f], user});
      const bool failed = r.failed({formats[f], user});
      group.bars.push_back({f, margin_over(own, base), failed ? "failed" : perplexity(own)});
    }
    groups.push_back(std::move(group));
  }
  return bar_chart(groups, "Margin over the base by user and format");
}

/// E6: the gain on the dense and on the ternary base, each over its own base.
inline std::string ternary_chart(const Readings& r, const std::string& format) {
  std::vector<BarGroup> groups;
  for (const std::string& user : r.users()) {
    const Maybe dense = margin_over(r.own({format, user}), r.base(user));
    const Maybe ternary = margin_over(r.own({format, user, "real", "ternary"}), r.base(user, "ternary"));
    groups.push_back({user,
                      "recovery " + percent(recovery(r, format, user)),
                      {{0, dense, margin(dense)}, {1, ternary, margin(ternary)}}});
  }
  return bar_chart(groups, "Gain on the dense and on the ternary base by user: " + format);
}

}  // namespace tern::report
