#pragma once
/// The little of SVG that the pictures need. Colours are CSS variables, so that a picture follows light and dark.
#include "tern/experiment/report/sections.hpp"

namespace tern::report {

/// Colours of pages and pictures. Teal against brown and the series' hues stay apart for colour-blind eyes
/// (ColorBrewer's BrBG; Okabe and Ito's order of lightness).
inline constexpr std::string_view palette =
    ":root{--paper:#fff;--raised:#f6f7f7;--ink:#1b2023;--muted:#5d676d;--rule:#d9dedf;--better:#01665e;--worse:#8c510a;"
    "--on-pole:#fff;--s0:#2166ac;--s1:#c8553d;--s2:#b8860b;--s3:#7b4f9d;--s4:#4d7c3a;--s5:#5d676d}"
    "@media (prefers-color-scheme:dark){:root{--paper:#14181a;--raised:#1c2124;--ink:#e6eaeb;--muted:#9aa5aa;"
    "--rule:#333b3f;--better:#5ab4ac;--worse:#d8a657;--on-pole:#101314;--s0:#6aa9e0;--s1:#e88a72;--s2:#d9b24c;"
    "--s3:#b796d6;--s4:#8fbf7a;--s5:#9aa5aa}}"
    "@media print{:root{--paper:#fff;--raised:#f6f7f7;--ink:#1b2023;--muted:#5d676d;--rule:#d9dedf;--better:#01665e;"
    "--worse:#8c510a;--on-pole:#fff;--s0:#2166ac;--s1:#c8553d;--s2:#b8860b;--s3:#7b4f9d;--s4:#4d7c3a;--s5:#5d676d}}";

/// What classes mean within pictures.
inline constexpr std::string_view picture_style =
    "svg text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;fill:var(--ink);"
    "font-variant-numeric:tabular-nums}svg .small{font-size:10.5px}svg .muted{fill:var(--muted)}"
    "svg .strong{font-weight:600}svg .on-pole{fill:var(--on-pole)}svg .paper{fill:var(--paper)}"
    "svg .middle{text-anchor:middle}svg .end{text-anchor:end}svg .better{fill:var(--better)}"
    "svg .worse{fill:var(--worse)}svg .rule{stroke:var(--rule);fill:none}svg .axis{stroke:var(--muted);fill:none}"
    "svg .own{stroke:var(--ink);stroke-width:1.5;fill:none}svg .none{stroke:var(--rule);stroke-dasharray:2 3;fill:none}"
    "svg .line{fill:none;stroke-linejoin:round;stroke-linecap:round}";

inline constexpr std::size_t series_colours = 6;

/// var(--s0) ... by a series' place.
inline std::string series_colour(std::size_t i) { return "var(--s" + std::to_string(i % series_colours) + ")"; }

/// One picture: elements added one by one, coordinates in pixels from the top left.
class Svg {
 public:
  void rect(double x, double y, double w, double h, const std::string& attributes, const std::string& title = {}) {
    body_ += "<rect x=\"" + at(x) + "\" y=\"" + at(y) + "\" width=\"" + at(w) + "\" height=\"" + at(h) + "\" " +
             attributes + closing("rect", title);
  }
  void line(double x1, double y1, double x2, double y2, const std::string& attributes) {
    body_ += "<line x1=\"" + at(x1) + "\" y1=\"" + at(y1) + "\" x2=\"" + at(x2) + "\" y2=\"" + at(y2) + "\" " +
             attributes + "/>";
  }
  void circle(double x, double y, double radius, const std::string& attributes, const std::string& title = {}) {
    body_ += "<circle cx=\"" + at(x) + "\" cy=\"" + at(y) + "\" r=\"" + at(radius) + "\" " + attributes +
             closing("circle", title);
  }
  void path(const std::vector<std::pair<double, double>>& points, const std::string& attributes,
            const std::string& title = {}) {
    body_ += "<path d=\"";
    for (std::size_t i = 0; i < points.size(); ++i)
      body_ += (i == 0 ? "M" : "L") + at(points[i].first) + " " + at(points[i].second);
    body_ += "\" " + attributes + closing("path", title);
  }
  /// `text` is escaped here; `classes` and `attributes` are not.
  void text(double x, double y, std::string_view text, const std::string& classes = {},
            const std::string& attributes = {}) {
    body_ += "<text x=\"" + at(x) + "\" y=\"" + at(y) + "\" class=\"" + classes + "\" " + attributes + ">" +
             escape_html(text) + "</text>";
  }

  /// The finished element, named for those who cannot see it; `head` goes inside, first.
  std::string finish(double width, double height, std::string_view name, const std::string& head = {}) const {
    return "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"" + at(width) + "\" height=\"" + at(height) +
           "\" viewBox=\"0 0 " + at(width) + " " + at(height) + "\" aria-label=\"" + escape_html(name) + "\">" + head +
           body_ + "</svg>";
  }

 private:
  static std::string at(double v) {
    std::array<char, 64> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::round(v * 10) / 10 + 0.0);
    return {buffer.data(), end.ptr};
  }
  static std::string closing(const char* element, const std::string& title) {
    if (title.empty()) return "/>";
    return "><title>" + escape_html(title) + "</title></" + element + ">";
  }
  std::string body_;
};

/// About `most` round numbers (1, 2 or 5 times a power of ten apart) from `low` to `high`.
inline std::vector<double> ticks(double low, double high, int most) {
  if (!(high > low)) return {low};
  const double raw = (high - low) / most, power = std::pow(10, std::floor(std::log10(raw)));
  double step = power * 10;
  for (const double factor : {5.0, 2.0, 1.0})
    if (power * factor >= raw) step = power * factor;
  std::vector<double> all;
  const double first = std::ceil(low / step - 1e-9);
  for (int i = 0; i <= 2 * most && (first + i) * step <= high + 1e-9 * step; ++i) all.push_back((first + i) * step);
  return all;
}

}  // namespace tern::report
