#pragma once
/// What HTML may ask of its parser: the time of parsing grows with depth and with the attributes of one tag.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "tern/core/error.hpp"
#include "tern/core/matrix.hpp"
#include "tern/text/lines.hpp"

namespace tern::detail {

/// Tags that close by themselves or hold nothing: they add no depth of their own.
inline bool adds_no_depth(std::string_view tag) {
  constexpr std::array<std::string_view, 27> shallow = {
      "br",    "img",   "hr",     "meta",  "link",   "input",    "area",  "base",  "col",
      "embed", "param", "source", "track", "wbr",    "p",        "li",    "td",    "th",
      "tr",    "dd",    "dt",     "tbody", "option", "optgroup", "thead", "tfoot", "o:p"};
  return std::find(shallow.begin(), shallow.end(), tag) != shallow.end();
}

/// Throws FormatError for pages over 16 MiB, tags open within each other over 1,024 deep, or with over 1,024
/// attributes.
inline void expect_modest_html(std::string_view html) {
  constexpr std::size_t most_bytes = std::size_t{16} << 20;
  constexpr Index most = 1024;
  const auto refuse = [](const char* what, std::size_t limit) {
    throw FormatError("html: expected at most " + std::to_string(limit) + ' ' + what + ", got more");
  };
  if (html.size() > most_bytes) refuse("bytes", most_bytes);
  Index depth = 0;
  for (std::size_t at = 0; (at = html.find('<', at)) != std::string_view::npos;) {
    const bool closes = html.substr(at, 2) == "</";
    std::size_t end = at + (closes ? 2 : 1);
    if (end >= html.size() || !is_letter(html[end])) {
      ++at;
      continue;
    }
    const std::size_t begin = end;
    while (end < html.size() && html[end] != '>' && html[end] != '/' && !is_space(html[end])) ++end;
    const std::string tag = lower(html.substr(begin, end - begin));
    Index attributes = 0;
    for (char mark = '\0'; end < html.size() && (mark != '\0' || html[end] != '>'); ++end) {
      const char c = html[end];
      if (mark != '\0' ? c == mark : (c == '"' || c == '\'') && html[end - 1] == '=') mark = mark == '\0' ? c : '\0';
      if (mark == '\0' && (is_space(c) || c == '/') && !is_space(html[end - 1]) && ++attributes > most)
        refuse("attributes of a tag", most);
    }
    if (!adds_no_depth(tag)) depth = std::max<Index>(0, depth + (closes ? -1 : 1));
    if (depth > most) refuse("tags within each other", most);
    at = end;
  }
}

}  // namespace tern::detail
