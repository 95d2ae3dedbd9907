#pragma once
/// Notes told from prose by their shape.
#include <cstddef>
#include <string_view>

#include "tern/text/document.hpp"
#include "tern/text/lines.hpp"

namespace tern::detail {

/// Whether a line is an item of a list, numbered or not, a checkbox, a heading or a row of a table, or links to another
/// note ("[[Market]]"), as Markdown, Org and Obsidian write them.
inline bool is_marked_line(std::string_view line) {
  if (line.find("[[") != std::string_view::npos) return true;
  for (std::string_view mark : {"- ", "* ", "+ ", "• ", "– ", "— ", "[ ]", "[x]", "[X]", "|", "> "})
    if (line.starts_with(mark)) return true;
  const std::size_t digits = line.find_first_not_of("0123456789");
  if (digits > 0 && digits <= 3 && (line.substr(digits).starts_with(". ") || line.substr(digits).starts_with(") ")))
    return true;
  const std::size_t hashes = line.find_first_not_of('#');
  return hashes > 0 && hashes <= 6 && line.substr(hashes).starts_with(' ');
}

/// Notes where at least two in five lines that are not blank are marked and short; else prose. The numbered clauses of
/// a contract are long.
inline Kind kind_of_text(std::string_view text) {
  std::size_t marked = 0, all = 0;
  for (std::string_view line : lines(text)) {
    line = trim(line);
    if (line.empty()) continue;
    ++all;
    marked += line.size() < 200 && is_marked_line(line);
  }
  return all > 0 && 5 * marked >= 2 * all ? Kind::notes : Kind::prose;
}

}  // namespace tern::detail
