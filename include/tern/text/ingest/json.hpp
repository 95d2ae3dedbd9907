#pragma once
/// What the JSON readers share.
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "tern/core/error.hpp"
#include "tern/core/matrix.hpp"
#include "tern/core/quote.hpp"
#include "tern/text/lines.hpp"

namespace tern::detail {

using Json = nlohmann::json;

/// The value of the four hexadecimal digits of an escape \uXXXX at `at`, or -1 where there is none.
inline int utf16_escape(std::string_view text, std::size_t at) {
  if (text.substr(at, 2) != "\\u" || text.size() < at + 6) return -1;
  int value = 0;
  for (const char c : lower(text.substr(at + 2, 4))) {
    if (!is_digit(c) && !(c >= 'a' && c <= 'f')) return -1;
    value = 16 * value + (is_digit(c) ? c - '0' : c - 'a' + 10);
  }
  return value;
}

/// Puts \ufffd in place of each half of a surrogate pair that stands alone, as programs leave them where they cut a
/// text by its units of UTF-16; the JSON parser would refuse the whole file. Returns how many there were.
inline Index mend_surrogates(std::string& json) {
  Index mended = 0;
  for (std::size_t at = 0; (at = json.find('\\', at)) != std::string::npos;) {
    const int unit = utf16_escape(json, at);
    if (unit < 0xD800 || unit > 0xDFFF) {
      at += unit < 0 ? 2 : 6;  // an escape of two characters may be an escaped backslash
      continue;
    }
    const int next = unit < 0xDC00 ? utf16_escape(json, at + 6) : -1;
    if (next >= 0xDC00 && next <= 0xDFFF) {
      at += 12;
      continue;
    }
    json.replace(at, 6, "\\ufffd");
    at += 6;
    ++mended;
  }
  return mended;
}

/// Throws FormatError naming `source` and, of its grammar, the byte where the JSON breaks.
inline Json parse_json(std::string_view text, std::string_view source, const Json::parser_callback_t& on = nullptr) {
  try {
    return Json::parse(text, on);
  } catch (const Json::parse_error& error) {
    throw FormatError("json " + in_quotes(source) + " at byte " + std::to_string(error.byte) + ": " +
                      shown(error.what()));
  } catch (const Json::exception& error) {  // a number that no double holds
    throw FormatError("json " + in_quotes(source) + ": " + shown(error.what()));
  }
}

/// The string field `key` of an object; empty where there is none.
inline std::string string_field(const Json& object, std::string_view key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace tern::detail
