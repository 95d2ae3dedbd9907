#pragma once
/// Replaces structured personal data by placeholders before a text is trained on.
///
/// What it finds has a shape: mail addresses, URLs, IP addresses, payment cards, IBANs and phone numbers as people write
/// them. It CANNOT find what has none: names, places, postal addresses, birthdays, user names, passwords, health, plates
/// and document numbers, digits spelt as words ("oh seven seven..."), account numbers without a checksum, or anything in
/// a picture. Scrubbed text is still personal text; an adapter trained on it still is. docs/scrubber.md has the measured
/// recall and false positives of each class.
#include <array>
#include <string>
#include <string_view>

#include "tern/core/error.hpp"
#include "tern/core/matrix.hpp"
#include "tern/text/identifiers.hpp"
#include "tern/text/lines.hpp"
#include "tern/text/pattern.hpp"
#include "tern/text/utf8.hpp"

namespace tern {

/// Classes of personal data, in the order in which they are looked for: what one has taken, no later one sees.
enum class Pii { url, email, iban, card, ip, phone };
inline constexpr std::array pii_classes = {Pii::url, Pii::email, Pii::iban, Pii::card, Pii::ip, Pii::phone};

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

inline const Pattern& pii_pattern(Pii kind) {
  static const std::array<Pattern, pii_classes.size()> patterns = {
      Pattern("url", R"re(
        (?: \b (?:https?|s?ftps?|wss?|ssh|git|file|smb|ldap|irc|magnet|rtsp|s3) :// | \bwww\d?\. (?=[a-z\d]) )
        (?: \( [^\s()<>"]*+ \) | [!\#$%&'*+,./:;=?@\[\]_~\w-] | (?![\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}])\p{L} | \p{M} ){2,}+
      | (?<! [@\w./-] ) (?: [a-z\d] [a-z\d-]{0,62} \. ){1,4}                      # a bare domain
        (?: (?:com|org|net|edu|gov) (?:\.[a-z]{2})? (?![\w(@-]|\.\w) (?:/[^\s()<>"]*+)?
          | (?:io|me|ly|gl|co|de|fr|uk|eu|es|it|nl|ch|at|be|se|no|dk|fi|pl|pt|br|au|ca|us|jp|cn|in|ru|tv|gg|to|dev|app|info|blog)
            / [^\s()<>"]++ )
        )re", PCRE2_CASELESS),
      Pattern("email", R"re(
        (?<! [\p{L}\p{N}._%+-] ) [\p{L}\p{N}] [\p{L}\p{N}\p{M}._%+'-]{0,63}+
        (?: @ | \s?[\[({<] \s? at \s? [\])}>] \s? )
        (?: [\p{L}\p{N}] [\p{L}\p{N}\p{M}-]{0,62} (?: \. | \s?[\[({<] \s? dot \s? [\])}>] \s? ) ){1,6}
        (?! (?:png|jpe?g|gif|svg|webp)\b ) (?:xn--[a-z\d-]{2,40}|[\p{L}\p{M}]{2,24}) (?! [\p{L}\p{N}] )
      | \b [a-z\d][a-z\d._-]{1,40} \s at \s [a-z\d][a-z\d-]{1,40} \s dot \s (?: [a-z]{2,3} \s dot \s )? (?:com|org|net|edu|de|fr|in|es|it|co|io|uk) \b
        )re", PCRE2_CASELESS),
      Pattern("iban", R"re( (?<! [\p{L}\p{N}] ) [A-Z]{2} [ ]?\d{2} (?: [ \x{a0}\x{202f}-]? [A-Z\d] ){11,30}+ )re",
              PCRE2_CASELESS),
      Pattern("card", R"re( (?<! \d ) (?<! \d[.,] ) \d (?: [ .\x{a0}\x{202f}\x{2013}-]? \d ){12,22}+ )re"),
      Pattern("ip", R"re(
        (?<! [\w.] ) (?<! version\  | release\  | section\  | firmware\  | build\  | ver\.\  | ver\  | \bv\  )
        (?: (?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d) \. ){3} (?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d) (?! \w | \.\d )
      | (?<! [\w:.] ) (?= [\da-f]*: ) (?: [\da-f]{0,4} : ){2,7}+ (?: (?:\d{1,3}\.){3} \d{1,3} | [\da-f]{0,4} ) (?! [\w:] )
        )re", PCRE2_CASELESS),
      Pattern("phone", R"re(
        (?<! [\w+] ) (?<! [\d][./-] ) (?! \d{1,2}[./-]\d{1,2}[./-](?:19|20)?\d\d (?!\d) )
        (?:
          (?: \+ | 00 [ .-]? (?=[1-9]) ) [ ]? \(?[1-9]\d{0,3}\)? (?: [ .\-/\x{a0}\x{202f}\x{2011}]{0,3} \(? \d{1,5} \)? ){1,6}  # +49 (0) 30 123 456
        | (?: \+? 1 [ .\x{a0}-]? )? (?: \( [2-9]\d\d \) [ \x{a0}-]? | [2-9]\d\d [ .\x{a0}\x{2011}-] ) [2-9]\d\d [ .\x{a0}\x{2011}-] \d{4}   # (555) 234-5678
        | \( 0\d{1,5} \) [ ]? \d{2,5} (?: [ -]? \d{2,5} ){0,3}                    # (0471) 230 9250
        | 0\d{1,4} (?: [ .\-/\x{a0}]{1,2} \d{2,8} ){1,5}                         # 020 7946 0958, 06.12.34.56.78
        | 0[1-9]\d{8,9}                                                          # 07700900123
        | [6-9]\d{4} [ -]? \d{5}                                                 # 98470 12345
        | 1[3-9]\d [ -]? \d{4} [ -]? \d{4}                                       # 138 1234 5678
        | 8 [ -]? \(? \d{3} \)? [ -] \d{3} [ -] \d{2} [ -]? \d{2}                # 8 (495) 123-45-67
        | \( \d{2} \) [ ]? 9? [ ]? \d{4} [ -] \d{4}                              # (11) 91234-5678
        | [6-9]\d{2} [ ] \d{2} [ ] \d{2} [ ] \d{2}                               # 612 34 56 78
        | 3\d{2} [ /.-] \d{6,7}                                                  # 347 1234567
        )
        (?: \s? (?:x|ext\.?) \s? \d{1,5} )? (?! \d | [.,:/-]\d | [ ]?% )
      | \b (?: tel|telephone|phone|ph|mobile|mob|cell|fax|call(?:\ me)?|ring|text|sms|whatsapp|telefon|handy|tél|téléphone|teléfono|móvil|portable|ഫോൺ|电话|電話|手机 ) \b
        (?: \s (?:me|us|number|no|is|at|on|him|her) ){0,3} [.:\#]{0,2} \s{0,2} \K \(? \d{2,5} \)? (?: [ .\-/]? \d{2,5} ){1,4} (?! \d | [.,:]\d )
        )re", PCRE2_CASELESS)};
  return patterns[static_cast<std::size_t>(kind)];
}

/// Letters as capitals and digits; all else is left out.
inline std::string alphanumerics(std::string_view text) {
  std::string result;
  for (char c : text)
    if (is_digit(c) || is_letter(c)) result += c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
  return result;
}

/// The longest beginning of `candidate`, ending where a group of characters ends, that `holds`; 0 if none does. A greedy
/// pattern may have run into the words or numbers that follow an identifier.
template <class Holds>
std::size_t longest_group_prefix(std::string_view candidate, Holds holds) {
  const auto is_inside = [](char c) { return is_digit(c) || is_letter(c); };
  for (std::size_t end = candidate.size(); end > 0; --end) {
    const bool cuts_group = end < candidate.size() && is_inside(candidate[end]);
    if (is_inside(candidate[end - 1]) && !cuts_group && holds(alphanumerics(candidate.substr(0, end)))) return end;
  }
  return 0;
}

/// How much of a pattern's `match` is a find of its class: all, a beginning, or nothing.
inline std::size_t accepted_length(Pii kind, std::string_view match) {
  switch (kind) {
    case Pii::url:  // a sentence's punctuation is not the URL's
      while (!match.empty() && std::string_view(".,;:!?'*_~]").find(match.back()) != std::string_view::npos)
        match.remove_suffix(1);
      return match.size();
    case Pii::email: return match.size();
    case Pii::iban: return longest_group_prefix(match, [](const std::string& s) { return is_iban(s); });
    case Pii::card: return longest_group_prefix(match, [](const std::string& s) { return is_card(s); });
    case Pii::ip: {  // a::b is code and 10:20:30 a time: ask for digits and length
      const bool is_v6 = match.find(':') != std::string_view::npos;
      const bool has_digit = match.find_first_of("0123456789") != std::string_view::npos;
      return !is_v6 || (match.size() >= 7 && has_digit && is_ipv6(std::string(match))) ? match.size() : 0;
    }
    case Pii::phone: {
      const std::string_view number = match.substr(0, match.find_first_of("xXeE"));
      std::size_t digits = 0;
      for (char c : number) digits += is_digit(c);
      const bool is_bare_zero = number.front() == '0' && number.substr(0, 2) != "00";
      return digits >= (is_bare_zero ? 9u : 7u) && digits <= 15 ? match.size() : 0;
    }
  }
  return 0;
}

/// Replaces every find of one class; returns how many there were.
inline Index scrub_class(Pii kind, std::string& text) {
  std::string clean;
  Index count = 0;
  std::size_t copied = 0, from = 0;
  while (from < text.size()) {
    const auto match = pii_pattern(kind).find(text, from);
    if (!match) break;
    const std::size_t begin = match->begin();
    const std::size_t length = accepted_length(kind, std::string_view(text).substr(begin, match->end() - begin));
    if (length == 0) {  // try again one character on: all that patterns match begins with ASCII, except mail
      from = begin + utf8_step(std::string_view(text).substr(begin)).length;
      continue;
    }
    clean.append(text, copied, begin - copied) += placeholder(kind);
    copied = from = begin + length;
    ++count;
  }
  if (count > 0) text = clean.append(text, copied);
  return count;
}

}  // namespace detail

/// `text` with placeholders in place of personal data, and how many of each class. Linear in the text: no pattern can
/// backtrack without bound. Throws FormatError on ill-formed UTF-8, ValueError if a pattern reaches its step limit.
inline Scrubbed scrub(std::string_view text) {
  if (const std::size_t bad = detail::find_ill_formed(text); bad != std::string_view::npos)
    throw FormatError("scrub at byte " + std::to_string(bad) + ": expected well-formed UTF-8");
  Scrubbed result{std::string(text), {}};
  for (Pii kind : pii_classes) result.counts[static_cast<std::size_t>(kind)] = detail::scrub_class(kind, result.text);
  return result;
}

}  // namespace tern
