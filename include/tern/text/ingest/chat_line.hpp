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
#include <utility>
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
  plain.text.reserve(std::min(line.size(), most));
  plain.origin.reserve(std::min(line.size(), most) + 1);
  while (i < size && static_cast<std::size_t>(i) < most) {
    const std::int64_t begin = i;
    if (const char c = line[static_cast<std::size_t>(i)]; static_cast<unsigned char>(c) < 0x80) {
      plain.text += c;
      plain.origin.push_back(static_cast<std::size_t>(i++));
      continue;
    }
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
    else if (c == 0x060C || c == 0x3001 || c == 0x104A || c == 0x1363)  // commas of Arabic, Japanese, Burmese, Ethiopic
      put(",", begin);
    else
      put(line.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(i - begin)), begin);
  }
  plain.origin.push_back(static_cast<std::size_t>(i));
  return plain;
}

/// Labels that come back: who speaks in a conversation.
class Labels {
 public:
  void add(std::string_view label) {
    ++seen_;
    ++labels_[std::string(trim(label))];
  }
  /// Whether at least four lines have one of a few, and they are at least a `share`-th of all `lines`.
  bool are_few(std::size_t lines, std::size_t share) const {
    return seen_ >= 4 && share * seen_ >= lines && labels_.size() >= 2 && 3 * labels_.size() <= seen_ + 3;
  }

 private:
  std::size_t seen_ = 0;
  std::map<std::string, std::size_t> labels_;
};

/// A line over a message that follows: group "name" is the speaker; without one, the speaker stands in the next line.
///   [31-Dec-23 09:41 PM] ana        Ana 2023-12-31 21:41:05        2023-12-31 21:41:05 Ana(12)        From: Ana
inline const Pattern& message_head() {
  static const Pattern pattern("message head", R"re(
    (?(DEFINE)
      (?<date> (?: \p{L}[\p{L}.]{1,11} ,? [ ] )?
               (?: \d{1,4} [ ]? [./\-年년] [ ]? \d{1,2} [ ]? [./\-月월] [ ]? \d{1,4} [.日일]?
                 | \d{1,2} [.]? [ -] (?:de[ ])? \p{L}{3,12} [.]? [ -] (?:de[ ])? \d{2,4}
                 | \p{L}{3,12} [.]? [ ] \d{1,2} ,? [ ] \d{4} ) )
      (?<time> (?: \p{L}{1,4} [ ]? )? \d{1,2} [:.h时時] \d{2} (?: [:.] \d{2} )? (?: [ ]? [ap] \.? [ ]? m \.? )? )
      (?<stamp> (?&date) [ ,]{1,3} (?:at[ ])? (?&time) )
      (?<label> \p{L} [^:\n]{0,40}? ) )
    ^ (?: [\[(] (?: (?&stamp) | (?&time) ) [\])] [ ] (?<name> (?&label) ) [ ]? :?
        | (?&stamp) [ ] (?<name> (?&label) ) [ ]? :?
        | (?<name> (?&label) ) [ ,(\[]{1,3} (?&stamp) [)\]]? [ ]? :?
        | (?&stamp) [ ]? (?: \( [^()\n]{0,60} \) )?
        | (?: from|von|de|da|van|från|fra|od|sender|absender|author|autor|auteur|от|发件人|發件人|差出人 ) [ ]? : [ ]
          (?<name> [^\n]{1,60} ) ) $ )re",
                               PCRE2_DUPNAMES | PCRE2_CASELESS);
  return pattern;
}

/// Whether a file has the shape of a conversation. Read as prose it would be other people's words. Either most of its
/// first lines hold a time of day near their beginning, and what stands after it (before a colon, a tab or a bracket)
/// are a few labels that come back; or messages stand under lines with a date and such a label.
inline bool looks_like_chat(std::string_view text) {
  static const Pattern timed("timed line", R"re(
    ^ \[ (?<name> \p{L} [^\]\n]{0,40} ) \] [ ]? \[? [^:\n\]]{0,20}? (?<!\d) \d{1,2} [:.h] \d{2} (?!\d)
  | ^ [^:\n]{0,40}? (?<!\d) \d{1,2} [:.h시時时] [ ]? \d{2} (?!\d) [^\p{L}\n]{0,12}
    (?: [\p{L}][\p{L}\p{M}.]{0,12} [^\p{L}\n]{1,4} ){0,2}?
    (?<name> \p{L} [^:\t\n\]>]{0,40} ) (?: [ ]?: | \t | \] | > )
  | ^ (?<name> \p{L} [^:\t\n,(\[]{0,40} ) [ ]? [,(\[] [^\p{L}\n]{0,24} \d{1,2} [:.h] \d{2} [^\p{L}\n]{0,8} [\])]? [ ]? : 
  | ^ < [ ]? [@+]? (?<name> [^<>\s/]{2,40} ) > [ ] [^<]* $)re",
                             PCRE2_DUPNAMES);
  std::size_t seen = 0;
  Labels said, headed;
  bool names_next = false;
  for (std::string_view line : lines(text.substr(0, std::size_t{1} << 20))) {
    if (trim(line).empty()) continue;
    const PlainLine plain = plain_line(line);
    if (const auto match = timed.find(plain.text)) said.add(match->named("name"));
    if (std::exchange(names_next, false) && plain.text.size() <= 40) headed.add(plain.text);
    if (const auto match = message_head().find(plain.text)) {
      names_next = match->named("name").empty();
      if (!names_next) headed.add(match->named("name"));
    }
    if (++seen == 200) break;
  }
  return said.are_few(seen, 2) || headed.are_few(seen, 10);
}

}  // namespace tern::detail
