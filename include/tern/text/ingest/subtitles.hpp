#pragma once
/// SubRip (.srt) and WebVTT (.vtt) transcripts: what is said, one line a line.
#include <string>
#include <string_view>

#include "tern/text/lines.hpp"
#include "tern/text/pattern.hpp"

namespace tern::detail {

inline bool is_cue_time(std::string_view line) {
  return line.find("-->") != std::string_view::npos && !trim(line).empty() && is_digit(trim(line).front());
}

/// `line` without <i>, </v>, <00:01.000>, {\an8}.
inline std::string without_cue_tags(std::string_view line) {
  static const Pattern tag("subtitle tag", R"(</?[A-Za-z\d][^<>\n]*+> | \{\\[^{}\n]*+\})");
  std::string text;
  std::size_t at = 0;
  while (const auto match = tag.find(line, at)) {
    text += line.substr(at, match->begin() - at);
    at = match->end();
  }
  return text.append(line.substr(at));
}

/// Cue numbers, names, times, tags, and WebVTT's header, notes and styles are left out; so is a line that repeats the
/// one before, as rolling captions do.
inline std::string read_subtitles(std::string_view text) {
  const std::vector<std::string_view> all = lines(text);
  std::string said, previous;
  bool in_cue = false;  // between a time and the next blank line: nothing else is speech
  for (std::string_view line : all) {
    if (is_cue_time(line)) {
      in_cue = true;
    } else if (trim(line).empty()) {
      in_cue = false;
    } else if (in_cue) {
      std::string words(trim(without_cue_tags(line)));
      if (words.empty() || words == previous) continue;
      said += words + '\n';
      previous = std::move(words);
    }
  }
  return said;
}

}  // namespace tern::detail
