#pragma once
/// What a mail's writer wrote, without what they quote, forward and sign with.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "tern/text/ingest/reply_patterns.hpp"
#include "tern/text/lines.hpp"

namespace tern::detail {

/// A line that a program marked as quoted; "BH> " bears the initials of whom it quotes. A table's row has more than one
/// upright stroke.
inline bool is_quoted_line(std::string_view line) {
  line = trim(line);
  if (line.starts_with('>') || line.starts_with("＞") || line.starts_with("&gt;")) return true;
  if (line.starts_with('|')) return line.find('|', 1) == std::string_view::npos;
  static const Pattern initials("initials", R"re( ^ \p{Lu}{1,4} >+ (?: \s | $ ) )re");
  return line.substr(0, 12).find('>') != std::string_view::npos && initials.matches(line);
}

/// `text` as the patterns read it, line for line: no direction marks, plain spaces, and the dotted capital that no
/// other case of 'i' equals as 'I'.
inline std::string for_patterns(std::string_view text) {
  static constexpr std::string_view changed[][2] = {{"\u00a0", " "}, {"\u202f", " "}, {"\u0130", "I"}, {"\u200e", ""},
                                                    {"\u200f", ""},  {"\u202a", ""},  {"\u202b", ""},  {"\u202c", ""},
                                                    {"\u202d", ""},  {"\u202e", ""},  {"\u2066", ""},  {"\u2067", ""},
                                                    {"\u2068", ""},  {"\u2069", ""},  {"\ufeff", ""}};
  std::string result(text);
  for (const auto& [from, to] : changed) replace_all(result, from, to);
  return result;
}

/// The first line from `at` on that is not blank, or the end.
inline std::size_t next_words(const std::vector<std::string_view>& all, std::size_t at) {
  while (at < all.size() && trim(all[at]).empty()) ++at;
  return at;
}

/// Whether the lines from `at` on are the header of an original, as Outlook, phones and forwarding programs put it
/// above what they quote: at least `least` fields in a row, the sender's among them, and an address, or a day and time
/// among four. In a language that from_label() does not know, an address and a date, in two fields, do, or one of the
/// `others`, and a day and time. Notes writes a line of name and address, and the date below it.
inline bool begins_header_block(const std::vector<std::string_view>& all, std::size_t at, const Correspondents& others,
                                std::size_t least = 3) {
  if (is_sender_line(all[at])) {
    const std::size_t next = next_words(all, at + 1);
    return next < all.size() && all[next].size() <= 48 && has_date(all[next]) && has_time(all[next]);
  }
  std::size_t fields = 0, blanks = 0, addresses = 0, dates = 0, times = 0;
  bool from = false, named = false;
  for (std::size_t i = at; i < all.size() && i < at + 16 && fields < 6; ++i) {
    if (trim(all[i]).empty()) {
      if (fields == 0 || ++blanks > 3 || (i + 1 < all.size() && trim(all[i + 1]).empty())) break;
      continue;
    }
    std::string line(all[i]);
    if (may_end_attribution(trim(line)) && i + 1 < all.size())
      line += ' ' + std::string(all[++i]);  // value below label
    const auto field = header_field().find(line);
    if (!field) {
      if (fields > 0 && (line.front() == ' ' || line.front() == '\t')) continue;  // a folded line goes on
      break;
    }
    ++fields;
    from = from || from_label().matches(field->group(1));
    named = named || others.are_named_in(field->group(2));
    const bool addressed = field->group(2).find('@') != std::string_view::npos;
    const bool dated = !addressed && has_date(field->group(2));
    addresses += addressed;
    dates += dated;
    times += dated && has_time(field->group(2));
  }
  if (fields < least) return false;
  if (from) return addresses + times > 0;
  return (addresses > 0 && dates > 0) || (named && times > 0);
}

/// How many lines from `at` on introduce an original: "On Tue, 3 May 2022 at 10:01, Ana <ana@example.org> wrote:" and
/// its like, broken over up to four lines; 0 if they do not. Directly above a quotation less is needed.
inline std::size_t attribution_lines(const std::vector<std::string_view>& all, std::size_t at,
                                     const Correspondents& others, bool above_quote) {
  const auto joined = [&](std::size_t from, std::size_t end) {
    std::string text;
    for (std::size_t i = from; i < end; ++i) text += (text.empty() ? "" : " ") + std::string(trim(all[i]));
    return text;
  };
  const auto ends_sentence = [&](std::size_t i) {
    return std::string_view(".!?").find(trim(all[i]).back()) != std::string_view::npos;
  };
  for (std::size_t end = at + 1; end <= std::min(at + 4, all.size()); ++end) {
    const std::string_view last = trim(all[end - 1]);
    if (last.empty() || is_quoted_line(last)) return 0;
    const std::size_t next = next_words(all, end);
    const bool follows = next < all.size() && is_quoted_line(all[next]);
    if (!follows && !may_end_attribution(last)) continue;
    const std::string whole = joined(at, end);
    if (whole.size() > 400) return 0;
    if (!is_attribution(whole, others, above_quote, follows)) continue;
    // The writer's own last lines may stand directly above. The attribution is the fewest lines that will do, and those
    // above them only where they bring the date or the address that is missing yet.
    std::size_t begin = end - 1;
    while (!is_attribution(joined(begin, end), others, above_quote, follows)) --begin;
    for (std::size_t up = begin; up-- > at && begin - up <= 2 && !ends_sentence(up);) {
      const std::string has = joined(begin, end), line = joined(up, begin);
      if ((has_date(line) && !has_date(has)) || (has_address(line) && !has_address(has))) begin = up;
    }
    return begin == at ? end - at : 0;
  }
  return 0;
}

/// Whether everything from line `at` on is an original that the writer put below, or what lists add.
inline bool begins_original(const std::vector<std::string_view>& all, std::size_t at, const Correspondents& others) {
  const std::string_view line = all[at];
  if (is_original_line(line) || begins_header_block(all, at, others) || is_forward_in_a_line(line)) return true;
  const std::size_t next = next_words(all, at + 1);
  if (next == all.size()) return false;
  if (is_between_arrows(line)) return !is_quoted_line(all[next]);
  const bool rule = is_rule(line);
  if (!rule && !is_flanked(line))  // an indented title of the header below, as BlackBerry writes it
    return line.starts_with("  ") && trim(line).size() < 60 && next == at + 1 && begins_header_block(all, next, others);
  return begins_header_block(all, next, others, rule ? 2 : 3) || attribution_lines(all, next, others, false) > 0 ||
         (rule && all[next].find(" mailing list") != std::string_view::npos);
}

/// Whether a line says that a mail is passed on, in whatever words: it is short, ends in a colon, and stands above the
/// quoted header of that mail.
inline bool announces_forward(const std::vector<std::string_view>& all, std::size_t at, const Correspondents& others) {
  const std::string_view line = trim(all[at]);
  if (line.size() > 120 || !ends_in_colon(line) || is_quoted_line(line)) return false;
  std::vector<std::string_view> quoted;
  for (std::size_t i = next_words(all, at + 1); i < all.size() && is_quoted_line(all[i]) && quoted.size() < 8; ++i)
    quoted.push_back(trim(trim(all[i]).substr(1)));
  return !quoted.empty() && begins_header_block(quoted, 0, others);
}

/// Whether a line is the last of the writer's, after others and a blank line, short, and names a phone: "Sent from my
/// Galaxy" in any language.
inline bool is_phone_signature(const std::vector<std::string_view>& all, std::size_t at, const Correspondents& others,
                               bool after_words) {
  const std::string_view line = trim(all[at]);
  if (!after_words || at == 0 || !trim(all[at - 1]).empty() || line.size() > 90 || !names_phone(line)) return false;
  const std::size_t next = next_words(all, at + 1);
  return next == all.size() || is_quoted_line(all[next]) || begins_original(all, next, others) ||
         attribution_lines(all, next, others, true) > 0;
}

/// Whether a line within a quotation that bears no mark is the rest of the line above, which a program broke: that one
/// is as long as lines get and ends no sentence, and the next is quoted again.
inline bool goes_on_quote(const std::vector<std::string_view>& all, std::size_t at) {
  if (at == 0 || at + 1 >= all.size() || !is_quoted_line(all[at - 1]) || !is_quoted_line(all[at + 1])) return false;
  const std::string_view above = trim(all[at - 1]), line = trim(all[at]);
  return above.size() >= 68 && std::string_view(".!?:;").find(above.back()) == std::string_view::npos &&
         line.size() < 40 && !line.empty() && !is_upper(line.front());
}

/// `text` without a company's words at its end: they begin in one of its last lines.
inline std::string_view without_disclaimer(std::string_view text) {
  std::size_t begin = text.size();
  for (int words = 0; words < 8 && begin > 0;) {
    const std::size_t end = begin - (text[begin - 1] == '\n');
    begin = end == 0 ? 0 : text.rfind('\n', end - 1) + 1;  // npos + 1 is 0
    const std::string_view line = trim(text.substr(begin, end - begin));
    words += !line.empty();
    if (is_disclaimer(line)) return text.substr(0, begin);
  }
  return text;
}

/// `body`, of a mail to `others`, without quotations, their attributions, and everything from the signature or an
/// original on.
inline std::string own_reply(std::string_view body, const Correspondents& others = {}) {
  const std::string readable = for_patterns(body);
  const std::vector<std::string_view> all = lines(readable), written = lines(body);
  std::string text;
  for (std::size_t at = 0; at < all.size(); ++at) {
    const std::string_view line = all[at];
    if (is_between_arrows(line) && begins_original(all, at, others)) break;
    if (is_quoted_line(line) || goes_on_quote(all, at)) continue;
    if (line == "-- " || line == "--" || begins_original(all, at, others)) break;
    const auto parts = [&](std::size_t i) { return i >= all.size() || trim(all[i]).empty() || is_quoted_line(all[i]); };
    const bool at_edge = parts(at - 1) || parts(at + 1);  // of a paragraph; at - 1 wraps above the first line
    if (at_edge && is_program_signature(line)) {
      if (at + 1 < all.size() && is_link(all[at + 1])) ++at;
      continue;
    }
    if (announces_forward(all, at, others)) continue;
    if (is_phone_signature(all, at, others, !text.empty())) continue;
    if (is_rule(line) && line.find('_') != std::string_view::npos) continue;
    // A line quoted below: lines up to it may introduce it.
    if (!trim(line).empty()) {
      std::size_t end = at;
      while (end < all.size() && end < at + 4 && !trim(all[end]).empty() && !is_quoted_line(all[end])) ++end;
      const std::size_t below = next_words(all, end);
      const bool above_quote = below < all.size() && is_quoted_line(all[below]);
      if (const std::size_t count = attribution_lines(all, at, others, above_quote && end < at + 4); count > 0) {
        const std::size_t next = next_words(all, at + count);
        if (next == all.size() || !is_quoted_line(all[next])) break;  // an original without marks
        at += count - 1;
        continue;
      }
    }
    text.append(written[at]) += '\n';
  }
  return std::string(trim(without_disclaimer(text)));
}

}  // namespace tern::detail
