#pragma once
/// A guess at a text's language, by CLD2 (Dick Sites, 2013): runs of four letters, and words, under a naive Bayes model
/// of 83 languages. docs/people.md says how often it is right.
#include <algorithm>
#include <array>
#include <cstdio>  // CLD2's header names FILE and std::vector without including them
#include <string>
#include <string_view>
#include <vector>

#include <cld2/public/compact_lang_det.h>

#include "tern/text/utf8.hpp"

namespace tern {

/// The ISO 639 code of the language that most of `text` is in, whatever its region or script; "und" where nothing shows
/// it, and for ill-formed UTF-8. At most the first 200,000 bytes are looked at.
inline std::string guess_language(std::string_view text) {
  std::size_t size = std::min<std::size_t>(text.size(), 200'000);
  while (size < text.size() && size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  text = text.substr(0, size);
  if (detail::find_ill_formed(text) != std::string_view::npos) return "und";
  std::array<CLD2::Language, 3> languages{};
  std::array<int, 3> percents{};
  int text_bytes = 0;
  bool is_reliable = false;
  const CLD2::Language language =  // the simpler calls take what they do not know for English
      CLD2::ExtDetectLanguageSummary(text.data(), static_cast<int>(text.size()), /*is_plain_text=*/true,
                                     languages.data(), percents.data(), &text_bytes, &is_reliable);
  std::string code = CLD2::LanguageCode(language);
  code = code.substr(0, code.find('-'));
  if (code == "un" || code == "xx" || code.size() > 3) return "und";
  return code == "iw" ? "he" : code == "jw" ? "jv" : code;
}

}  // namespace tern
