#pragma once
/// IRC logs: "[2024-05-07T16:09:17Z] <nick> words", also without brackets or date.
#include <string>
#include <string_view>

#include "tern/text/ingest/chat.hpp"
#include "tern/text/pattern.hpp"

namespace tern::detail {

/// Group 1 is the nick, group 2 the speaker whom a transcriber's line names ("Ana_Ruiz: words"), group 3 the words.
inline const Pattern& irc_line() {
  static const Pattern pattern("IRC line", R"re(
    ^ \[? (?:\d{4}-\d\d-\d\d [T ])? \d\d:\d\d (?::\d\d (?:\.\d+)?)? (?:Z|[+-]\d\d:?\d\d)? \]? \s+
    < [ ]? [@+%~&]? ([^<>\s]{1,40}) > \s+ (?: ([\p{L}\d]+ (?:_[\p{L}\d]+)+) : [ ] )? (.*+) $)re");
  return pattern;
}

/// Whether a third of the text's first lines are such; logs open with notices.
inline bool is_irc(std::string_view text) {
  std::size_t seen = 0, matching = 0;
  for (std::string_view line : lines(text.substr(0, 1 << 16))) {
    if (trim(line).empty()) continue;
    matching += irc_line().matches(line);
    if (++seen == 60) break;
  }
  return matching > 0 && 3 * matching >= seen;
}

/// Lines of another form (joins, topics) are left out.
inline Chat read_irc(std::string_view text, std::string name) {
  Chat chat{std::move(name), "irc", {}};
  for (std::string_view line : lines(text)) {
    if (trim(line).empty()) continue;
    const auto match = irc_line().find(line);
    if (!match)
      ++chat.omitted["a line that is no message"];
    else if (!trim(match->group(3)).empty())
      chat.messages.push_back(
          {std::string(match->group(2).empty() ? match->group(1) : match->group(2)), std::string(match->group(3)), {}});
  }
  return chat;
}

}  // namespace tern::detail
