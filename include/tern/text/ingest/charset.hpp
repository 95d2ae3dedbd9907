#pragma once
/// Bytes become text: files by their byte order mark, parts of mails by the charset label they carry.
#include <unicode/ucnv.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "tern/core/quote.hpp"
#include "tern/text/lines.hpp"
#include "tern/text/normalize.hpp"
#include "tern/text/utf8.hpp"

namespace tern::detail {

/// ICU's converter for a charset label as browsers read it (https://encoding.spec.whatwg.org/#names-and-labels): a
/// label often names less than what programs write under it, iso-8859-1 stands for windows-1252 and gb2312 for gb18030.
/// "utf-8" for UTF-8; empty for a label that no browser knows. `label` is trimmed and in lower case.
inline std::string_view encoding_of(std::string_view label) {
  struct Row {
    std::string_view icu, labels;  // labels between spaces
  };
  static constexpr std::array rows = {
      Row{"utf-8", " unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8 "},
      Row{"windows-1252",
          " ansi_x3.4-1968 cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 iso_8859-1 "
          "iso_8859-1:1987 l1 latin1 windows-1252 x-cp1252 "},
      Row{"iso-8859-2", " csisolatin2 iso-8859-2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2 "},
      Row{"iso-8859-3", " csisolatin3 iso-8859-3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3 "},
      Row{"iso-8859-4", " csisolatin4 iso-8859-4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4 "},
      Row{"iso-8859-5",
          " csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso8859-5 iso88595 iso_8859-5 iso_8859-5:1988 "},
      Row{"iso-8859-6",
          " arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6 iso-8859-6-e iso-8859-6-i "
          "iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987 "},
      Row{"iso-8859-7",
          " csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126 iso8859-7 iso88597 iso_8859-7 "
          "iso_8859-7:1987 sun_eu_greek "},
      Row{"iso-8859-8",
          " csiso88598e csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e iso-ir-138 iso8859-8 iso88598 iso_8859-8 "
          "iso_8859-8:1988 visual csiso88598i iso-8859-8-i logical "},
      Row{"iso-8859-10", " csisolatin6 iso-8859-10 iso-ir-157 iso8859-10 iso885910 l6 latin6 "},
      Row{"iso-8859-13", " iso-8859-13 iso8859-13 iso885913 "},
      Row{"iso-8859-14", " iso-8859-14 iso8859-14 iso885914 "},
      Row{"iso-8859-15", " csisolatin9 iso-8859-15 iso8859-15 iso885915 iso_8859-15 l9 "},
      Row{"windows-874", " dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874 "},
      Row{"windows-1250", " cp1250 windows-1250 x-cp1250 "},
      Row{"windows-1251", " cp1251 windows-1251 x-cp1251 "},
      Row{"windows-1253", " cp1253 windows-1253 x-cp1253 "},
      Row{"windows-1254",
          " cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5 latin5 "
          "windows-1254 x-cp1254 "},
      Row{"windows-1255", " cp1255 windows-1255 x-cp1255 "},
      Row{"windows-1256", " cp1256 windows-1256 x-cp1256 "},
      Row{"windows-1257", " cp1257 windows-1257 x-cp1257 "},
      Row{"windows-1258", " cp1258 windows-1258 x-cp1258 "},
      Row{"ibm866", " 866 cp866 csibm866 ibm866 "},
      Row{"koi8-r", " cskoi8r koi koi8 koi8-r koi8_r "},
      Row{"koi8-u", " koi8-ru koi8-u "},
      Row{"macintosh", " csmacintosh mac macintosh x-mac-roman "},
      Row{"x-mac-cyrillic", " x-mac-cyrillic x-mac-ukrainian "},
      Row{"gb18030", " chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58 x-gbk gb18030 cp936 "},
      Row{"Big5-HKSCS", " big5 big5-hkscs cn-big5 csbig5 x-x-big5 "},
      Row{"euc-jp-2007", " cseucpkdfmtjapanese euc-jp x-euc-jp "},
      Row{"ISO-2022-JP", " csiso2022jp iso-2022-jp "},
      Row{"ibm-943_P15A-2003", " csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis cp932 "},
      Row{"windows-949",
          " cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 "
          "windows-949 cp949 "},
      Row{"UTF-16BE", " unicodefffe utf-16be "},
      Row{"UTF-16LE", " csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le "},
      // No browser reads these, for fear of scripts in pages; old mails hold them.
      Row{"UTF-7", " utf-7 unicode-1-1-utf-7 "},
      Row{"HZ-GB-2312", " hz-gb-2312 "},
      Row{"ISO-2022-KR", " csiso2022kr iso-2022-kr "},
  };
  if (label.empty() || label.find(' ') != std::string_view::npos) return {};
  const std::string wanted = ' ' + std::string(label) + ' ';
  const auto row =
      std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return r.labels.find(wanted) != std::string::npos; });
  return row == rows.end() ? std::string_view{} : row->icu;
}

/// `bytes` of ICU's converter `name`; what it lacks becomes U+FFFD. Throws ValueError where ICU fails.
inline Utf8Result convert(std::string_view bytes, std::string_view name) {
  UErrorCode code = U_ZERO_ERROR;
  const std::unique_ptr<UConverter, decltype(&ucnv_close)> converter(ucnv_open(std::string(name).c_str(), &code),
                                                                     ucnv_close);
  expect_icu(code, "ucnv_open");
  constexpr std::size_t most = std::size_t{1} << 28;
  if (bytes.size() > most)
    throw ValueError("charset: expected at most 2^28 bytes, got " + std::to_string(bytes.size()));
  std::u16string wide(2 * bytes.size() + 16, u'\0');
  const int32_t length = ucnv_toUChars(converter.get(), wide.data(), static_cast<int32_t>(wide.size()), bytes.data(),
                                       static_cast<int32_t>(bytes.size()), &code);
  expect_icu(code, "ucnv_toUChars");
  wide.resize(static_cast<std::size_t>(length));
  Index replaced = 0;
  for (char16_t& unit : wide) {
    if (unit == u'\u001A') unit = u'\uFFFD';  // what ICU writes for a byte that some charsets lack
    replaced += unit == u'\uFFFD';
  }
  Utf8Result result = decode_utf8(utf16_to_utf8(wide), "", BadBytes::replace);
  result.replaced += replaced;
  return result;
}

/// A file's text: UTF-8, or UTF-16 where its byte order mark says so; the mark is dropped. What is not text, NUL among
/// it, becomes U+FFFD and is counted.
inline Utf8Result decode_file(std::string_view bytes) {
  if (bytes.starts_with(byte_order_mark)) bytes.remove_prefix(byte_order_mark.size());
  if (bytes.starts_with("\xFF\xFE")) return convert(bytes.substr(2), "UTF-16LE");
  if (bytes.starts_with("\xFE\xFF")) return convert(bytes.substr(2), "UTF-16BE");
  return decode_utf8(bytes, "", BadBytes::replace);
}

/// `bytes` of a charset by its label, see encoding_of. ASCII, no label and labels that nobody knows mean UTF-8 where
/// the bytes are UTF-8, else windows-1252, as mail programs guess.
inline Utf8Result decode_charset(std::string_view bytes, std::string_view label) {
  const std::string plain = lower(trim(label));
  std::string_view encoding = encoding_of(plain);
  if (encoding.empty()) encoding = find_ill_formed(bytes) == std::string_view::npos ? "utf-8" : "windows-1252";
  if (encoding == "utf-8" || encoding.starts_with("UTF-16")) {
    if (encoding != "utf-8" && !bytes.starts_with("\xFF\xFE") && !bytes.starts_with("\xFE\xFF"))
      return convert(bytes, encoding);
    return decode_file(bytes);
  }
  return convert(bytes, encoding);
}

/// Whether so much of a text is U+FFFD for bad bytes that it is no text: over one character in a hundred. A part of a
/// file (a mail, a record) may hold three whatever its length: it is small, and the rest of it is a person's words.
inline bool is_mostly_bad(const Utf8Result& text, bool is_part = false) {
  if (text.replaced == 0 || (is_part && text.replaced <= 3)) return false;
  const auto characters = std::count_if(text.text.begin(), text.text.end(),
                                        [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
  return 100 * text.replaced > characters;
}

}  // namespace tern::detail
