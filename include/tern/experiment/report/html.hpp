#pragma once
#include "tern/experiment/report/bars.hpp"
#include "tern/experiment/report/curves.hpp"
#include "tern/experiment/report/dots.hpp"
#include "tern/experiment/report/heat_map.hpp"
#include "tern/experiment/report/page_style.hpp"

namespace tern {
namespace report {

inline std::string element(const std::string& name, std::string_view text, const std::string& attributes = {}) {
  return "<" + name + (attributes.empty() ? "" : " " + attributes) + ">" + escape_html(text) + "</" + name + ">";
}

/// A table in a box of its own, which scrolls where the page is too narrow.
inline std::string html(const Table& table) {
  const std::string number = table.numbers ? "class=\"n\"" : "";
  std::string out = element("h3", table.title) + "<div class=\"scroll\" tabindex=\"0\"><table><thead><tr>";
  for (std::size_t c = 0; c < table.columns.size(); ++c)
    out += element("th", table.columns[c], "scope=\"col\"" + (c > 0 && table.numbers ? " " + number : ""));
  out += "</tr></thead><tbody>";
  for (const auto& row : table.rows) {
    out += "<tr>";
    for (std::size_t c = 0; c < row.size(); ++c) {
      if (c == 0)
        out += element("th", row[c].text, "scope=\"row\"");
      else if (row[c].strong)
        out += "<td " + number + ">" + element("strong", row[c].text) + "</td>";
      else
        out += element("td", row[c].text, number);
    }
    out += "</tr>\n";
  }
  out += "</tbody></table></div>";
  return out + (table.note.empty() ? "" : element("p", table.note, "class=\"note\"")) + "\n";
}

namespace detail {
/// Names beside their colours.
inline std::string key(const std::vector<std::string>& names) {
  std::string out = "<p class=\"key\">";
  for (std::size_t i = 0; i < names.size(); ++i)
    out += "<span><i style=\"background:" + series_colour(i) + "\"></i>" + escape_html(names[i]) + "</span> ";
  return out + "</p>";
}

inline std::string figure(const std::string& picture, std::string_view caption, const std::string& above = {}) {
  if (picture.empty()) return {};
  return "<figure>" + above + "<div class=\"scroll\" tabindex=\"0\">" + picture + "</div>" +
         (caption.empty() ? "" : element("figcaption", caption)) + "</figure>\n";
}

/// Small pictures, as many beside each other as fit.
inline std::string panels(const std::vector<std::string>& pictures, std::string_view caption,
                          const std::string& above = {}) {
  if (pictures.empty()) return {};
  std::string out = "<figure>" + above + "<div class=\"panels\">";
  for (const std::string& picture : pictures) out += picture;
  return out + "</div>" + element("figcaption", caption) + "</figure>\n";
}

/// The pictures of one experiment.
inline std::string figures_of(const Readings& r, const std::string& id) {
  const auto formats = formats_with(r);
  std::string out;
  if (id == "E1" && !formats.empty())
    out += figure(formats_chart(r),
                  "Margin over the base, on own held-out text: to the right is better. The number is the perplexity. "
                  "A bar that reaches the left edge is cut there.",
                  key(formats));
  if (id == "E3")
    out += panels(noise_panels(r),
                  "Margin of training on real text over training on noise: to the right of the line, real text is "
                  "better.",
                  key({"over uniform tokens", "over shuffled tokens"}));
  if (id == "E4") {
    const double limit = colour_limit(r);
    for (const std::string& format : formats)
      out += figure(heat_map(r, format, limit), format != formats.back()
                                                    ? ""
                                                    : "Margin over the base in percent. Own adapters are outlined; a "
                                                      "gain that is personal stands out on the diagonal. Colours have "
                                                      "one scale for all formats.");
  }
  if (id == "E6")
    for (const std::string& format : ternary_formats(r))
      out += figure(ternary_chart(r, format), format + ": margin over the base of the same weights.",
                    key({"dense base", "ternary base"}));
  if (id == "E9") out += figure(storage_chart(r), "One user, 215,000 users, 10,000,000 users; logarithmic.");
  if (id == "E12")
    out += panels(curve_panels(r),
                  "Validation perplexity: margin over the first evaluation. Thin lines are users, the thick line is "
                  "their median.");
  return out;
}

inline std::string html(const Verdict& v) {
  const char* kind = !v.holds ? "open" : *v.holds > 0 ? "holds" : "fails";
  std::string out = "<div class=\"verdict " + std::string(kind) + "\"><p class=\"head\">" + element("b", v.id) + " " +
                    escape_html(v.says) + " " + element("span", v.word(), "class=\"answer\"") + "</p>" +
                    element("p", v.sentence);
  const std::string small = v.small_print();
  return out + (small.empty() ? "" : element("p", small, "class=\"note\"")) + "</div>\n";
}
}  // namespace detail

}  // namespace report

/// The report of a results document as one self-contained page: the answer in words, pictures, tables, and how it was
/// measured. Whatever the document lacks, the page leaves out; text from the document is escaped.
inline std::string report_html(const nlohmann::json& results) {
  using namespace report;
  const Readings r(results);
  const auto verdicts = read_verdicts(r);
  const std::string base = words(member(results, "base"), "name");
  std::string out =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      "<meta name=\"color-scheme\" content=\"light dark\">";
  out += element("title", "Shootout: " + base);
  out += "<style>" + std::string(palette) + std::string(picture_style) + std::string(page_style) +
         "</style></head>\n<body><main>\n<header>" + element("p", "Shootout", "class=\"over\"") +
         element("h1", base.empty() ? "Results" : base);
  if (const std::string answer = conclusion(r); !answer.empty()) out += element("p", answer, "class=\"answer\"");
  out += element("p", tally(verdicts), "class=\"tally\"") + "</header>\n";

  if (!verdicts.empty()) out += "<section id=\"verdicts\"><h2>Verdicts</h2>\n";
  for (const Verdict& v : verdicts) out += report::detail::html(v);
  if (!verdicts.empty()) out += "</section>\n";

  const std::vector<Table> losses = {left_out_table(r), failed_table(r)};
  for (const Table& table : losses)
    if (!table.rows.empty()) out += "<section class=\"losses\">" + report::html(table) + "</section>\n";

  for (const Verdict& v : verdicts) {
    const auto tables = tables_of(r, v.id);
    if (tables.empty()) continue;
    out += "<section id=\"" + escape_html(v.id) + "\"><h2>" + element("span", v.id) + " " + escape_html(v.title) +
           "</h2>" + element("p", v.says) + report::detail::figures_of(r, v.id);
    for (const Table& table : tables) out += report::html(table);
    out += "</section>\n";
  }

  out += "<section id=\"method\"><h2>Method</h2><dl>";
  for (const auto& fact : method(r)) out += "<div>" + element("dt", fact.first) + element("dd", fact.second) + "</div>";
  out += "</dl>";
  for (const Table& table : {rates_table(r), users_table(r), skipped_table(r)})
    if (!table.rows.empty()) out += report::html(table);
  return out + "</section>\n</main></body></html>\n";
}

}  // namespace tern
