#pragma once
/// SubRip (.srt) and WebVTT (.vtt) transcripts: what is said, one line a line.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "tern/text/ingest/html.hpp"
#include "tern/text/lines.hpp"
#include "tern/text/pattern.hpp"

namespace tern::detail {

inline bool is_cue_time(std::string_view line) {
  static const Pattern time("cue time", R"re(^ \s* (?:\d+:)? \d{1,2}:\d{2} (?: [ ]?[.,][ ]?\d{1,3} )? \s* --> \s* (?:\d+:)? \d{1,2}:\d)re");
  return line.find("-->") != std::string_view::npos && time.matches(line);
}

/// `line` without <i>, </v>, <00:01.000>, {\an8}, and with its character references as characters.
inline std::string cue_words(std::string_view line) {
  static const Pattern tag("subtitle tag", R"(</?[A-Za-z\d][^<>\n]*+> | \{\\[^{}\n]*+\})");
  std::string text;
  std::size_t at = 0;
  while (const auto match = tag.find(line, at)) {
    text += line.substr(at, match->begin() - at);
    at = match->end();
  }
  return decode_references(text.append(line.substr(at)));
}

inline bool is_number(std::string_view line) {
  line = trim(line);
  return !line.empty() && std::all_of(line.begin(), line.end(), is_digit);
}

/// Cue numbers, names, times, tags, and WebVTT's header, notes and styles are left out; so is a line that repeats the
/// one before, as rolling captions do. Empty lines may stand within a cue and may lack between two.
inline std::string read_subtitles(std::string_view text) {
  const std::vector<std::string_view> all = lines(text);
  const bool is_vtt = !all.empty() && all.front().starts_with("WEBVTT");
  std::vector<std::string_view> said;  // lines, blank ones among them, since the first time
  const auto first = std::find_if(all.begin(), all.end(), is_cue_time);
  const bool is_numbered = first != all.begin() && first != all.end() && is_number(*(first - 1));
  bool in_cue = false, in_block = false;
  const auto drop_name = [&] {  // of the cue that begins: a number (SubRip), or any line that stands alone (WebVTT)
    if (said.empty() || trim(said.back()).empty()) return;
    const bool stands_alone = said.size() == 1 || trim(said[said.size() - 2]).empty();
    if ((is_numbered && is_number(said.back())) || (is_vtt && stands_alone)) said.pop_back();
  };
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string_view line = all[i];
    const bool after_blank = i == 0 || trim(all[i - 1]).empty();
    if (is_cue_time(line)) {
      if (in_cue) drop_name();
      in_cue = true;
      in_block = false;
      continue;
    }
    if (is_vtt && after_blank)
      in_block = line.starts_with("NOTE") || line.starts_with("STYLE") || line.starts_with("REGION");
    if (trim(line).empty()) in_block = false;
    if (in_cue && !in_block) said.push_back(line);
  }
  std::string result, previous;
  for (std::string_view line : said) {
    std::string words(trim(cue_words(line)));
    if (words.empty() || words == previous) continue;
    result += words + '\n';
    previous = std::move(words);
  }
  return result;
}

}  // namespace tern::detail
