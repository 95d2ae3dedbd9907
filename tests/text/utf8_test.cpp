#include "tern/text/utf8.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {

using namespace std::string_literals;
using tern::BadBytes;
using tern::decode_utf8;

const std::string fffd = "\xEF\xBF\xBD";

/// The message of the error that decoding `bytes` throws; empty if it throws none.
std::string error_of(const std::string& bytes) {
  try {
    decode_utf8(bytes, "letters.txt", BadBytes::error);
  } catch (const tern::FormatError& e) {
    return e.what();
  }
  return {};
}

std::string expected_error(int offset, const std::string& fault) {
  return "text 'letters.txt' at byte " + std::to_string(offset) + ": expected a UTF-8 character, got " + fault;
}

std::string replaced(const std::string& bytes, tern::Index count) {
  const tern::Utf8Result result = decode_utf8(bytes, "", BadBytes::replace);
  CHECK(result.replaced == count);
  return result.text;
}

}  // namespace

TEST_CASE("utf8: text passes unchanged") {
  for (const std::string& text :
       {""s, "plain"s, "caf\xC3\xA9 \xE4\xBD\xA0\xE5\xA5\xBD \xF0\x9F\x98\x80"s,
        "\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"s,
        "a\xEF\xBB\xBFz"s}) {
    CAPTURE(text);
    CHECK(error_of(text) == "");
    CHECK(replaced(text, 0) == text);
  }
}

TEST_CASE("utf8: each fault is named with its offset") {
  CHECK(error_of("ab\xC0\x80") == expected_error(2, "an overlong form"));
  CHECK(error_of("ab\xC1\xBF") == expected_error(2, "an overlong form"));
  CHECK(error_of("\xE0\x9F\xBF") == expected_error(0, "an overlong form"));
  CHECK(error_of("\xF0\x8F\xBF\xBF") == expected_error(0, "an overlong form"));
  CHECK(error_of("x\xED\xA0\x80") == expected_error(1, "a surrogate"));
  CHECK(error_of("x\xED\xBF\xBF") == expected_error(1, "a surrogate"));
  CHECK(error_of("\xF4\x90\x80\x80") == expected_error(0, "a code point above U+10FFFF"));
  CHECK(error_of("\xF5\x80\x80\x80") == expected_error(0, "a code point above U+10FFFF"));
  CHECK(error_of("\xFE") == expected_error(0, "a byte that UTF-8 never uses"));
  CHECK(error_of("a\x80") == expected_error(1, "a stray continuation byte"));
  CHECK(error_of("a\0z"s) == expected_error(1, "NUL"));
  CHECK(error_of("\xEF\xBB\xBFhello") == expected_error(0, "a byte-order mark"));
}

TEST_CASE("utf8: a character cut at any byte is one fault") {
  for (const std::string& whole : {"\xC3\xA9"s, "\xE4\xBD\xA0"s, "\xF0\x9F\x98\x80"s})
    for (std::size_t kept = 1; kept < whole.size(); ++kept) {
      const std::string cut = whole.substr(0, kept);
      CAPTURE(kept);
      CHECK(error_of("ab" + cut) == expected_error(2, "a truncated character"));
      CHECK(error_of("ab" + cut + "cd") == expected_error(2, "a truncated character"));
      CHECK(replaced("ab" + cut + "cd", 1) == "ab" + fffd + "cd");
    }
}

TEST_CASE("utf8: replacement counts maximal subparts") {
  CHECK(replaced("a\xED\xA0\x80z", 3) == "a" + fffd + fffd + fffd + "z");
  CHECK(replaced("\xC0\x80", 2) == fffd + fffd);
  CHECK(replaced("\xF0\x9F\x98\xC3\xA9", 1) == fffd + "\xC3\xA9");
  CHECK(replaced("a\0z"s, 1) == "a" + fffd + "z");
  CHECK(replaced("\xEF\xBB\xBFhello", 1) == fffd + "hello");
}
