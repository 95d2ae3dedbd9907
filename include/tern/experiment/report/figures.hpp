#pragma once
/// A figure as markup, with its key and caption.
#include <variant>

#include "tern/experiment/report/bars.hpp"
#include "tern/experiment/report/curves.hpp"
#include "tern/experiment/report/heat_map.hpp"
#include "tern/experiment/report/stacks.hpp"
#include "tern/experiment/report/table.hpp"

namespace tern::report {

namespace detail {

/// Names beside their colours; one series alone needs none.
inline std::string key(const std::vector<std::string>& names) {
  if (names.size() < 2) return {};
  std::string out = "<p class=\"key\">";
  for (std::size_t i = 0; i < names.size(); ++i)
    out += "<span><i style=\"background:" + series_colour(i) + "\"></i>" + escape_html(names[i]) + "</span> ";
  return out + "</p>";
}

struct Draw {
  const std::string& title;
  double limit;

  std::string operator()(const BarChart& c) const { return c.groups.empty() ? "" : key(c.series) + picture(c); }
  std::string operator()(const StackChart& c) const { return c.rows.empty() ? "" : key(c.series) + picture(c); }
  std::string operator()(const CurveChart& c) const {
    const auto plots = pictures(c);
    if (plots.empty()) return {};
    std::string out =
        (plots.size() == 1 ? key(c.series) : "") + element("p", c.y, "class=\"unit\"") + "<div class=\"panels\">";
    for (const std::string& plot : plots) out += plot;
    return out + "</div>";
  }
  std::string operator()(const HeatMap& m) const {
    if (m.rows.empty() || m.columns.empty()) return {};
    return "<div class=\"scroll\" tabindex=\"0\">" + picture(m, title, limit) + "</div>";
  }
};

}  // namespace detail

/// `limit` is where heat maps' colours saturate: one for all of an experiment. Nothing where there is nothing to draw.
inline std::string html(const Figure& figure, double limit) {
  const std::string drawn = std::visit(detail::Draw{figure.title, limit}, figure.picture);
  if (drawn.empty()) return {};
  return "<figure>" + element("h3", figure.title) + drawn +
         (figure.caption.empty() ? "" : element("figcaption", figure.caption)) + "</figure>\n";
}

/// A heat map that is narrow enough for text as a table; a table without rows else.
inline Table as_table(const Figure& figure) {
  Table t{figure.title, {}, {}, figure.caption};
  const auto* map = std::get_if<HeatMap>(&figure.picture);
  if (map == nullptr || map->columns.size() > 16) return t;
  t.columns.push_back(map->row_title + " \\ " + map->column_title);
  t.columns.insert(t.columns.end(), map->columns.begin(), map->columns.end());
  for (std::size_t i = 0; i < map->rows.size(); ++i) {
    std::vector<TableCell> row = {map->rows[i]};
    for (std::size_t j = 0; j < map->columns.size(); ++j) {
      const bool there = i < map->values.size() && j < map->values[i].size() && detail::finite(map->values[i][j]);
      row.emplace_back(words::margin(there ? map->values[i][j] : std::nullopt, 0), map->rows[i] == map->columns[j]);
    }
    t.rows.push_back(std::move(row));
  }
  return t;
}

}  // namespace tern::report
