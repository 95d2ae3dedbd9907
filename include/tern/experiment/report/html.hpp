#pragma once
#include "tern/experiment/report/claims.hpp"
#include "tern/experiment/report/figures.hpp"
#include "tern/experiment/report/method.hpp"
#include "tern/experiment/report/summary.hpp"

namespace tern {
namespace report {

namespace detail {

inline std::string paragraph(std::string_view text, const std::string& attributes = {}) {
  return text.empty() ? std::string() : element("p", text, attributes);
}

inline std::string bullets(const std::vector<std::string>& all) {
  if (all.empty()) return {};
  std::string out = "<ul>";
  for (const std::string& s : all) out += element("li", s);
  return out + "</ul>\n";
}

/// An experiment's answer, at the top of the page.
inline std::string answer_html(const Finding& f) {
  const auto [first, rest] = first_sentence(f.sentence);
  return "<li><div>" + badge(f.answer) + "</div><div><h3><a href=\"#" + escape_html(f.id) + "\">" +
         escape_html(f.id + " " + f.title) + "</a></h3>" + paragraph(f.question, "class=\"note\"") +
         (first.empty() ? "" : "<p>" + element("strong", first) + " " + escape_html(rest) + "</p>") +
         paragraph(because(f.sentence, f.reason)) + "</div></li>\n";
}

/// Comparisons as a picture, beside the first table, which has them in numbers; then what else there is. The sentence
/// stands at the top of the page.
inline std::string section_html(const Finding& f, double band) {
  std::string out = "<section id=\"" + escape_html(f.id) + "\"><h2>" + element("span", f.id, "class=\"id\"") + " " +
                    escape_html(f.title) + " " + badge(f.answer) + "</h2>" + paragraph(f.question, "class=\"note\"") +
                    (f.reason.empty() ? "" : paragraph("Reason: " + f.reason + ".")) + "\n" + bullets(f.notes);
  if (!f.claims.empty())
    out += "<figure>" + claims_picture(f.claims, band) +
           element("figcaption",
                   "Margins with their intervals: to the right, the first one is better. Faint dots are "
                   "users; the band is ±" +
                       words::percent(band) + ", within which two are equivalent.") +
           "</figure>\n";
  const std::size_t answers = f.claims.empty() || f.tables.empty() ? 0 : 1;
  for (std::size_t i = 0; i < answers; ++i) out += html(f.tables[i]);
  const double limit = colour_limit(f.figures);
  for (const Figure& figure : f.figures) out += html(figure, limit);
  for (std::size_t i = answers; i < f.tables.size(); ++i) out += html(f.tables[i]);
  if (!f.numbers.empty()) {
    out += "<dl>";
    for (const auto& [what, value] : f.numbers)
      out += "<div>" + element("dt", what) +
             element("dd", finite(value) ? words::general(*value, 4) : std::string(words::missing)) + "</div>";
    out += "</dl>";
  }
  return out + "</section>\n";
}

}  // namespace detail

}  // namespace report

/// The report as one self-contained page: answers in words, then each experiment, what the run cannot say, and how it
/// was made. Text from outside is escaped.
inline std::string report_html(const Results& results, const Findings& findings) {
  using namespace report;
  const double band = results.protocol.margin;
  std::string out =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      "<meta name=\"color-scheme\" content=\"light dark\">";
  out += element("title", "Shootout: " + results.base.name);
  out += "<style>" + std::string(palette) + std::string(picture_style) + std::string(page_style) +
         "</style></head>\n<body><main>\n<header>" + element("p", "Shootout", "class=\"over\"") +
         element("h1", results.base.name.empty() ? "Results" : results.base.name);
  const auto [decision, why] = first_sentence(findings.decision.sentence);
  out += report::detail::paragraph(decision, "class=\"decision\"") + report::detail::paragraph(why);
  out += report::detail::paragraph(because(findings.decision.sentence, findings.decision.reason));
  out += element("p", about(results), "class=\"facts\"") + "</header>\n";

  out += "<section id=\"answers\"><h2>Answers</h2>";
  if (findings.experiments.empty()) {
    out += element("p", "No experiment has evidence: there is no answer.");
  } else {
    out += "<p class=\"tally\">";
    for (const auto& [answer, n] : tally(findings))
      out += "<span>" + std::to_string(n) + " × " + badge(answer) + "</span> ";
    out += "</p>\n<ul class=\"answers\">\n";
    for (const Finding& f : findings.experiments) out += report::detail::answer_html(f);
    out += "</ul>";
  }
  out += "</section>\n";

  if (!findings.decision.tables.empty()) {
    out += "<section id=\"decision\"><h2>The default</h2>";
    for (const Table& table : findings.decision.tables) out += html(table);
    out += "</section>\n";
  }
  for (const Finding& f : findings.experiments) out += report::detail::section_html(f, band);

  out += "<section id=\"limits\" class=\"limits\"><h2>What this run cannot say</h2>" +
         report::detail::bullets(limits(results)) + "</section>\n<section id=\"method\"><h2>Method</h2><dl>";
  for (const auto& [what, value] : method_facts(results))
    out += "<div>" + element("dt", what) + element("dd", value) + "</div>";
  out += "</dl>\n";
  for (const Table& table : method_tables(results)) out += html(table);
  return out + "</section>\n</main></body></html>\n";
}

}  // namespace tern
