#pragma once
/// Text from outside (file names, keys of a file, labels of a mail) made fit to be shown: no escape sequence, line end
/// or turn of writing direction reaches a terminal, a report or a JSON file through a message.
#include <string>
#include <string_view>

#include "tern/core/utf8_step.hpp"

namespace tern {

namespace detail {

/// Whether the well-formed character `c` steers a terminal or a page instead of being seen: C0, DEL, C1, line and
/// paragraph separators, marks and overrides of direction, byte-order mark.
inline bool is_control(std::string_view c) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(c[i]); };
  if (c.size() == 1) return at(0) < 0x20 || at(0) == 0x7F;
  if (c.size() == 2) return (at(0) == 0xC2 && at(1) < 0xA0) || c == "\u061C";
  if (c.size() != 3) return false;
  if (at(0) == 0xE2 && at(1) == 0x80) return at(2) == 0x8E || at(2) == 0x8F || (at(2) >= 0xA8 && at(2) <= 0xAE);
  return c == "\uFEFF" || (at(0) == 0xE2 && at(1) == 0x81 && at(2) >= 0xA6 && at(2) <= 0xA9);
}

/// Calls shown(characters) for what may be seen as it is, and hidden(bytes) for each character that may not.
template <class Shown, class Hidden>
void for_each_character(std::string_view text, Shown shown, Hidden hidden) {
  for (std::size_t i = 0; i < text.size();) {
    const Utf8Step step = utf8_step(text.substr(i));
    const std::string_view c = text.substr(i, step.length);
    if (step.fault != nullptr || is_control(c))
      hidden(c);
    else
      shown(c);
    i += step.length;
  }
}

}  // namespace detail

/// `text` for a message: in single quotes, control characters and ill-formed UTF-8 as \xNN, cut after about `longest`
/// bytes with "...". (Not "quoted": std::quoted would be found beside it for every std::string.)
inline std::string in_quotes(std::string_view text, std::size_t longest = 1024) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "'";
  const bool is_cut = text.size() > longest;
  while (is_cut && longest > 0 && (static_cast<unsigned char>(text[longest]) & 0xC0) == 0x80) --longest;
  detail::for_each_character(
      text.substr(0, longest), [&](std::string_view c) { out += c; },
      [&](std::string_view bytes) {
        for (const char c : bytes) {
          const auto byte = static_cast<unsigned char>(c);
          (out += "\\x") += {digits[byte >> 4], digits[byte & 15]};
        }
      });
  return out + (is_cut ? "...'" : "'");
}

/// `text` as a name that may stand anywhere: U+FFFD in place of each control character and each ill-formed part.
inline std::string shown(std::string_view text) {
  std::string out;
  detail::for_each_character(
      text, [&](std::string_view c) { out += c; }, [&](std::string_view) { out += "\uFFFD"; });
  return out;
}

}  // namespace tern
