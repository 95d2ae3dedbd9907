#pragma once
#include "tern/core/error.hpp"
#include "tern/experiment/report/svg.hpp"

namespace tern {
namespace report {

/// ln(ppl(adapter of `user`) / ppl(base)) on the text of `text`: below zero is better than the base.
inline Maybe log_ratio(const Readings& r, const std::string& format, const std::string& user, const std::string& text) {
  const Maybe p = r.on({format, user}, text), base = r.base(text);
  return p && base ? Maybe(std::log(*p / *base)) : std::nullopt;
}

/// The log ratio at which colours saturate: the largest of all formats, at least 5%, at most a factor of two, so that
/// one diverged run does not wash out the rest.
inline double colour_limit(const Readings& r) {
  double limit = 0;
  for (const std::string& format : formats_with(r))
    for (const std::string& text : r.users())
      for (const std::string& user : r.users())
        limit = std::max(limit, std::abs(log_ratio(r, format, user, text).value_or(0)));
  return std::clamp(limit, 0.05, std::log(2.0));
}

namespace detail {
/// The colour's name, its strength from 0 to 1, and whether text on it must change sides.
inline std::string shade(double log_ratio, double limit) {
  const double strength = std::min(1.0, std::abs(log_ratio) / limit);
  return std::string("class=\"") + (log_ratio <= 0 ? "better" : "worse") + "\" fill-opacity=\"" +
         general(std::round(strength * 100) / 100, 2) + "\"";
}

/// The colours' legend: better to the left as the numbers' signs say.
inline void legend(Svg& svg, double x, double y, double limit) {
  constexpr int steps = 21;
  constexpr double width = 11;
  for (int i = 0; i < steps; ++i) {
    const double value = limit * (2.0 * i / (steps - 1) - 1);
    svg.rect(x + width * i, y, width + 0.2, 10, shade(value, limit));
  }
  svg.rect(x, y, width * steps, 10, "class=\"rule\"");
  svg.text(x, y + 24, margin(1 - std::exp(-limit), 0) + " better", "small muted");
  svg.text(x + width * steps / 2, y + 24, "base", "small muted middle");
  svg.text(x + width * steps, y + 24, "worse " + margin(1 - std::exp(limit), 0), "small muted end");
}
}  // namespace detail

/// The confusion matrix of one format: a row is whose text, a column whose adapter, the number the margin over the base
/// in percent, the colour the log ratio of the perplexities; own cells are outlined.
inline std::string heat_map(const Readings& r, const std::string& format, double limit, const std::string& head = {}) {
  const auto& users = r.users();
  const auto n = static_cast<double>(users.size());
  const double cell = users.size() <= 16 ? 42 : users.size() <= 32 ? 34 : 12;
  constexpr std::size_t most = 18;
  std::size_t longest = 8;
  for (const std::string& user : users) longest = std::max(longest, std::min(most, length(user)));
  const double label = 7.0 * static_cast<double>(longest) + 14, slant = label * 0.72;
  const double left = label + 16, top = slant + 40;
  const double width = std::max(left + n * cell + slant * 0.9, left + 250), height = top + n * cell + 56;

  Svg svg;
  svg.rect(0, 0, width, height, "class=\"paper\"");
  svg.text(0, 15, format, "strong");
  svg.text(left, 15, "whose adapter", "small muted");
  svg.text(0, 0, "whose text", "small muted middle",
           "transform=\"translate(10," + fixed(top + n * cell / 2, 0) + ") rotate(-90)\"");
  for (std::size_t i = 0; i < users.size(); ++i) {
    const double at = cell * (static_cast<double>(i) + 0.5);
    const std::string name = shorten(users[i], most);
    svg.text(0, 0, name, "",
             "transform=\"translate(" + fixed(left + at + 2, 1) + "," + fixed(top - 8, 1) + ") rotate(-45)\"");
    svg.text(left - 8, top + at + 4, name, "end");
  }
  for (std::size_t row = 0; row < users.size(); ++row)
    for (std::size_t column = 0; column < users.size(); ++column) {
      const double x = left + cell * static_cast<double>(column), y = top + cell * static_cast<double>(row);
      const Maybe value = log_ratio(r, format, users[column], users[row]);
      const Maybe gain = value ? Maybe(1 - std::exp(*value)) : std::nullopt;
      const std::string title = "text of " + users[row] + ", adapter of " + users[column] + ": " + margin(gain);
      if (value)
        svg.rect(x + 0.5, y + 0.5, cell - 1, cell - 1, detail::shade(*value, limit), title);
      else
        svg.rect(x + 2, y + 2, cell - 4, cell - 4, "class=\"none\"", title);
      if (cell < 30) continue;
      std::string shown = margin(gain, 0);
      if (!shown.empty() && shown.back() == '%') shown.pop_back();
      const bool dark = value && std::abs(*value) > 0.7 * limit;
      svg.text(x + cell / 2, y + cell / 2 + 4, shown,
               std::string("middle") + (dark ? " on-pole" : "") + (row == column ? " strong" : ""),
               "pointer-events=\"none\"");
    }
  for (std::size_t i = 0; i < users.size(); ++i) {
    const double at = cell * static_cast<double>(i);
    svg.rect(left + at + 1, top + at + 1, cell - 2, cell - 2, "class=\"own\"");
  }
  detail::legend(svg, left, top + n * cell + 18, limit);
  return svg.finish(width, height, "Confusion heat map of " + format + ": margin over the base, per adapter and text",
                    head);
}

}  // namespace report

/// The heat map of one format as an SVG file that stands alone. Throws ValueError where the document has no adapter of
/// that format.
inline std::string heat_map_svg(const nlohmann::json& results, const std::string& format) {
  const report::Readings r(results);
  const auto formats = report::formats_with(r);
  if (std::find(formats.begin(), formats.end(), format) == formats.end())
    throw ValueError("heat map: expected a format with trained adapters, got '" + format + "'");
  const std::string style = "<style>" + std::string(report::palette) + std::string(report::picture_style) + "</style>";
  return report::heat_map(r, format, report::colour_limit(r), style) + "\n";
}

}  // namespace tern
