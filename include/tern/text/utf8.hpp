#pragma once
/// Strict UTF-8: every text enters tern through decode_utf8, which rejects or counts what is not text.
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "tern/core/error.hpp"
#include "tern/core/matrix.hpp"
#include "tern/core/utf8_step.hpp"

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

/// Offset of the first byte that breaks UTF-8, or npos. NUL and U+FEFF are characters like others here.
inline std::size_t find_ill_formed(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size();) {
    if (static_cast<unsigned char>(bytes[i]) < 0x80) {
      ++i;
      continue;
    }
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
  if (detail::find_ill_formed(bytes) == std::string_view::npos && bytes.find('\0') == std::string_view::npos &&
      !bytes.starts_with(detail::byte_order_mark)) {  // as almost always
    result.text = bytes;
    return result;
  }
  result.text.reserve(bytes.size());
  const auto is_plain = [](char c) { return c != '\0' && static_cast<unsigned char>(c) < 0x80; };  // ASCII but NUL
  for (std::size_t i = 0; i < bytes.size();) {
    const std::string_view rest = bytes.substr(i);
    if (is_plain(rest.front())) {
      const auto run = static_cast<std::size_t>(std::find_if_not(rest.begin(), rest.end(), is_plain) - rest.begin());
      result.text += rest.substr(0, run);
      i += run;
      continue;
    }
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
