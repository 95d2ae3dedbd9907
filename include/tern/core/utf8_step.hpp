#pragma once
/// One character of UTF-8 after the other.
#include <cstddef>
#include <string_view>

namespace tern::detail {

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

}  // namespace tern::detail
