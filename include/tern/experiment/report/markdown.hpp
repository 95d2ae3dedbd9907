#pragma once
#include "tern/experiment/report/figures.hpp"
#include "tern/experiment/report/method.hpp"
#include "tern/experiment/report/summary.hpp"

namespace tern {
namespace report {

namespace detail {

inline std::string section_markdown(const Finding& f) {
  std::string out = "## " + escape_markdown(f.id + " " + f.title) + "\n\n";
  if (!f.question.empty())
    out += escape_markdown(f.question) + " **" + std::string(name(f.answer)) + "**" +
           (f.reason.empty() ? "" : ": " + escape_markdown(f.reason)) + "\n\n";
  for (const std::string& note : f.notes) out += "- " + escape_markdown(note) + "\n";
  if (!f.notes.empty()) out += "\n";
  std::vector<std::string> only_drawn;
  for (const Table& table : f.tables) out += markdown(table);
  for (const Figure& figure : f.figures) {
    const Table table = as_table(figure);
    if (table.rows.empty())
      only_drawn.push_back(figure.title);
    else
      out += markdown(table);
  }
  for (const auto& [what, value] : f.numbers)
    out += "- " + escape_markdown(what) + ": " +
           (finite(value) ? words::general(*value, 4) : std::string(words::missing)) + "\n";
  if (!f.numbers.empty()) out += "\n";
  if (!only_drawn.empty()) out += "Drawn on the page only: " + escape_markdown(words::enumerate(only_drawn)) + ".\n\n";
  return out;
}

}  // namespace detail

}  // namespace report

/// The report as Markdown, for a terminal or a forge: answers in words, then each experiment's tables, what the run
/// cannot say, and how it was made. Text from outside is escaped.
inline std::string report_markdown(const Results& results, const Findings& findings) {
  using namespace report;
  std::string out =
      "# Shootout: " + escape_markdown(results.base.name.empty() ? "results" : results.base.name) + "\n\n";
  const Decision& decision = findings.decision;
  const auto [first, rest] = first_sentence(decision.sentence);
  if (!first.empty())
    out += "**" + escape_markdown(first) + "**" + (rest.empty() ? "" : " " + escape_markdown(rest)) + "\n\n";
  if (const std::string why = because(decision.sentence, decision.reason); !why.empty())
    out += escape_markdown(why) + "\n\n";
  out += escape_markdown(words::capital(about(results))) + "\n\n## Answers\n\n";

  if (findings.experiments.empty()) out += "No experiment has evidence: there is no answer.\n";
  for (const Finding& f : findings.experiments) {
    const std::string why = because(f.sentence, f.reason);
    out += "- " + escape_markdown(f.id + " " + f.title) + ": **" + std::string(name(f.answer)) + "**. " +
           escape_markdown(f.sentence) + (why.empty() ? "" : " " + escape_markdown(why)) + "\n";
  }
  out += "\n";
  if (!decision.tables.empty()) out += "## The default\n\n";
  for (const Table& table : decision.tables) out += markdown(table);
  for (const Finding& f : findings.experiments) out += report::detail::section_markdown(f);

  out += "## What this run cannot say\n\n";
  for (const std::string& limit : limits(results)) out += "- " + escape_markdown(limit) + "\n";
  out += "\n## Method\n\n";
  for (const auto& [what, value] : method_facts(results))
    out += "- " + escape_markdown(what) + ": " + escape_markdown(value) + "\n";
  out += "\n";
  for (const Table& table : method_tables(results)) out += markdown(table);
  return out;
}

}  // namespace tern
