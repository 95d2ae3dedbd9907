#pragma once
/// Replaces structured personal data by placeholders before a text is trained on.
///
/// What it finds has a shape: mail addresses, URLs, IP addresses, payment cards, IBANs and phone numbers as people
/// write them. It CANNOT find what has none: names, places, postal addresses, birthdays, user names, passwords, health,
/// plates and document numbers, digits spelt as words ("oh seven seven..."), account numbers without a checksum, or
/// anything in a picture. Scrubbed text is still personal text; an adapter trained on it still is. docs/scrubber.md has
/// the measured recall and false positives of each class.
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "tern/core/error.hpp"
#include "tern/core/matrix.hpp"
#include "tern/text/identifiers.hpp"
#include "tern/text/lines.hpp"
#include "tern/text/pii_patterns.hpp"
#include "tern/text/utf8.hpp"

namespace tern {

/// What stands in the text in place of a find.
inline std::string_view placeholder(Pii kind) {
  constexpr std::array<std::string_view, pii_classes.size()> names = {"[URL]",  "[EMAIL]", "[IBAN]",
                                                                      "[CARD]", "[IP]",    "[PHONE]"};
  return names[static_cast<std::size_t>(kind)];
}

/// Finds a class, by static_cast<std::size_t>(Pii).
using PiiCounts = std::array<Index, pii_classes.size()>;

struct Scrubbed {
  std::string text;
  PiiCounts counts{};
};

namespace detail {

/// Letters as capitals and digits; all else is left out.
inline std::string alphanumerics(std::string_view text) {
  std::string result;
  for (char c : text)
    if (is_digit(c) || is_letter(c)) result += c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
  return result;
}

/// The longest beginning of `candidate`, ending where a group of characters ends, that `holds`; 0 if none does. A
/// greedy pattern may have run into the words or numbers that follow an identifier.
template <class Holds>
std::size_t longest_group_prefix(std::string_view candidate, Holds holds) {
  const auto is_inside = [](char c) { return is_digit(c) || is_letter(c); };
  for (std::size_t end = candidate.size(); end > 0; --end) {
    const bool cuts_group = end < candidate.size() && is_inside(candidate[end]);
    if (is_inside(candidate[end - 1]) && !cuts_group && holds(alphanumerics(candidate.substr(0, end)))) return end;
  }
  return 0;
}

/// An IPv6 address, and not code (a::b), a time (10:20:30) or the loopback address, which is nobody's.
inline bool is_plain_ipv6(std::string_view match) {
  const std::string_view first = match.substr(0, match.find(':'));
  const bool is_unusual = !first.empty() && first.find_first_of("0123456789") == std::string_view::npos &&
                          !(first.size() == 4 && lower(first).front() == 'f' && lower(first)[1] >= 'c');
  return match.size() >= 7 && !is_unusual && match.find_first_of("0123456789") != std::string_view::npos &&
         is_ipv6(std::string(match));
}

/// How much of a pattern's `match` is a find of its class: all, a beginning, or nothing.
inline std::size_t accepted_length(Pii kind, std::string_view match) {
  switch (kind) {
    case Pii::url:  // a sentence's punctuation is not the URL's
      while (!match.empty() && std::string_view(".,;:!?'*_~]").find(match.back()) != std::string_view::npos)
        match.remove_suffix(1);
      return match.size();
    case Pii::email:
      return match.size();
    case Pii::iban:
      return longest_group_prefix(match, [](const std::string& s) { return is_iban(s); });
    case Pii::card:
      return longest_group_prefix(match, [](const std::string& s) { return is_card(s); });
    case Pii::ip:
      return match.find(':') == std::string_view::npos || is_plain_ipv6(match) ? match.size() : 0;
    case Pii::phone:  // a national number has nine to twelve digits, one in a list may be run into by the next
      return longest_group_prefix(match, [&](const std::string& number) {
        const auto digits = std::count_if(number.begin(), number.end(), is_digit);
        const bool is_national = number.front() == '0' && number.substr(0, 2) != "00";
        return is_national ? digits >= 9 && digits <= 12 : digits >= 7 && digits <= 15;
      });
  }
  return 0;
}

/// A text beside its plain form, in which digits of any script and the full-width letters and signs of numbers and
/// addresses are ASCII. Searches see the plain form; what they find goes from both.
class TwinText {
 public:
  explicit TwinText(std::string_view text) : text_(text) {
    plain_.reserve(text.size());
    const auto size = static_cast<std::int64_t>(text.size());
    for (std::int64_t i = 0, begin = 0; i < size; begin = i) {
      while (i < size && static_cast<unsigned char>(text[static_cast<std::size_t>(i)]) < 0x80) ++i;
      plain_.append(text.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(i - begin)));
      if (i == size) break;
      begin = i;
      UChar32 c;
      U8_NEXT(text.data(), i, size, c);
      const char ascii = plain_form(c);
      if (ascii != '\0')
        plain_ += ascii;
      else
        plain_.append(text.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(i - begin)));
    }
  }

  /// Replaces every find of one search; returns how many there were.
  Index replace_finds(const PiiSearch& search) {
    if (!search.may_find(plain_)) return 0;
    std::string clean, clean_plain;
    Index count = 0;
    std::string_view rest = plain_, original = text_;  // what follows the last find, which is no context for the next
    std::size_t from = 0;
    while (const auto match = search.pattern.find(rest, from)) {
      const std::size_t begin = match->begin();
      const std::size_t length = accepted_length(search.kind, rest.substr(begin, match->end() - begin));
      if (length == 0) {
        from = begin + utf8_step(rest.substr(begin)).length;
        continue;
      }
      const std::size_t before = original_length(rest, begin, original);
      clean.append(original.substr(0, before)) += placeholder(search.kind);
      clean_plain.append(rest.substr(0, begin)) += placeholder(search.kind);
      original.remove_prefix(before);
      rest.remove_prefix(begin);
      original.remove_prefix(original_length(rest, length, original));
      rest.remove_prefix(length);
      from = 0;
      ++count;
    }
    if (count > 0) {
      text_ = clean.append(original);
      plain_ = clean_plain.append(rest);
    }
    return count;
  }

  std::string text() && { return std::move(text_); }

 private:
  static char plain_form(UChar32 c) {
    if (const std::int32_t digit = u_charDigitValue(c); digit >= 0) return static_cast<char>('0' + digit);
    if (c == 0x2212) return '-';  // the minus sign, which Japanese keyboards put between the parts of a number
    const bool is_wide_letter = (c >= 0xFF21 && c <= 0xFF3A) || (c >= 0xFF41 && c <= 0xFF5A);
    const bool is_wide_sign = c == 0xFF0B || c == 0xFF0D || c == 0xFF0E || c == 0xFF20;  // + - . @
    return is_wide_letter || is_wide_sign ? static_cast<char>(c - 0xFF01 + '!') : '\0';
  }

  /// How many bytes of `original` the first `length` bytes of `plain` stand for.
  static std::size_t original_length(std::string_view plain, std::size_t length, std::string_view original) {
    std::size_t at = 0;
    for (std::size_t i = 0; i < length;) {
      const bool is_changed = static_cast<unsigned char>(plain[i]) < 0x80 && plain[i] != original[at];
      const std::size_t step = utf8_step(original.substr(at)).length;
      i += is_changed ? 1 : step;
      at += step;
    }
    return at;
  }

  std::string text_, plain_;
};

}  // namespace detail

/// `text` with placeholders in place of personal data, and how many of each class. Linear in the text: no pattern can
/// backtrack without bound. Throws FormatError on ill-formed UTF-8, ValueError if a pattern reaches its step limit.
inline Scrubbed scrub(std::string_view text) {
  if (const std::size_t bad = detail::find_ill_formed(text); bad != std::string_view::npos)
    throw FormatError("scrub at byte " + std::to_string(bad) + ": expected well-formed UTF-8");
  Scrubbed result;
  detail::TwinText twin(text);
  for (const detail::PiiSearch& search : detail::pii_searches())
    result.counts[static_cast<std::size_t>(search.kind)] += twin.replace_finds(search);
  result.text = std::move(twin).text();
  return result;
}

}  // namespace tern
