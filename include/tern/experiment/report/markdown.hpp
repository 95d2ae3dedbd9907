#pragma once
#include "tern/experiment/report/sections.hpp"

namespace tern {
namespace report {

/// A table padded so that it reads in a terminal too; its strong cells in bold.
inline std::string markdown(const Table& table) {
  std::vector<std::vector<std::string>> rows(1);
  for (const std::string& column : table.columns) rows[0].push_back(escape_markdown(column));
  for (const auto& row : table.rows) {
    rows.emplace_back();
    for (const Cell& cell : row) {
      const std::string text = escape_markdown(cell.text);
      rows.back().push_back(cell.strong && cell.text != missing ? "**" + text + "**" : text);
    }
  }
  std::vector<std::size_t> widths(table.columns.size(), 3);
  for (const auto& row : rows)
    for (std::size_t c = 0; c < widths.size() && c < row.size(); ++c) widths[c] = std::max(widths[c], length(row[c]));

  std::string out = "**" + escape_markdown(table.title) + "**\n\n";
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t c = 0; c < widths.size(); ++c) {
      const std::string text = c < rows[r].size() ? rows[r][c] : "";
      const std::string padding(widths[c] - length(text), ' ');
      const bool right = table.numbers && c > 0;
      out += right ? "| " + padding + text + " " : "| " + text + padding + " ";
    }
    out += "|\n";
    if (r > 0) continue;
    for (std::size_t c = 0; c < widths.size(); ++c)
      out += "| " + std::string(widths[c] - 1, '-') + (table.numbers && c > 0 ? ": " : "- ");
    out += "|\n";
  }
  if (!table.note.empty()) out += "\n" + escape_markdown(table.note) + "\n";
  return out + "\n";
}

}  // namespace report

/// The report of a results document as Markdown: verdicts first, then tables. Whatever the document lacks, the report
/// leaves out; text from the document is escaped.
inline std::string report_markdown(const nlohmann::json& results) {
  using namespace report;
  const Readings r(results);
  const auto verdicts = read_verdicts(r);
  std::string out = "# Shootout: " + escape_markdown(words(member(results, "base"), "name")) + "\n\n";
  if (const std::string answer = conclusion(r); !answer.empty()) out += "**" + escape_markdown(answer) + "**\n\n";
  out += tally(verdicts) + "\n\n";

  if (!verdicts.empty()) out += "## Verdicts\n\n";
  for (const Verdict& v : verdicts) {
    out += "- **" + escape_markdown(v.id) + " " + (v.says.empty() ? "" : escape_markdown(v.says) + " ") + v.word() +
           ".** " + escape_markdown(v.sentence);
    if (const std::string small = v.small_print(); !small.empty()) out += " " + escape_markdown(small);
    out += "\n";
  }
  out += "\n";

  for (const Table& table : {left_out_table(r), failed_table(r)})
    if (!table.rows.empty()) out += markdown(table);
  for (const Verdict& v : verdicts) {
    const auto tables = tables_of(r, v.id);
    if (tables.empty()) continue;
    out += "## " + escape_markdown(v.id + " " + v.title) + "\n\n" + escape_markdown(v.says) + "\n\n";
    for (const Table& table : tables) out += markdown(table);
    if (v.id == "E4" && r.users().size() <= 16)
      for (const std::string& format : formats_with(r)) out += markdown(confusion_table(r, format));
  }

  out += "## Method\n\n";
  for (const auto& fact : method(r)) out += "- " + fact.first + ": " + escape_markdown(fact.second) + "\n";
  out += "\n";
  for (const Table& table : {rates_table(r), users_table(r), skipped_table(r)})
    if (!table.rows.empty()) out += markdown(table);
  return out;
}

}  // namespace tern
