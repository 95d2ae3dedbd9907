#pragma once
/// Text in the charsets that mails come in, by ICU.
#include <unicode/ucnv.h>

#include <memory>
#include <string>
#include <string_view>

#include "tern/text/lines.hpp"
#include "tern/text/normalize.hpp"
#include "tern/text/utf8.hpp"

namespace tern::detail {

/// `bytes` of the named charset as UTF-8. No name, ASCII and UTF-8 all mean UTF-8. Throws FormatError naming `source`
/// for an unknown charset; bytes that the charset lacks throw too, or are replaced by U+FFFD and counted.
inline Utf8Result decode_charset(std::string_view bytes, const std::string& charset, std::string_view source,
                                 BadBytes policy) {
  const std::string plain = lower(charset);
  if (plain.empty() || plain == "utf-8" || plain == "utf8" || plain == "us-ascii" || plain == "ascii")
    return decode_utf8(bytes, source, policy);
  const auto fail = [&](const std::string& what) {
    throw FormatError("text '" + std::string(source) + "' in charset '" + charset + "': " + what);
  };
  UErrorCode code = U_ZERO_ERROR;
  const std::unique_ptr<UConverter, decltype(&ucnv_close)> converter(ucnv_open(charset.c_str(), &code), ucnv_close);
  if (U_FAILURE(code)) fail("expected a charset that ICU knows");

  if (bytes.size() > std::size_t{1} << 29) fail("expected at most 2^29 bytes, got " + std::to_string(bytes.size()));
  std::u16string wide(2 * bytes.size() + 16, u'\0');
  const int32_t length = ucnv_toUChars(converter.get(), wide.data(), static_cast<int32_t>(wide.size()), bytes.data(),
                                       static_cast<int32_t>(bytes.size()), &code);
  if (U_FAILURE(code)) fail(std::string("cannot convert: ") + u_errorName(code));
  wide.resize(static_cast<std::size_t>(length));
  Index replaced = 0;
  for (char16_t unit : wide) replaced += unit == u'\uFFFD';
  if (replaced > 0 && policy == BadBytes::error) fail("expected its characters, got a byte that it lacks");
  Utf8Result result = decode_utf8(utf16_to_utf8(wide), source, policy);
  result.replaced += replaced;
  return result;
}

}  // namespace tern::detail
