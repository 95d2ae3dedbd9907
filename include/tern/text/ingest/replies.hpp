#pragma once
/// What a mail's writer wrote, without what they quote and sign with.
#include <string>
#include <string_view>
#include <vector>

#include "tern/text/lines.hpp"
#include "tern/text/pattern.hpp"

namespace tern::detail {

/// True of a line after which nothing is the writer's own: a signature's "-- ", or a forwarded or unquoted original.
inline bool ends_own_words(std::string_view line) {
  static const Pattern original("original message", R"re(
      ^ \s*+ -{2,}+ \s*+ (?: original\ message | forwarded\ message | forwarded\ by | mensaje\ original | message\ transf
                           | urspr.{1,2}ngliche\ nachricht | weitergeleitete\ nachricht | message\ (?:d['’])?origin[ea]l? )
    | ^ \s*+ begin\ forwarded\ message:
    | ^ \s*+ _{20,}+ \s*+ $ )re",
                                PCRE2_CASELESS);
  return line == "-- " || line == "--" || original.matches(line);
}

/// True of "On Tue, 3 May 2022 at 10:01, Ana Ruiz <ana@example.org> wrote:" and its like in other languages. `text` may
/// be the line and those before it, joined by spaces.
inline bool is_attribution(std::string_view text) {
  static const Pattern wrote("attribution", R"re(
    ^ \s*+ (?: on|le|am|el|il|em|op|den|w\ dniu ) \b .{6,300}
    (?: wrote | a\ écrit | schrieb.{0,120} | escribió | ha\ scritto | escreveu | schreef.{0,120} | skrev.{0,120}
      | napisał\(?a?\)? ) \s* : \s* $ )re",
                             PCRE2_CASELESS);
  return wrote.matches(text);
}

/// Removes from the end of `kept` the one to three lines that introduce the quotation which follows: an attribution, or
/// a line with an address that ends in a colon.
inline void drop_attribution(std::vector<std::string_view>& kept) {
  std::size_t last = kept.size();
  while (last > 0 && trim(kept[last - 1]).empty()) --last;
  std::string joined;
  for (std::size_t count = 1; count <= 3 && count <= last; ++count) {
    joined = std::string(trim(kept[last - count])) + (count > 1 ? " " : "") + joined;
    if (is_attribution(joined)) return kept.resize(last - count);
  }
  if (last == 0) return;
  const std::string_view line = trim(kept[last - 1]);
  if (line.back() == ':' && line.find('@') != std::string_view::npos) kept.resize(last - 1);
}

/// `body` without lines quoted by '>', their attributions, and everything from the signature or an original on.
inline std::string own_reply(std::string_view body) {
  std::vector<std::string_view> kept;
  bool in_quote = false;
  for (std::string_view line : lines(body)) {
    if (ends_own_words(line)) break;
    const bool quoted = !trim(line).empty() && trim(line).front() == '>';
    if (quoted && !in_quote) drop_attribution(kept);
    in_quote = quoted;
    if (!quoted) kept.push_back(line);
  }
  std::string text;
  for (std::string_view line : kept) text.append(line) += '\n';
  return std::string(trim(text));
}

}  // namespace tern::detail
