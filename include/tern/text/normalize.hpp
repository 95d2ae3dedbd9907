#pragma once
/// Unicode normalisation form C and the folding of names, by ICU.
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "tern/core/error.hpp"
#include "tern/text/utf8.hpp"

namespace tern {

namespace detail {

inline void expect_icu(UErrorCode code, std::string_view operation) {
  if (U_FAILURE(code)) throw ValueError("nfc: ICU's " + std::string(operation) + " failed: " + u_errorName(code));
}

inline std::u16string utf8_to_utf16(std::string_view utf8) {
  std::u16string wide(utf8.size(), u'\0');  // never more units than bytes
  UErrorCode code = U_ZERO_ERROR;
  int32_t length = 0;
  u_strFromUTF8(wide.data(), static_cast<int32_t>(wide.size()), &length, utf8.data(), static_cast<int32_t>(utf8.size()),
                &code);
  expect_icu(code, "u_strFromUTF8");
  wide.resize(static_cast<std::size_t>(length));
  return wide;
}

inline std::string utf16_to_utf8(std::u16string_view wide) {
  std::string utf8(3 * wide.size(), '\0');  // a unit is at most three bytes
  UErrorCode code = U_ZERO_ERROR;
  int32_t length = 0;
  u_strToUTF8(utf8.data(), static_cast<int32_t>(utf8.size()), &length, wide.data(), static_cast<int32_t>(wide.size()),
              &code);
  expect_icu(code, "u_strToUTF8");
  utf8.resize(static_cast<std::size_t>(length));
  return utf8;
}

}  // namespace detail

/// `utf8` in normalisation form C. ASCII is returned as it is. Throws FormatError on ill-formed UTF-8 and ValueError on
/// texts beyond ICU's 32-bit lengths (about 680 MB).
inline std::string nfc(std::string_view utf8) {
  const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  if (std::all_of(utf8.begin(), utf8.end(), is_ascii)) return std::string(utf8);
  if (utf8.size() > std::numeric_limits<int32_t>::max() / 3)
    throw ValueError("nfc: expected at most 2^31 / 3 bytes, got " + std::to_string(utf8.size()));
  if (const std::size_t bad = detail::find_ill_formed(utf8); bad != std::string_view::npos)
    throw FormatError("nfc at byte " + std::to_string(bad) + ": expected well-formed UTF-8");

  // Below U+0300, whose first byte is 0xCC, every character is in form C wherever it stands.
  if (std::none_of(utf8.begin(), utf8.end(), [](char c) { return static_cast<unsigned char>(c) >= 0xCC; }))
    return std::string(utf8);

  UErrorCode code = U_ZERO_ERROR;
  const UNormalizer2* const form_c = unorm2_getNFCInstance(&code);
  detail::expect_icu(code, "unorm2_getNFCInstance");
  const std::u16string wide = detail::utf8_to_utf16(utf8);
  const auto wide_length = static_cast<int32_t>(wide.size());
  const int32_t normal = unorm2_spanQuickCheckYes(form_c, wide.data(), wide_length, &code);
  detail::expect_icu(code, "unorm2_spanQuickCheckYes");
  if (normal == wide_length) return std::string(utf8);

  std::u16string composed(wide.size() + wide.size() / 8 + 16, u'\0');
  int32_t length =
      unorm2_normalize(form_c, wide.data(), wide_length, composed.data(), static_cast<int32_t>(composed.size()), &code);
  if (code == U_BUFFER_OVERFLOW_ERROR) {  // rare: a few characters have exclusions that decompose
    code = U_ZERO_ERROR;
    composed.resize(static_cast<std::size_t>(length));
    length = unorm2_normalize(form_c, wide.data(), wide_length, composed.data(), length, &code);
  }
  detail::expect_icu(code, "unorm2_normalize");
  composed.resize(static_cast<std::size_t>(length));
  return detail::utf16_to_utf8(composed);
}

/// `utf8` as names are compared: form C, letters of any alphabet folded, marks of direction gone, white space as one
/// space. Throws as nfc().
inline std::string folded(std::string_view utf8) {
  const std::u16string wide = detail::utf8_to_utf16(nfc(utf8));
  std::u16string fold(2 * wide.size() + 16, u'\0');
  UErrorCode code = U_ZERO_ERROR;
  int32_t length = u_strFoldCase(fold.data(), static_cast<int32_t>(fold.size()), wide.data(),
                                 static_cast<int32_t>(wide.size()), U_FOLD_CASE_DEFAULT, &code);
  if (code == U_BUFFER_OVERFLOW_ERROR) {  // a letter may fold into three
    code = U_ZERO_ERROR;
    fold.resize(static_cast<std::size_t>(length));
    length =
        u_strFoldCase(fold.data(), length, wide.data(), static_cast<int32_t>(wide.size()), U_FOLD_CASE_DEFAULT, &code);
  }
  detail::expect_icu(code, "u_strFoldCase");
  std::u16string plain;
  for (const char16_t c : fold.substr(0, static_cast<std::size_t>(length))) {
    const bool is_mark = c == u'\u061C' || c == u'\u200E' || c == u'\u200F' || (c >= u'\u202A' && c <= u'\u202E') ||
                         (c >= u'\u2066' && c <= u'\u2069') || c == u'\uFEFF';
    if (is_mark) continue;
    if (!u_isUWhiteSpace(c))
      plain += c;
    else if (!plain.empty() && plain.back() != u' ')
      plain += u' ';
  }
  while (!plain.empty() && plain.back() == u' ') plain.pop_back();
  return nfc(detail::utf16_to_utf8(plain));
}

}  // namespace tern
