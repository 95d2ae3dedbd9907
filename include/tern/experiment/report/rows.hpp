#pragma once
/// Pictures in rows: words to the left, or above where the page is narrow, a lane of a picture beside them. All lanes
/// of a picture share one axis.
#include <optional>
#include <string>
#include <vector>

#include "tern/experiment/report/svg.hpp"
#include "tern/experiment/words.hpp"

namespace tern::report {

/// Elements of text, escaped; attributes are not.
inline std::string element(const std::string& name, std::string_view text, const std::string& attributes = {}) {
  return "<" + name + (attributes.empty() ? "" : " " + attributes) + ">" + escape_html(text) + "</" + name + ">";
}

/// The places of the axis' numbers, and how they are written.
struct Scale {
  Axis axis;
  std::vector<double> at;
  std::vector<std::string> labels;
};

inline Scale share_scale(double low, double high) {
  Scale scale{{low, high}, ticks(low, high, 6), {}};
  for (const double t : scale.at) scale.labels.push_back(words::margin(t, high - low < 0.06 ? 1 : 0));
  return scale;
}

inline Scale unit_scale(double low, double high) {
  Scale scale{{low, high}, ticks(low, high, 6), {}};
  const double step = scale.at.size() > 1 ? scale.at[1] - scale.at[0] : 1;
  const int digits = std::clamp(static_cast<int>(std::ceil(-std::log10(step) - 1e-9)), 0, 6);
  for (const double t : scale.at) scale.labels.push_back(words::fixed(t, digits));
  return scale;
}

/// Collects rows; `left` and `right` are the pixels that labels beside a lane's ends need. A band from -band to band is
/// shaded.
class Rows {
 public:
  Rows(Scale scale, double left, double right, const std::string& classes = "rows", double band = 0)
      : scale_(std::move(scale)),
        sides_("style=\"margin:0 " + detail::pixels(right) + "px 0 " + detail::pixels(left) + "px;width:calc(100% - " +
               detail::pixels(left + right) + "px)\"") {
    Svg svg;
    for (std::size_t i = 0; i < scale_.at.size(); ++i)
      svg.text(scale_.axis.at(scale_.at[i]), 12, scale_.labels[i], "small muted middle");
    const Extent whole = Extent::share(1);
    Svg under;
    if (band > 0) under.rect(axis().at(-band), 0, axis().between(-band, band), whole, "class=\"band\"");
    for (const double t : scale_.at)
      under.line(axis().at(t), 0, axis().at(t), whole, t == 0 ? "class=\"axis\"" : "class=\"rule\"");
    rules_ = under.finish_wide(whole, "", "class=\"rules\" " + sides_);
    out_ = "<div class=\"" + classes + "\"><div class=\"words\"></div><div class=\"lane head\">" +
           svg.finish_wide(16, "", sides_) + "</div>\n";
  }

  const Axis& axis() const { return scale_.axis; }

  /// `words` is markup, `spoken` names the lane.
  void add(const std::string& words, const Svg& lane, double height, std::string_view spoken) {
    out_ += "<div class=\"words\">" + words + "</div><div class=\"lane\">" + rules_ +
            lane.finish_wide(height, spoken, sides_) + "</div>\n";
  }

  std::string finish() const { return out_ + "</div>"; }

 private:
  Scale scale_;
  std::string sides_, rules_, out_;
};

namespace detail {
inline std::string name_and_note(std::string_view name, std::string_view note) {
  return element("b", name) + (note.empty() ? "" : " " + element("span", note));
}
inline bool finite(const std::optional<double>& v) { return v && std::isfinite(*v); }
}  // namespace detail

}  // namespace tern::report
