#pragma once
/// The words of an HTML mail, for messages that bring no plain text.
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "tern/text/lines.hpp"

namespace tern::detail {

/// The character `entity` names (without & and ;), in UTF-8; empty if unknown.
inline std::string html_entity(std::string_view entity) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> named = {{{"amp", "&"},
                                                                                   {"lt", "<"},
                                                                                   {"gt", ">"},
                                                                                   {"quot", "\""},
                                                                                   {"apos", "'"},
                                                                                   {"nbsp", " "},
                                                                                   {"hellip", "…"},
                                                                                   {"ndash", "–"},
                                                                                   {"mdash", "—"}}};
  for (const auto& [name, character] : named)
    if (entity == name) return std::string(character);
  if (entity.size() < 2 || entity.front() != '#') return {};
  const bool hex = entity[1] == 'x' || entity[1] == 'X';
  char32_t code = 0;
  for (char c : entity.substr(hex ? 2 : 1)) {
    const bool digit = is_digit(c), letter = hex && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'));
    if ((!digit && !letter) || code > 0x10FFFF) return {};
    code = code * (hex ? 16 : 10) + static_cast<char32_t>(digit ? c - '0' : (c | 0x20) - 'a' + 10);
  }
  if (code < 0x20 || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return {};
  const auto tail = [&](int shift) { return static_cast<char>(0x80 | (code >> shift & 0x3F)); };
  if (code < 0x80) return {static_cast<char>(code)};
  if (code < 0x800) return {static_cast<char>(0xC0 | code >> 6), tail(0)};
  if (code < 0x10000) return {static_cast<char>(0xE0 | code >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | code >> 18), tail(12), tail(6), tail(0)};
}

/// Text without tags, comments, scripts and styles; block ends become line ends; white space is one space. A quoted
/// reply (<blockquote>) is left out.
inline std::string html_text(std::string_view html) {
  const std::string folded = lower(html);  // tags in any case
  std::string text;
  std::size_t at = 0;
  const auto skip_past = [&](std::string_view end) {
    const std::size_t found = folded.find(end, at);
    at = found == std::string::npos ? html.size() : found + end.size();
  };
  while (at < html.size()) {
    const char c = html[at];
    const std::size_t entity_end = c == '&' ? html.substr(at, 12).find(';') : std::string_view::npos;
    if (c == '<' && html.substr(at, 4) == "<!--") {
      skip_past("-->");
    } else if (c == '<') {
      std::size_t end = at + 1;
      while (end < html.size() && html[end] != '>' && !is_space(html[end])) ++end;
      const std::string tag = folded.substr(at + 1, end - at - 1);
      skip_past(">");
      if (tag == "script" || tag == "style" || tag == "head" || tag == "blockquote") skip_past("</" + tag + ">");
      constexpr std::array blocks = {"br", "br/", "/p", "/div", "/li", "/tr", "/h1", "/h2", "/h3"};
      if (std::any_of(blocks.begin(), blocks.end(), [&](const char* block) { return tag == block; })) text += '\n';
    } else if (entity_end != std::string_view::npos) {
      const std::string character = html_entity(html.substr(at + 1, entity_end - 1));
      text += character.empty() ? std::string(html.substr(at, entity_end + 1)) : character;
      at += entity_end + 1;
    } else {
      if (!is_space(c)) text += c;
      if (is_space(c) && !text.empty() && !is_space(text.back())) text += ' ';
      ++at;
    }
  }
  return text;
}

}  // namespace tern::detail
