#include "tern/core/quote.hpp"

#include <doctest/doctest.h>

using namespace std::string_view_literals;
using tern::in_quotes;
using tern::shown;

TEST_CASE("in_quotes: makes text from outside fit for a message") {
  CHECK(in_quotes("blk.0") == "'blk.0'");
  CHECK(in_quotes("a\0\n\x1b]0;owned\x07"sv) == R"('a\x00\x0a\x1b]0;owned\x07')");
  CHECK(in_quotes("Zoë 朱 😀") == "'Zoë 朱 😀'");
  CHECK(in_quotes("Jos\xE9") == R"('Jos\xe9')");
  CHECK(in_quotes("\xC2\x9B"
                  "31m") == R"('\xc2\x9b31m')");  // C1's CSI
  CHECK(in_quotes("a\u202Etxt.exe\u2028b\uFEFF") == R"('a\xe2\x80\xaetxt.exe\xe2\x80\xa8b\xef\xbb\xbf')");
  CHECK(in_quotes("") == "''");
}

TEST_CASE("in_quotes: cuts what is long, never within a character") {
  CHECK(in_quotes(std::string(5, 'x'), 5) == "'xxxxx'");
  CHECK(in_quotes(std::string(6, 'x'), 5) == "'xxxxx...'");
  CHECK(in_quotes("aé", 2) == "'a...'");
  CHECK(in_quotes("\x80\x80\x80", 1) == "'...'");
  CHECK(in_quotes(std::string(5000, 'x')).size() == 1024 + 5);
}

TEST_CASE("shown: a name that may stand anywhere") {
  CHECK(shown("Jos\xE9") == "Jos\uFFFD");
  CHECK(shown("a\x1b[2Jb\u200Fc") == "a\uFFFD[2Jb\uFFFDc");
  CHECK(shown("zoë ferré") == "zoë ferré");
}
