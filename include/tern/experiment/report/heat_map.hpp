#pragma once
#include <optional>
#include <span>

#include "tern/experiment/finding.hpp"
#include "tern/experiment/report/page_style.hpp"
#include "tern/experiment/report/svg.hpp"
#include "tern/experiment/words.hpp"

namespace tern::report {

namespace detail {

/// A share as the logarithm of the two perplexities' ratio, so that a half and a double are as far from the middle.
inline std::optional<double> strength(const std::optional<double>& share) {
  if (!share || !(*share < 1) || !std::isfinite(*share)) return std::nullopt;
  return -std::log1p(-*share);
}

inline std::string shade(double strength, double limit) {
  const double opacity = std::min(1.0, std::abs(strength) / limit);
  return std::string("class=\"") + (strength >= 0 ? "better" : "worse") + "\" fill-opacity=\"" +
         words::general(std::round(opacity * 100) / 100, 2) + "\"";
}

/// The colours' legend, better to the right as the numbers' signs say.
inline void legend(Svg& svg, double x, double y, double limit) {
  constexpr int steps = 21;
  constexpr double width = 11;
  for (int i = 0; i < steps; ++i)
    svg.rect(x + width * i, y, width + 0.2, 10, shade(limit * (2.0 * i / (steps - 1) - 1), limit));
  svg.rect(x, y, width * steps, 10, "class=\"rule\"");
  svg.text(x, y + 24, words::margin(-std::expm1(limit), 0) + " worse", "small muted");
  svg.text(x + width * steps / 2, y + 24, "0", "small muted middle");
  svg.text(x + width * steps, y + 24, "better " + words::margin(-std::expm1(-limit), 0), "small muted end");
}

/// What fits a cell: percent without its sign, in small cells without a plus; nothing where that is too long.
inline std::string cell_number(const std::optional<double>& share, double cell) {
  std::string text = share && std::isfinite(*share) ? words::margin(share, 0) : std::string(words::missing);
  if (text.back() == '%') text.pop_back();
  if (cell < 30 && text.front() == '+') text.erase(0, 1);
  return 6.2 * static_cast<double>(length(text)) > cell ? "" : text;
}

}  // namespace detail

/// Where the colours of some heat maps saturate: at the largest value of all, at least 5%, at most a factor of two, so
/// that one diverged run does not wash out the rest.
inline double colour_limit(std::span<const Figure> figures) {
  double limit = 0;
  for (const Figure& figure : figures)
    if (const auto* map = std::get_if<HeatMap>(&figure.picture))
      for (const auto& row : map->values)
        for (const auto& value : row) limit = std::max(limit, std::abs(detail::strength(value).value_or(0)));
  return std::clamp(limit, 0.05, std::log(2.0));
}

/// Colours and percents; a row's own cell (its name is the column's) is outlined, groups stand apart, what was not
/// measured is dashed. Up to 16 columns are wide; up to 40 stay readable.
inline std::string picture(const HeatMap& map, std::string_view title, double limit, const std::string& head = {}) {
  constexpr std::size_t most = 18;
  constexpr double above = 20, between = 10;  // a group's name stands above its rows
  const std::size_t rows = map.rows.size(), columns = map.columns.size();
  const double cell = columns <= 16 ? 42 : columns <= 26 ? 30 : 20;
  const bool square = map.rows == map.columns;
  const auto group_starts = [&](std::size_t i) { return i < map.row_groups.size() && !map.row_groups[i].empty(); };

  std::vector<double> y(rows + 1, 0), x(columns + 1, 0);  // where each ends
  for (std::size_t i = 0; i < rows; ++i) y[i + 1] = y[i] + cell + (group_starts(i) ? above : 0);
  for (std::size_t j = 0; j < columns; ++j) x[j + 1] = x[j] + cell + (square && j > 0 && group_starts(j) ? between : 0);
  std::size_t longest = 8;
  for (const auto* names : {&map.rows, &map.columns})
    for (const std::string& n : *names) longest = std::max(longest, std::min(most, length(n)));
  const double label = 7.0 * static_cast<double>(longest) + 14, slant = label * 0.72;
  const double left = label + 18, top = slant + 26;
  const double width = std::max(left + x.back() + slant * 0.8, left + 250);
  const double height = top + y.back() + 56;

  Svg svg;
  svg.rect(0, 0, width, height, "class=\"paper\"");
  svg.text(left, 12, map.column_title, "small muted");
  svg.text(0, 0, map.row_title, "small muted middle",
           "transform=\"translate(10," + words::fixed(top + y.back() / 2, 0) + ") rotate(-90)\"");
  for (std::size_t j = 0; j < columns; ++j)
    svg.text(0, 0, shorten(map.columns[j], most), "",
             "transform=\"translate(" + words::fixed(left + x[j + 1] - cell / 2 + 2, 1) + "," +
                 words::fixed(top - 8, 1) + ") rotate(-45)\"");
  for (std::size_t i = 0; i < rows; ++i) {
    const double row = top + y[i + 1] - cell;
    svg.text(left - 8, row + cell / 2 + 4, shorten(map.rows[i], most), "end");
    if (group_starts(i)) svg.text(left, row - 5, shorten(map.row_groups[i], 40), "small muted");
    for (std::size_t j = 0; j < columns; ++j) {
      const double column = left + x[j + 1] - cell;
      const auto value = i < map.values.size() && j < map.values[i].size() ? map.values[i][j] : std::nullopt;
      const auto colour = detail::strength(value);
      const std::string says =
          map.rows[i] + ", " + map.columns[j] + ": " + words::margin(colour ? value : std::nullopt);
      if (colour)
        svg.rect(column + 0.5, row + 0.5, cell - 1, cell - 1, detail::shade(*colour, limit), says);
      else
        svg.rect(column + 2, row + 2, cell - 4, cell - 4, "class=\"none\"", says);
      const bool own = map.rows[i] == map.columns[j], dark = colour && std::abs(*colour) > 0.6 * limit;
      svg.text(column + cell / 2, row + cell / 2 + 4, detail::cell_number(colour ? value : std::nullopt, cell),
               std::string("middle") + (cell < 30 ? " tiny" : "") + (dark ? " on-pole" : "") + (own ? " strong" : ""),
               "pointer-events=\"none\"");
      if (own) svg.rect(column + 1, row + 1, cell - 2, cell - 2, "class=\"own\"");
    }
  }
  detail::legend(svg, left, top + y.back() + 18, limit);
  return svg.finish(width, height, title, head);
}

/// A heat map as a file of its own.
inline std::string heat_map_svg(const HeatMap& map, std::string_view title) {
  const std::string style = "<style>" + std::string(palette) + std::string(picture_style) + "</style>";
  const Figure figure{std::string(title), {}, map};
  return picture(map, title, colour_limit(std::span(&figure, 1)), style) + "\n";
}

}  // namespace tern::report
