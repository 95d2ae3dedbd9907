#pragma once
/// A guess at a text's language: by its script, and for scripts that many share by its commonest words.
#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "tern/core/matrix.hpp"
#include "tern/text/lines.hpp"

namespace tern {

namespace detail {

/// Characters of each script among the first `most` bytes.
inline std::map<UScriptCode, Index> count_scripts(std::string_view text, std::size_t most = 200'000) {
  std::map<UScriptCode, Index> counts;
  const auto size = static_cast<std::int64_t>(std::min(text.size(), most));
  for (std::int64_t i = 0; i < size;) {
    UChar32 c;
    U8_NEXT(text.data(), i, size, c);
    if (c <= 0 || !u_isalpha(c)) continue;
    UErrorCode code = U_ZERO_ERROR;
    ++counts[uscript_getScript(c, &code)];
  }
  return counts;
}

/// The language of whose words most are in the text; "und" where fewer than one in fifty is anyone's.
inline std::string language_by_words(std::string_view text, UScriptCode script) {
  struct Row {
    std::string_view language;
    UScriptCode script;
    std::string_view words;  // between spaces
  };
  static constexpr std::array rows = {
      Row{"en", USCRIPT_LATIN, " the and of to is that it was you for with not this but have "},
      Row{"de", USCRIPT_LATIN, " der die das und ist nicht ich ein zu mit es auf auch sich den "},
      Row{"fr", USCRIPT_LATIN, " le la les et est pas que je un une des pour dans il vous "},
      Row{"es", USCRIPT_LATIN, " el la los y es no que en un una por con se para como "},
      Row{"it", USCRIPT_LATIN, " il che di è non un una per con sono anche della più ma si "},
      Row{"pt", USCRIPT_LATIN, " o não que em um uma os para com do da você mais é se "},
      Row{"nl", USCRIPT_LATIN, " de het een en is niet ik van dat op je maar voor met zijn "},
      Row{"sv", USCRIPT_LATIN, " och det att är inte jag en som på för med har till den av "},
      Row{"da", USCRIPT_LATIN, " og det at er ikke jeg en som på for med har til af der "},
      Row{"no", USCRIPT_LATIN, " og det å er ikke jeg en som på for med har til av også "},
      Row{"fi", USCRIPT_LATIN, " ja on ei se että hän oli mutta niin kun en olen tämä mitä nyt "},
      Row{"pl", USCRIPT_LATIN, " i w nie się na to że jest z do jak ale co już tak "},
      Row{"cs", USCRIPT_LATIN, " a je se na to že v ne jsem ale jak tak do by už "},
      Row{"hu", USCRIPT_LATIN, " a az és nem hogy egy is meg ez de van csak már mint volt "},
      Row{"ro", USCRIPT_LATIN, " și nu a în de la cu că este un o pe mai din pentru "},
      Row{"tr", USCRIPT_LATIN, " ve bir bu da de için çok ne ama var değil gibi daha ben o "},
      Row{"id", USCRIPT_LATIN, " yang dan di ini itu tidak dengan untuk saya ada dari aku juga akan ke "},
      Row{"vi", USCRIPT_LATIN, " và là của không có được cho một tôi này với người các đã trong "},
      Row{"ca", USCRIPT_LATIN, " i el la no és que els amb per una en del ho però més "},
      Row{"ru", USCRIPT_CYRILLIC, " и в не на что я с это как но он она по так же "},
      Row{"uk", USCRIPT_CYRILLIC, " і в не на що я з це як але він вона та ти й "},
      Row{"bg", USCRIPT_CYRILLIC, " и в не на че аз с това как но той тя да се е "},
      Row{"sr", USCRIPT_CYRILLIC, " и у не на да је се то што али он она са за ја "},
      Row{"ar", USCRIPT_ARABIC, " في من على أن لا ما هذا إلى كان مع و عن هذه أنا يا "},
      Row{"fa", USCRIPT_ARABIC, " و در به از که این را با است آن من تو هم برای یک "},
      Row{"ur", USCRIPT_ARABIC, " کے میں کی ہے اور سے کا کو اس نے یہ پر نہیں ہیں کہ "},
      Row{"hi", USCRIPT_DEVANAGARI, " है के में की और से का को नहीं यह पर हैं मैं कि भी "},
      Row{"mr", USCRIPT_DEVANAGARI, " आहे आणि मी हे ते नाही या तो ती आहेत पण की होते काय माझ्या "}};
  std::map<std::string_view, Index> counts;
  Index words = 0;
  text = text.substr(0, 200'000);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(" \n\t.,;:!?\"()"), text.size());
    const std::string word = ' ' + lower(text.substr(0, end)) + ' ';
    text.remove_prefix(std::min(text.size(), end + 1));
    if (end == 0) continue;
    ++words;
    for (const Row& row : rows)
      if (row.script == script && row.words.find(word) != std::string_view::npos) ++counts[row.language];
  }
  const auto rarer = [](const auto& a, const auto& b) { return a.second < b.second; };
  const auto most = std::max_element(counts.begin(), counts.end(), rarer);
  return most == counts.end() || 50 * most->second < words ? "und" : std::string(most->first);
}

}  // namespace detail

/// The ISO 639 code of the language that `text` is most likely in, "und" where nothing shows it.
inline std::string guess_language(std::string_view text) {
  const std::map<UScriptCode, Index> scripts = detail::count_scripts(text);
  const auto rarer = [](const auto& a, const auto& b) { return a.second < b.second; };
  const auto most = std::max_element(scripts.begin(), scripts.end(), rarer);
  if (most == scripts.end()) return "und";
  if (scripts.count(USCRIPT_HIRAGANA) > 0 && 5 * scripts.at(USCRIPT_HIRAGANA) > most->second) return "ja";
  constexpr std::array<std::pair<UScriptCode, const char*>, 17> alone = {{{USCRIPT_HAN, "zh"},
                                                                          {USCRIPT_HANGUL, "ko"},
                                                                          {USCRIPT_GREEK, "el"},
                                                                          {USCRIPT_HEBREW, "he"},
                                                                          {USCRIPT_THAI, "th"},
                                                                          {USCRIPT_MALAYALAM, "ml"},
                                                                          {USCRIPT_TAMIL, "ta"},
                                                                          {USCRIPT_TELUGU, "te"},
                                                                          {USCRIPT_KANNADA, "kn"},
                                                                          {USCRIPT_BENGALI, "bn"},
                                                                          {USCRIPT_GUJARATI, "gu"},
                                                                          {USCRIPT_GURMUKHI, "pa"},
                                                                          {USCRIPT_GEORGIAN, "ka"},
                                                                          {USCRIPT_ARMENIAN, "hy"},
                                                                          {USCRIPT_ETHIOPIC, "am"},
                                                                          {USCRIPT_SINHALA, "si"},
                                                                          {USCRIPT_KATAKANA, "ja"}}};
  for (const auto& [script, language] : alone)
    if (most->first == script) return language;
  return detail::language_by_words(text, most->first);
}

}  // namespace tern
