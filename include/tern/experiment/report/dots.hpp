#pragma once
#include "tern/experiment/report/svg.hpp"

namespace tern::report {

/// E3: a panel a format, a row a user, a dot a kind of noise: the margin of real text over it. Common axes.
inline std::vector<std::string> noise_panels(const Readings& r) {
  constexpr double left = 112, plot = 190, row = 19, top = 44;
  constexpr std::array kinds = {"uniform", "shuffled"};
  const auto over = [&](const std::string& format, const std::string& user, const char* data) {
    return margin_over(r.own({format, user}), r.own({format, user, data}));
  };
  std::vector<std::string> formats;
  double low = 0, high = 0.01;
  for (const std::string& format : r.formats()) {
    bool any = false;
    for (const std::string& user : r.users())
      for (const char* data : kinds)
        if (const Maybe m = over(format, user, data)) any = true, low = std::min(low, *m), high = std::max(high, *m);
    if (any) formats.push_back(format);
  }
  low = std::max(low, -std::max(0.3, high));
  const auto x = [&](double v) { return left + (std::clamp(v, low, high) - low) / (high - low) * plot; };

  std::vector<std::string> panels;
  for (const std::string& format : formats) {
    Svg svg;
    const double height = top + row * static_cast<double>(r.users().size());
    svg.text(0, 14, format, "strong");
    for (const double t : ticks(low, high, 4)) {
      svg.line(x(t), top - 8, x(t), height, t == 0 ? "class=\"axis\"" : "class=\"rule\"");
      svg.text(x(t), top - 14, margin(t, high - low < 0.06 ? 1 : 0), "small muted middle");
    }
    double y = top + row / 2;
    for (const std::string& user : r.users()) {
      svg.text(left - 8, y + 4, shorten(user, 16), "small end");
      for (std::size_t k = 0; k < kinds.size(); ++k)
        if (const Maybe m = over(format, user, kinds[k]))
          svg.circle(x(*m), y, 4.5, "style=\"fill:" + series_colour(k) + "\"",
                     user + ", over " + kinds[k] + " tokens: " + margin(m));
      y += row;
    }
    panels.push_back(svg.finish(left + plot + 18, height + 4, "Margin of real text over noise by user: " + format));
  }
  return panels;
}

/// E9: bytes of one user, a small and a large fleet on one logarithmic axis, a format a row.
inline std::string storage_chart(const Readings& r) {
  constexpr double left = 110, plot = 470, row = 30, top = 26;
  std::vector<std::pair<std::string, double>> sizes;
  for (const std::string& format : formats_with(r))
    if (const Maybe size = detail::median_of(r, format, "bytes"); size && *size >= 1) sizes.emplace_back(format, *size);
  if (sizes.empty()) return {};
  double low = 1e300, high = 0;
  for (const auto& s : sizes) low = std::min(low, s.second), high = std::max(high, s.second * large_fleet);
  low = std::floor(std::log10(low) / 3) * 3, high = std::ceil(std::log10(high) / 3) * 3;
  const auto x = [&](double v) { return left + (std::log10(v) - low) / (high - low) * plot; };

  Svg svg;
  const double height = top + row * static_cast<double>(sizes.size());
  for (double power = low; power <= high; power += 3) {
    const double v = std::pow(10, power);
    svg.line(x(v), top - 4, x(v), height, "class=\"rule\"");
    svg.text(x(v), 14, fixed(1, 0) + bytes(v).substr(bytes(v).find(' ')), "small muted middle");
  }
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const auto& [format, size] = sizes[i];
    const double y = top + row * (static_cast<double>(i) + 0.4);
    svg.text(0, y + 4, shorten(format, 15), "strong");
    svg.line(x(size), y, x(size * large_fleet), y, "style=\"stroke:" + series_colour(i) + "\" stroke-opacity=\"0.4\"");
    for (const double fleet : {1.0, small_fleet, large_fleet}) {
      svg.circle(x(size * fleet), y, 4, "style=\"fill:" + series_colour(i) + "\"",
                 grouped(fleet) + (fleet == 1 ? " user: " : " users: ") + bytes(size * fleet));
      svg.text(x(size * fleet), y + 17, bytes(size * fleet), "small muted middle");
    }
  }
  return svg.finish(left + plot + 60, height + 4, "Storage by format for 1, 215,000 and 10,000,000 users");
}

}  // namespace tern::report
