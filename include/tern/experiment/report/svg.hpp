#pragma once
/// The little of SVG that the pictures need.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/experiment/report/escape.hpp"

namespace tern::report {

namespace detail {
/// A coordinate to a tenth of a pixel.
inline std::string pixels(double v) {
  std::array<char, 64> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::round(v * 10) / 10 + 0.0);
  return {buffer.data(), end.ptr};
}
}  // namespace detail

/// A place or length: pixels, or a share of the picture's width or height ("40%"), so that a picture fits any screen
/// while its text keeps its size.
struct Extent {
  Extent(double px) : text(detail::pixels(px)) {}  // NOLINT: a number is pixels
  static Extent share(double s) {
    Extent extent(100 * s);
    extent.text += '%';
    return extent;
  }
  std::string text;
};

inline constexpr std::size_t series_colours = 6;

/// var(--s0) ... by a series' place.
inline std::string series_colour(std::size_t i) { return "var(--s" + std::to_string(i % series_colours) + ")"; }

inline std::string filled(std::size_t series) { return "style=\"fill:" + series_colour(series) + "\""; }

/// One picture: elements added one by one from the top left. Texts and titles are escaped here, attributes and classes
/// are not.
class Svg {
 public:
  void rect(const Extent& x, double y, const Extent& w, const Extent& h, const std::string& attributes,
            const std::string& title = {}) {
    body_ += "<rect x=\"" + x.text + "\" y=\"" + at(y) + "\" width=\"" + w.text + "\" height=\"" + h.text + "\" " +
             attributes + closing("rect", title);
  }
  void line(const Extent& x1, double y1, const Extent& x2, const Extent& y2, const std::string& attributes) {
    body_ += "<line x1=\"" + x1.text + "\" y1=\"" + at(y1) + "\" x2=\"" + x2.text + "\" y2=\"" + y2.text + "\" " +
             attributes + "/>";
  }
  void circle(const Extent& x, double y, double radius, const std::string& attributes, const std::string& title = {}) {
    body_ += "<circle cx=\"" + x.text + "\" cy=\"" + at(y) + "\" r=\"" + at(radius) + "\" " + attributes +
             closing("circle", title);
  }
  void path(const std::vector<std::pair<double, double>>& points, const std::string& attributes,
            const std::string& title = {}) {
    body_ += "<path d=\"";
    for (std::size_t i = 0; i < points.size(); ++i)
      body_ += (i == 0 ? "M" : "L") + at(points[i].first) + " " + at(points[i].second);
    body_ += "\" " + attributes + closing("path", title);
  }
  /// A shape given by path data around 0, 0.
  void shape(const Extent& x, double y, std::string_view data, const std::string& attributes) {
    body_ += "<svg x=\"" + x.text + "\" y=\"" + at(y) + "\" overflow=\"visible\"><path d=\"" + std::string(data) +
             "\" " + attributes + "/></svg>";
  }
  void text(const Extent& x, double y, std::string_view text, const std::string& classes = {},
            const std::string& attributes = {}) {
    body_ += "<text x=\"" + x.text + "\" y=\"" + at(y) + "\"" + (classes.empty() ? "" : " class=\"" + classes + "\"") +
             (attributes.empty() ? "" : " ") + attributes + ">" + escape_html(text) + "</text>";
  }

  /// The finished element in pixels, named for those who cannot see it; `head` goes inside, first.
  std::string finish(double width, double height, std::string_view name, const std::string& head = {}) const {
    return opening(at(width), height) + " viewBox=\"0 0 " + at(width) + " " + at(height) + "\"" + labelled(name) +
           head + body_ + "</svg>";
  }
  /// The finished element as wide as its place.
  std::string finish_wide(const Extent& height, std::string_view name, const std::string& attributes = {}) const {
    return opening("100%", height) + (attributes.empty() ? "" : " " + attributes) + labelled(name) + body_ + "</svg>";
  }

 private:
  static std::string at(double v) { return detail::pixels(v); }
  static std::string opening(const std::string& width, const Extent& height) {
    return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + width + "\" height=\"" + height.text + "\"";
  }
  static std::string labelled(std::string_view name) {
    return name.empty() ? " aria-hidden=\"true\">" : " role=\"img\" aria-label=\"" + escape_html(name) + "\">";
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

/// Round numbers from `low` to `high`, both above zero, for a logarithmic axis: powers of ten, with 2 and 5 times them
/// where that makes no more than `most`, or every second, third ... power where even these are too many.
inline std::vector<double> log_ticks(double low, double high, int most) {
  const int first = static_cast<int>(std::floor(std::log10(low))), last = static_cast<int>(std::ceil(std::log10(high)));
  const auto within = [&](const std::vector<double>& factors, int every) {
    std::vector<double> all;
    for (int power = first; power <= last; ++power)
      for (const double factor : factors)
        if (const double v = factor * std::pow(10, power);
            power % every == 0 && v >= low * (1 - 1e-9) && v <= high * (1 + 1e-9))
          all.push_back(v);
    return all;
  };
  const auto few = static_cast<std::size_t>(std::max(most, 2));
  if (auto fine = within({1, 2, 5}, 1); fine.size() <= few) return fine;
  int every = 1;
  auto powers = within({1}, every);
  while (powers.size() > few) powers = within({1}, ++every);
  return powers;
}

/// A linear axis over a picture's width.
class Axis {
 public:
  Axis(double low, double high) : low_(low), high_(high > low ? high : low + 1) {}
  double low() const { return low_; }
  double high() const { return high_; }
  double span() const { return high_ - low_; }
  double share(double v) const { return (std::clamp(v, low_, high_) - low_) / span(); }
  Extent at(double v) const { return Extent::share(share(v)); }
  Extent between(double a, double b) const { return Extent::share(std::abs(share(b) - share(a))); }

 private:
  double low_, high_;
};

}  // namespace tern::report
