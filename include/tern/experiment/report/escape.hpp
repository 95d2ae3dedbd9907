#pragma once
/// Names come from files and folders: whatever they hold, they stay names.
#include <string>
#include <string_view>

#include "tern/core/quote.hpp"

namespace tern::report {

/// `s` on one line: line ends and tabs as spaces, what steers a page or a terminal as the replacement character.
inline std::string one_line(std::string_view s) {
  std::string line(s);
  for (char& c : line)
    if (c == '\n' || c == '\r' || c == '\t') c = ' ';
  return shown(line);
}

/// `s` as text or attribute value of HTML and SVG.
inline std::string escape_html(std::string_view s) {
  std::string out;
  for (const char c : one_line(s)) switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  return out;
}

/// `s` as plain text within a paragraph or table cell of Markdown.
inline std::string escape_markdown(std::string_view s) {
  std::string out;
  for (const char c : one_line(s)) {
    if (std::string_view("\\`*_[]<>|#~&$").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

/// Code points of UTF-8.
inline std::size_t length(std::string_view s) {
  std::size_t n = 0;
  for (const char c : s) n += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return n;
}

/// At most `most` code points, the last an ellipsis where some are cut.
inline std::string shorten(std::string_view s, std::size_t most) {
  if (length(s) <= most) return std::string(s);
  std::size_t at = 0, kept = 0;
  while (at < s.size()) {
    if ((static_cast<unsigned char>(s[at]) & 0xc0) != 0x80 && kept++ + 1 == most) break;
    ++at;
  }
  return std::string(s.substr(0, at)) + "…";
}

}  // namespace tern::report
