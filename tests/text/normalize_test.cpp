#include "tern/text/normalize.hpp"

#include <doctest/doctest.h>

#include <string>

using tern::nfc;

TEST_CASE("normalize: composes and keeps what is composed") {
  CHECK(nfc("") == "");
  CHECK(nfc("plain") == "plain");
  CHECK(nfc("cafe\xCC\x81") == "caf\xC3\xA9");
  CHECK(nfc("caf\xC3\xA9") == "caf\xC3\xA9");
  CHECK(nfc("\xE1\x84\x80\xE1\x85\xA1") == "\xEA\xB0\x80");  // Hangul
  CHECK(nfc("\xE2\x84\xAB") == "\xC3\x85");                  // the angstrom sign is a letter
  CHECK(nfc("q\xCC\x87\xCC\xA3") == "q\xCC\xA3\xCC\x87");    // marks in canonical order
  CHECK(nfc("\xEF\xAC\x81") == "\xEF\xAC\x81");              // a ligature is only compatible
  CHECK(nfc("\xF0\x9F\x98\x80 \xE4\xBD\xA0") == "\xF0\x9F\x98\x80 \xE4\xBD\xA0");
}

TEST_CASE("normalize: a text may grow") {
  std::string excluded, composed;  // U+1D160 decomposes into three characters outside the basic plane
  for (int i = 0; i < 1000; ++i) {
    excluded += "\xF0\x9D\x85\xA0";
    composed += "\xF0\x9D\x85\x98\xF0\x9D\x85\xA5\xF0\x9D\x85\xAE";
  }
  CHECK(nfc(excluded) == composed);
}

TEST_CASE("normalize: ill-formed text is refused") {
  CHECK_THROWS_WITH_AS(nfc("ab\xED\xA0\x80"), "nfc at byte 2: expected well-formed UTF-8", tern::FormatError);
}
