#pragma once
/// Strict UTF-8: every text enters tern through decode_utf8, which rejects or counts what is not text.
#include <cstddef>
#include <string>
#include <string_view>

#include "tern/core/error.hpp"
#include "tern/core/matrix.hpp"

namespace tern {

/// What to do with bytes that are not text.
enum class BadBytes {
  error,    ///< throw FormatError at the first of them
  replace,  ///< put U+FFFD in their place and count
};

/// Well-formed UTF-8 and how many U+FFFD stand in for something else.
struct Utf8Result {
  std::string text;
  Index replaced = 0;
};

namespace detail {

inline constexpr std::string_view replacement_character = "\xEF\xBF\xBD";
inline constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

/// One step of decoding: the bytes it covers, and why they are wrong (nullptr when they are a character).
struct Utf8Step {
  std::size_t length;
  const char* fault;
};

/// Reads one character at the start of non-empty `bytes`, by table 3-7 of the Unicode standard. A fault covers the
/// maximal subpart, the longest prefix that some character begins with, so that replacing agrees with W3C and Python.
inline Utf8Step utf8_step(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned lead = at(0);
  if (lead < 0x80) return {1, nullptr};
  if (lead < 0xC0) return {1, "a stray continuation byte"};
  if (lead < 0xC2) return {1, "an overlong form"};
  if (lead > 0xF4) return {1, lead > 0xF7 ? "a byte that UTF-8 never uses" : "a code point above U+10FFFF"};

  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (bytes.size() < 2) return {1, "a truncated character"};
  const unsigned second = at(1);
  if ((second & 0xC0) != 0x80) return {1, "a truncated character"};
  if ((lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90)) return {1, "an overlong form"};
  if (lead == 0xED && second > 0x9F) return {1, "a surrogate"};
  if (lead == 0xF4 && second > 0x8F) return {1, "a code point above U+10FFFF"};
  for (std::size_t i = 2; i < length; ++i)
    if (i == bytes.size() || (at(i) & 0xC0) != 0x80) return {i, "a truncated character"};
  return {length, nullptr};
}

/// Offset of the first byte that breaks UTF-8, or npos. NUL and U+FEFF are characters like others here.
inline std::size_t find_ill_formed(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size();) {
    const Utf8Step step = utf8_step(bytes.substr(i));
    if (step.fault) return i;
    i += step.length;
  }
  return std::string_view::npos;
}

}  // namespace detail

/// The text in `bytes`, which came from `source` (a path, for messages). Not text are: ill-formed UTF-8 (overlong,
/// surrogates, above U+10FFFF, cut short), NUL, and a byte-order mark at the start. Elsewhere U+FEFF is a character.
/// Throws FormatError naming `source` and the byte's offset, or replaces each fault by one U+FFFD.
inline Utf8Result decode_utf8(std::string_view bytes, std::string_view source, BadBytes policy) {
  Utf8Result result;
  result.text.reserve(bytes.size());
  for (std::size_t i = 0; i < bytes.size();) {
    const std::string_view rest = bytes.substr(i);
    detail::Utf8Step step = detail::utf8_step(rest);
    if (rest.front() == '\0') step.fault = "NUL";
    if (i == 0 && rest.substr(0, 3) == detail::byte_order_mark) step.fault = "a byte-order mark";
    if (!step.fault) {
      result.text += rest.substr(0, step.length);
    } else if (policy == BadBytes::replace) {
      result.text += detail::replacement_character;
      ++result.replaced;
    } else {
      throw FormatError("text '" + std::string(source) + "' at byte " + std::to_string(i) +
                        ": expected a UTF-8 character, got " + step.fault);
    }
    i += step.length;
  }
  return result;
}

}  // namespace tern
