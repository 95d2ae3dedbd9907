#pragma once
/// IRC logs: "[2024-05-07T16:09:17Z] <nick> words", also without brackets or date.
#include <optional>
#include <string>
#include <string_view>

#include "tern/text/ingest/chat.hpp"
#include "tern/text/ingest/dates.hpp"
#include "tern/text/pattern.hpp"

namespace tern::detail {

/// "nick", "words", "speaker", whom a transcriber's line names ("Ana_Ruiz: words"), "day" and "clock".
inline const Pattern& irc_line() {
  static const Pattern pattern("IRC line", R"re(
    ^ \[? (?: (?<day> \d{4}-\d\d-\d\d ) [T ])? (?<clock> \d\d:\d\d (?::\d\d)? ) (?:\.\d+)? (?:Z|[+-]\d\d:?\d\d)? \]? \s+
    < [ ]? [@+%~&]? (?<nick> [^<>\s]{1,40} ) > \s+ (?: (?<speaker> [\p{L}\d]+ (?:_[\p{L}\d]+)+ ) : [ ] )?
    (?<words> .*+ ) $)re");
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

/// The day that a log says it is on: "--- Log opened Tue May 07 16:09:17 2024", "--- Day changed Wed May 08 2024".
inline std::optional<Time> irc_day(std::string_view line) {
  static const Pattern pattern("IRC day", R"re(
    ^ --- [ ] (?: Log [ ] opened | Day [ ] changed ) [ ] \w{3} [ ] (\w{3}) [ ] (\d\d) (?: [ ] \d\d:\d\d:\d\d )? [ ] (\d{4}) )re");
  if (!line.starts_with("--- ")) return std::nullopt;
  const auto match = pattern.find(line);
  if (!match) return std::nullopt;
  const Date date{static_cast<int>(number(match->group(3))), month_named(match->group(1)),
                  static_cast<int>(number(match->group(2)))};
  return is_date(date) ? std::optional(midnight(date)) : std::nullopt;
}

/// Lines of another form (joins, topics) are left out. The day is the stamp's, else the one that the log or its file's
/// name says; a clock that falls back by half a day begins the next.
inline Chat read_irc(std::string_view text, std::string name) {
  std::optional<Time> day = time_of_name(name);
  Chat chat{std::move(name), "irc", {}};
  Time previous = 0, spoken = 0;
  for (std::string_view line : lines(text)) {
    if (trim(line).empty()) continue;
    const auto match = irc_line().find(line);
    if (!match) {
      ++chat.omitted["a line that is no message"];
      if (const auto said = irc_day(line)) day = said, previous = 0;
      continue;
    }
    if (trim(match->named("words")).empty()) continue;
    const std::string_view clock = match->named("clock"), speaker = match->named("speaker");
    const Time seconds = 3600 * number(clock.substr(0, 2)) + 60 * number(clock.substr(3, 2)) +
                         (clock.size() > 5 ? number(clock.substr(6)) : 0);
    if (!match->named("day").empty()) {
      if (const auto said = iso_time(match->named("day"))) day = said;
    } else if (day && seconds + 43'200 < previous) {
      *day += 86'400;
    }
    previous = seconds;
    spoken += !speaker.empty();
    chat.messages.push_back({std::string(speaker.empty() ? match->named("nick") : speaker),
                             std::string(match->named("words")),
                             {},
                             day ? std::optional(*day + seconds) : std::nullopt});
  }
  if (2 * spoken > static_cast<Time>(chat.messages.size())) chat.kind = Kind::transcript;
  return chat;
}

}  // namespace tern::detail
