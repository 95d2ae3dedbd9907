#include "tern/text/deduplicate.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {

/// What is left of `text` after removing what it shares with `known`, by shingles of three words.
std::string left_of(std::string text, const std::string& known, tern::Index lines_removed) {
  tern::Shingles shingles;
  tern::add_shingles(known, 3, shingles);
  CHECK(tern::remove_shared(text, 3, shingles) == lines_removed);
  return text;
}

}  // namespace

TEST_CASE("deduplicate: shared lines go, others stay") {
  CHECK(left_of("one two three four\nfive six seven\n", "nothing of it here", 0) ==
        "one two three four\nfive six seven\n");
  CHECK(left_of("a b c d\nfive six seven\nx y z\n", "say Five, six: SEVEN eight", 1) == "a b c d\nx y z\n");
}

TEST_CASE("deduplicate: other line ends, case and punctuation are the same text") {
  CHECK(left_of("begin here now\nfive six\nseven eight\nend of it\n", "FIVE-SIX\n\n(seven)", 2) ==
        "begin here now\nend of it\n");
  CHECK(left_of("ÉTÉ À PARIS\n", "été à paris", 1).empty());
}

TEST_CASE("deduplicate: what becomes neighbours is looked at again") {
  // Without the middle line, "p q r" stands in the text.
  CHECK(left_of("p q\none two three\nr s\n", "one two three\np q r", 3).empty());
}

TEST_CASE("deduplicate: Han characters are words, Malayalam's marks belong to theirs") {
  CHECK(left_of("兒時聞公名\n", "聞公名", 1).empty());
  CHECK(left_of("兒時聞公名\n", "公聞名", 0) == "兒時聞公名\n");
  CHECK(left_of("നാടിനും പരിസ്ഥിതിക്കും കോട്ടം\n", "നാടിനും പരിസ്ഥിതിക്കും കോട്ടം വരാത്ത", 1).empty());
  CHECK(left_of("നാടിനും പരിസ്ഥിതിക്കും കോട്ടം\n", "നാടിനം പരിസ്ഥിതിക്കും കോട്ടം", 0).size() > 9);
}

TEST_CASE("deduplicate: a text shorter than a shingle is one") {
  CHECK(left_of("Hello there!\n", "hello there", 1).empty());
  CHECK(left_of("Hello there!\n", "hello there you", 0) == "Hello there!\n");
  CHECK(left_of("...\n", "...", 0) == "...\n");
  CHECK(left_of("", "", 0).empty());
}
