#pragma once
/// What personal data looks like: the searches of anonymize.hpp, in their order.
#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "tern/text/lines.hpp"
#include "tern/text/pattern.hpp"

namespace tern {

/// Classes of personal data, about in the order in which they are looked for: what one has taken, no later one sees.
enum class Pii { url, email, iban, card, ip, phone };
inline constexpr std::array pii_classes = {Pii::url, Pii::email, Pii::iban, Pii::card, Pii::ip, Pii::phone};

namespace detail {

/// One search through a text. A class may need two: bare domains wait for mail addresses, which hold some.
struct PiiSearch {
  Pii kind;
  Pattern pattern;
  /// False only of texts in which the pattern finds nothing that is accepted: most texts are spared most searches.
  bool (*may_find)(std::string_view text);
};

inline bool holds_caseless(std::string_view text, std::string_view lower_case) {
  const auto same = [](char a, char b) { return (is_upper(a) ? static_cast<char>(a - 'A' + 'a') : a) == b; };
  return std::search(text.begin(), text.end(), lower_case.begin(), lower_case.end(), same) != text.end();
}

inline bool holds_digits(std::string_view text, std::ptrdiff_t least) {
  return std::count_if(text.begin(), text.end(), is_digit) >= least;
}

inline bool may_hold_url(std::string_view text) {
  return text.find("://") != std::string_view::npos || holds_caseless(text, "www") || holds_caseless(text, "magnet:");
}

inline bool may_hold_email(std::string_view text) {
  return text.find_first_of("@[({<") != std::string_view::npos || text.find(" AT ") != std::string_view::npos ||
         holds_caseless(text, "dot");
}

inline bool may_hold_domain(std::string_view text) {
  for (std::size_t dot = 0; (dot = text.find('.', dot)) != std::string_view::npos;)
    if (++dot < text.size() && text[dot] >= 'a' && text[dot] <= 'z') return true;
  return false;
}

inline bool may_hold_ip(std::string_view text) {
  return holds_digits(text, 1) &&
         (std::count(text.begin(), text.end(), '.') >= 3 || std::count(text.begin(), text.end(), ':') >= 2);
}

// In these patterns \h-like separators are spelt out: space, no-break space (a0), narrow no-break space (202f).
inline const std::array<PiiSearch, 7>& pii_searches() {
  static const std::array<PiiSearch, 7> searches = {{
      {Pii::url,
       Pattern("url", R"re(
        (?: \b (?:https?|s?ftps?|wss?|ssh|git|file|smb|ldap|irc|rtsp|s3) :// | \bmagnet:\? | \bwww\d?\. (?=[a-z\d]) )
        (?: \( [^\s()<>"]*+ \)
          | [!\#$%&'*+,./:;=?@\[\]_~\w-]
          | (?! [\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}] ) [\p{L}\p{M}] ){2,}+ )re",
               PCRE2_CASELESS),
       may_hold_url},
      {Pii::email,
       Pattern("email", R"re(
        (?(DEFINE) (?<letter> (?! [\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}] ) [\p{L}\p{N}\p{M}] )
                   (?<dot> \. | \s? [\[({<] \s? (?:dot|punkt|point|punto) \s? [\])}>] \s? ) )
        (?<! [\p{Latin}\p{Cyrillic}\p{Greek}\p{N}._%+-] )
        (?&letter) (?: (?&letter) | [._%+'-] ){0,63}+
        (?: @ | [ ]@[ ] | \s? [\[({<] \s? (?:at|arroba|chez) \s? [\])}>] \s? | (?-i:\ AT\ ) )
        (?: (?&letter) (?: (?&letter) | - ){0,62}+ (?: (?&dot) | (?-i:\ DOT\ ) ) ){1,6}
        (?! (?:png|jpe?g|gif|svg|webp)\b ) (?: xn--[a-z\d-]{2,40} | (?&letter){2,24}+ ) (?<! \d )
      | \b (?: [a-z\d_-]{1,40} \s dot \s ){0,3} [a-z\d][a-z\d._-]{1,40} \s at \s
        (?: [a-z\d][a-z\d-]{0,40} \s dot \s ){1,3}
        (?:com|org|net|edu|gov|de|fr|in|es|it|co|io|uk|eu|nl|ch) \b
      | [\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]{1,4} @ (?: [\p{L}\p{N}-]{1,30} \. ){1,4}  # no spaces mark it off
        (?:公司|网络|網路|中国|中國|台湾|台灣|香港|新加坡|公益|在线|中文网|みんな|コム|닷컴|닷넷|한국|com|org|net|cn|jp|kr|tw|hk)
        (?! [a-z\d] ) )re",
               PCRE2_CASELESS),
       may_hold_email},
      {Pii::url, Pattern("bare domain", R"re(
        (?<! [@\w./-] ) (?: [a-z\d] [a-z\d-]{0,62} \. ){1,4}
        (?: (?:com|org|net|edu|gov) (?:\.[a-z]{2})? (?! [\w(@-] | \.\w ) (?: / [^\s()<>"]*+ )?
          | (?:io|me|ly|gl|co|de|fr|uk|eu|es|it|nl|ch|at|be|se|no|dk|fi|pl|pt|br|au|ca|us|jp|cn|in|ru|tv|gg|to|dev|app
              |info|blog|name) / [^\s()<>"]++ ) )re"),
       may_hold_domain},
      {Pii::iban,
       Pattern("iban", R"re(
        (?<! [\p{L}\p{N}] ) [A-Z]{2} [ ]? \d{2} (?: [ .\x{a0}\x{202f}-]? [A-Z\d] ){11,30}+ )re",
               PCRE2_CASELESS),
       [](std::string_view text) { return holds_digits(text, 2); }},
      {Pii::card, Pattern("card", R"re(
        (?<! [A-Za-z\d@] | \d[.,] ) \d (?: [ .\x{a0}\x{202f}\x{2013}-]{0,2} \d ){12,22} (?! [A-Za-z\d] ) )re"),
       [](std::string_view text) { return holds_digits(text, 13); }},
      {Pii::ip,
       Pattern("ip", R"re(
        (?(DEFINE) (?<octet> 25[0-5] | 2[0-4]\d | 1\d\d | [1-9]?\d ) )
        (?<! [A-Za-z\d_.] )
        (?<! \bversion\  | \brelease\  | \bsection\  | \bfirmware\  | \bbuild\  | \bver\.\  | \bver\  | \bv\  )
        (?: (?&octet) \. ){3} (?&octet) (?! [A-Za-z\d_] | \.\d )
      | (?<! [A-Za-z\d_:.] ) (?= [\da-f]*+ : ) (?: [\da-f]{0,4} : ){2,7}+
        (?: (?: \d{1,3} \. ){3} \d{1,3} | [\da-f]{0,4} ) (?! [A-Za-z\d_:] ) )re",
               PCRE2_CASELESS),
       may_hold_ip},
      {Pii::phone,
       Pattern("phone", R"re(
        (?(DEFINE)
          (?<sep> [ .\-/\x{a0}\x{202f}\x{2010}\x{2011}\x{2013}] )
          (?<date> (?: [0-3]?\d [./-] [01]?\d | [01]?\d [./-] [0-3]?\d ) [./-] (?:19|20)?\d\d (?! \d | [./-]\d ) )
          (?<cue> \b (?: tel|telephone|phone|ph|mobile|mob|cell|fax|call|ring|text|sms|whatsapp|telefon|handy
                       |tél|téléphone|portable|tel[eé]fono|móvil|ഫോൺ|电话|電話|手机 ) \b | [☎📞📱] ) )
        (?<! [A-Za-z\d_+] | [ ]- ) (?<! \d[ ./:-] | \d[.,]\  ) (?! (?&date) | 0123456789 )
        (?: (?: \+ | 00 [ .-]? (?=[1-9]) ) \(? [1-9]\d{0,3} \)? (?: (?&sep){0,3} \(? \d{1,5} \)? ){1,6}  # +49 (0) 30 12345
          | (?: 1 (?&sep) )? (?: \( [2-9]\d\d \) (?&sep)? | [2-9]\d\d (?&sep) ) [2-9]\d\d (?&sep) \d{4}  # (202) 555-0143
          | \( 0\d{1,5} \) [ ]? \d{2,5} (?: [ -]? \d{2,5} ){0,3}  # (020) 7946 0958
          | 0[1-9]\d{0,3} (?: (?&sep){1,2} \d{2,8} ){1,5}  # 06.39.98.12.34
          | 0[1-9]\d{8,9}  # 07700900123
          | [6-9]\d{4} [ -]? \d{5}  # 98470 12345
          | 1[3-9]\d [ -]? \d{4} [ -]? \d{4}  # 138 0013 8000
          | 8 [ -]? \(? \d{3} \)? [ -] \d{3} [ -] \d{2} [ -]? \d{2}  # 8 (495) 123-45-67
          | \( \d{2} \) [ ]? 9? [ ]? \d{4} [ -] \d{4}  # (11) 91234-5678
          | [6-9]\d{2} [ ] \d{2} [ ] \d{2} [ ] \d{2}  # 612 34 56 78
          | 3\d{2} [ /.-] \d{6,7} )  # 347 1234567
        (?: \s? (?:x|ext\.?) \s? \d{1,5} )? (?! \d | [.,:/-]\d | [ ]?% )
      | (?<! [\w@] ) @ \+? [1-9]\d{8,14} (?! [\w@] )  # a mention in a chat: @491700000123
      | (?&cue) (?: \s (?:me|us|him|her|number|no|is|at|on) ){0,3} [.:\#]{0,2} \s{0,2} \K
        \(? \d{2,5} \)? (?: (?&sep)? \d{2,5} ){1,4} (?! \d | [.,:]\d ) )re",
               PCRE2_CASELESS),
       [](std::string_view text) { return holds_digits(text, 7); }},
  }};
  return searches;
}

}  // namespace detail
}  // namespace tern
