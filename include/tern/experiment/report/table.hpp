#pragma once
/// Tables in both forms of a report.
#include <algorithm>

#include "tern/experiment/finding.hpp"
#include "tern/experiment/report/rows.hpp"

namespace tern::report {

namespace detail {
/// The class of a cell: right-aligned numbers, text that is long enough to want some width and several lines.
inline std::string cell_class(const std::string& text, bool number) {
  const bool is_long = length(text) > 24;
  if (!number && !is_long) return {};
  return std::string("class=\"") + (number ? "n" : "") + (number && is_long ? " " : "") + (is_long ? "long" : "") +
         "\"";
}
}  // namespace detail

/// A table in a box of its own, which scrolls where the page is too narrow.
inline std::string html(const Table& table) {
  std::string out = (table.title.empty() ? "" : element("h3", table.title)) +
                    "<div class=\"scroll\" tabindex=\"0\"><table" + (table.numbers ? "" : " class=\"prose\"") +
                    "><thead><tr>";
  for (std::size_t c = 0; c < table.columns.size(); ++c)
    out += element("th", table.columns[c], c > 0 && table.numbers ? "scope=\"col\" class=\"n\"" : "scope=\"col\"");
  out += "</tr></thead><tbody>\n";
  for (const auto& row : table.rows) {
    out += "<tr>";
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string attributes = detail::cell_class(row[c].text, c > 0 && table.numbers);
      const std::string open = attributes.empty() ? "" : " " + attributes;
      const std::string text = row[c].strong ? element("strong", row[c].text) : escape_html(row[c].text);
      out += c == 0 ? "<th scope=\"row\"" + open + ">" + text + "</th>" : "<td" + open + ">" + text + "</td>";
    }
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>" + (table.note.empty() ? "" : element("p", table.note, "class=\"note\"")) + "\n";
}

/// A table padded so that it reads in a terminal too; its strong cells in bold.
inline std::string markdown(const Table& table) {
  std::vector<std::vector<std::string>> rows(1);
  for (const std::string& column : table.columns) rows[0].push_back(escape_markdown(column));
  for (const auto& row : table.rows) {
    rows.emplace_back();
    for (const TableCell& cell : row) {
      const std::string text = escape_markdown(cell.text);
      rows.back().push_back(cell.strong && !text.empty() && cell.text != words::missing ? "**" + text + "**" : text);
    }
  }
  std::vector<std::size_t> widths(table.columns.size(), 3);
  for (const auto& row : rows)
    for (std::size_t c = 0; c < widths.size() && c < row.size(); ++c) widths[c] = std::max(widths[c], length(row[c]));

  std::string out = table.title.empty() ? "" : "**" + escape_markdown(table.title) + "**\n\n";
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

}  // namespace tern::report
