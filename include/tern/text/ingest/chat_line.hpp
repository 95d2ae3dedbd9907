#pragma once
/// The lines of exported chats as programs compare them: digits of any script as 0 to 9, spaces of any width as one
/// kind, marks of direction gone.
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tern/text/lines.hpp"
#include "tern/text/pattern.hpp"

namespace tern::detail {

/// A line made plain, and where each of its bytes came from.
struct PlainLine {
  std::string text;
  std::vector<std::size_t> origin;  ///< one more than bytes: of the end as well
};

/// Makes at most the first `most` bytes of `line` plain; a stamp and a name fit in them.
inline PlainLine plain_line(std::string_view line, std::size_t most = 400) {
  PlainLine plain;
  const auto size = static_cast<std::int64_t>(line.size());
  std::int64_t i = 0;
  const auto put = [&](std::string_view bytes, std::int64_t from) {
    for (const char c : bytes) {
      plain.text += c;
      plain.origin.push_back(static_cast<std::size_t>(from));
    }
  };
  while (i < size && static_cast<std::size_t>(i) < most) {
    const std::int64_t begin = i;
    UChar32 c;
    U8_NEXT(line.data(), i, size, c);
    const bool is_mark = c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
                         (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
    if (is_mark) continue;
    const std::int32_t digit = c > 0x7F ? u_charDigitValue(c) : -1;
    if (digit >= 0)
      put(std::string(1, static_cast<char>('0' + digit)), begin);
    else if (c > 0x7F && u_isUWhiteSpace(c))
      put(" ", begin);
    else if (c >= 0xFF01 && c <= 0xFF5E)  // full-width forms of ASCII
      put(std::string(1, static_cast<char>(c - 0xFF01 + '!')), begin);
    else if (c == 0x060C || c == 0x3001)
      put(",", begin);
    else
      put(line.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(i - begin)), begin);
  }
  plain.origin.push_back(static_cast<std::size_t>(i));
  return plain;
}

/// Whether a file has the shape of a conversation: most of its first lines hold a time of day near their beginning, and
/// what stands after it (before a colon, a tab or a bracket) are a few labels that come back. Read as prose it would be
/// other people's words.
inline bool looks_like_chat(std::string_view text) {
  static const Pattern timed("timed line", R"re(
    ^ \[ (?<n> \p{L} [^\]\n]{0,40} ) \] [ ]? \[? [^:\n\]]{0,20}? (?<!\d) \d{1,2} [:.h] \d{2} (?!\d)
  | ^ [^:\n]{0,40}? (?<!\d) \d{1,2} [:.h시時时] [ ]? \d{2} (?!\d) [^\p{L}\n]{0,12}
    (?: [\p{L}][\p{L}\p{M}.]{0,12} [^\p{L}\n]{1,4} ){0,2}?
    (?<m> \p{L} [^:\t\n\]>]{0,40} ) (?: [ ]?: | \t | \] | > )
  | ^ (?<l> \p{L} [^:\t\n,(\[]{0,40} ) [ ]? [,(\[] [^\p{L}\n]{0,24} \d{1,2} [:.h] \d{2} [^\p{L}\n]{0,8} [\])]? [ ]? : )re",
                             PCRE2_DUPNAMES);
  std::size_t seen = 0, like = 0;
  std::map<std::string, std::size_t> labels;
  for (std::string_view line : lines(text)) {
    if (trim(line).empty()) continue;
    const PlainLine plain = plain_line(line);
    if (const auto match = timed.find(plain.text)) {
      ++like;
      std::string label;
      for (std::uint32_t g = 1; g <= 3; ++g)
        if (!match->group(g).empty() && label.empty()) label = std::string(trim(match->group(g)));
      ++labels[label];
    }
    if (++seen == 200) break;
  }
  return like >= 4 && 2 * like >= seen && labels.size() >= 2 && 3 * labels.size() <= like + 3;
}

}  // namespace tern::detail
