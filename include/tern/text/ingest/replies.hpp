#pragma once
/// What a mail's writer wrote, without what they quote, forward and sign with.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "tern/text/ingest/reply_patterns.hpp"
#include "tern/text/lines.hpp"

namespace tern::detail {

inline bool is_quoted_line(std::string_view line) {
  line = trim(line);
  return line.starts_with('>') || line.starts_with("＞") || line.starts_with("&gt;");
}

/// Whether the lines from `at` on are the header of an original, as Outlook and phones put it above what they quote:
/// from, then two more fields within the next lines, and a date or an address among them.
inline bool begins_header_block(const std::vector<std::string_view>& all, std::size_t at) {
  const auto first = header_field().find(all[at]);
  if (!first) return false;
  const bool is_from = from_label().matches(first->group(1));
  if (!is_from && first->group(2).find('@') == std::string_view::npos) return false;
  std::size_t fields = 1, blanks = 0;
  bool dated = has_date(first->group(2)), addressed = first->group(2).find('@') != std::string_view::npos;
  for (std::size_t i = at + 1; i < all.size() && i < at + 10 && fields < 6; ++i) {
    if (trim(all[i]).empty()) {
      if (++blanks > 3 || (i + 1 < all.size() && trim(all[i + 1]).empty())) break;
      continue;
    }
    const auto field = header_field().find(all[i]);
    if (!field) {
      if (fields >= 3 || !all[i].starts_with(' ')) break;  // a folded line goes on
      continue;
    }
    ++fields;
    dated = dated || has_date(field->group(2));
    addressed = addressed || field->group(2).find('@') != std::string_view::npos;
  }
  return fields >= 3 && (dated || (is_from && addressed));
}

/// How many lines from `at` on introduce an original: "On Tue, 3 May 2022 at 10:01, Ana <ana@example.org> wrote:" and
/// its like, broken over up to four lines; 0 if they do not. Directly above a quotation less is needed.
inline std::size_t attribution_lines(const std::vector<std::string_view>& all, std::size_t at, bool above_quote) {
  std::string joined;
  for (std::size_t count = 1; count <= 4 && at + count <= all.size(); ++count) {
    const std::string_view line = trim(all[at + count - 1]);
    if (line.empty() || is_quoted_line(line)) return 0;
    joined += (joined.empty() ? "" : " ") + std::string(line);
    if (joined.size() > 400) return 0;
    if (!is_attribution(joined, above_quote)) continue;
    // The writer's own last line may stand directly above: it goes only where it begins the attribution.
    const std::string_view first = trim(all[at]);
    const bool begins =
        count == 1 || (has_date(first) && std::string_view(".!?").find(first.back()) == std::string_view::npos);
    return begins || attribution_lines(all, at + 1, above_quote) != count - 1 ? count : 0;
  }
  return 0;
}

/// Whether everything from line `at` on is an original that the writer put below.
inline bool begins_original(const std::vector<std::string_view>& all, std::size_t at) {
  const std::string_view line = all[at];
  return is_original_line(line) || begins_header_block(all, at);
}

/// The first line from `at` on that is not blank, or the end.
inline std::size_t next_words(const std::vector<std::string_view>& all, std::size_t at) {
  while (at < all.size() && trim(all[at]).empty()) ++at;
  return at;
}

/// Whether a line within a quotation that bears no mark is the rest of the line above, which a program broke: that one
/// is as long as lines get and ends no sentence, and the next is quoted again.
inline bool goes_on_quote(const std::vector<std::string_view>& all, std::size_t at) {
  if (at == 0 || at + 1 >= all.size() || !is_quoted_line(all[at - 1]) || !is_quoted_line(all[at + 1])) return false;
  const std::string_view above = trim(all[at - 1]), line = trim(all[at]);
  return above.size() >= 68 && std::string_view(".!?:;").find(above.back()) == std::string_view::npos &&
         line.size() < 40 && !line.empty() && !is_upper(line.front());
}

/// `body` without quotations, their attributions, and everything from the signature or an original on.
inline std::string own_reply(std::string_view body) {
  const std::vector<std::string_view> all = lines(body);
  std::string text;
  for (std::size_t at = 0; at < all.size(); ++at) {
    const std::string_view line = all[at];
    if (line == "-- " || line == "--" || begins_original(all, at)) break;
    if (is_quoted_line(line) || is_program_signature(line)) continue;
    if (goes_on_quote(all, at)) continue;
    // A line quoted below: lines up to it may introduce it.
    if (!trim(line).empty()) {
      std::size_t end = at;
      while (end < all.size() && end < at + 4 && !trim(all[end]).empty() && !is_quoted_line(all[end])) ++end;
      const std::size_t below = next_words(all, end);
      const bool above_quote = below < all.size() && is_quoted_line(all[below]);
      if (const std::size_t count = attribution_lines(all, at, above_quote && end < at + 4); count > 0) {
        const std::size_t next = next_words(all, at + count);
        if (next == all.size() || !is_quoted_line(all[next])) break;  // an original without marks
        at += count - 1;
        continue;
      }
    }
    text.append(line) += '\n';
  }
  return std::string(trim(text));
}

}  // namespace tern::detail
