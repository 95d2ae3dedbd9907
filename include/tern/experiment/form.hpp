#pragma once
/// In which form an adapter is scored, where that is not as it was trained.
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "tern/core/error.hpp"
#include "tern/core/quote.hpp"
#include "tern/experiment/setting.hpp"

namespace tern {

/// "int8": stored so. "noise:0.1": under HiddenNoise. "mean", "others", "cluster": made of several people's adapters, of
/// everybody's, of all others', of those of the same cluster without the user's own. "cluster+int4": the cluster's mean
/// with the user's own, and what the user's own differs by, stored so.
struct Form {
  enum class Source { own, mean, others, cluster, residual };
  Source source = Source::own;
  std::string stored = {};  ///< "", "bf16", "int8", "int4"
  double noise = 0;         ///< relative

  bool is_shared() const { return source != Source::own; }
};

/// Throws ValueError where `text` is none.
inline Form parse_form(std::string_view text) {
  Form form;
  if (text.starts_with("noise:")) {
    const std::string_view number = text.substr(6);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), form.noise);
    if (error == std::errc() && end == number.data() + number.size() && form.noise > 0 && form.noise <= 100) return form;
  }
  const std::size_t plus = text.find('+');
  const std::string_view source = text.substr(0, plus);
  if (plus != std::string_view::npos) {
    form.source = Form::Source::residual;
    form.stored = text.substr(plus + 1);
    if (source == "cluster" && (form.stored == "bf16" || form.stored == "int8" || form.stored == "int4")) return form;
  } else if (text == "mean" || text == "others" || text == "cluster") {
    form.source = text == "mean" ? Form::Source::mean : text == "others" ? Form::Source::others : Form::Source::cluster;
    return form;
  } else if (text.empty() || text == "bf16" || text == "int8" || text == "int4") {
    form.stored = text;
    return form;
  }
  throw ValueError("form: expected bf16, int8, int4, noise:X, mean, others, cluster or cluster+int4, got " + in_quotes(text));
}

/// What is trained for a run in a form: the same without it.
inline Setting trained(Setting s) {
  s.form.clear();
  return s;
}

/// The runs whose adapters a run in a form is made of, of `users`; none where it has no form, or is the base.
inline std::vector<Setting> sources(const Setting& s, const std::vector<std::string>& users) {
  if (s.form.empty() || s.is_base()) return {};
  std::vector<Setting> all = {trained(s)};
  if (!parse_form(s.form).is_shared()) return all;
  all.clear();
  for (const std::string& user : users) {
    all.push_back(trained(s));
    all.back().user = user;
  }
  return all;
}

}  // namespace tern
