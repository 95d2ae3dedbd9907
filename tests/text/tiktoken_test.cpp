#include "tern/text/tiktoken.hpp"

#include <doctest/doctest.h>

#include "text/vocabularies.hpp"

namespace {

using Ids = std::vector<tern::Token>;
using tern::test::format_error;

const std::vector<std::string> patterns = tern::named_split_patterns("gpt-2");

std::string error_of(const std::string& content) {
  return format_error([&] { tern::read_tiktoken(content, "ranks", patterns); });
}

}  // namespace

TEST_CASE("tiktoken: neighbours merge by the rank of what they make") {
  // a b c, bc, ab, abc; lines may end in CRLF and come in any order
  const tern::BpeVocabulary vocabulary =
      tern::read_tiktoken("YQ== 0\r\nYg== 1\r\nYw== 2\r\nYWI= 4\r\nYmM= 3\r\nYWJj 5\r\n", "ranks", patterns, {"<end>"});
  CHECK(vocabulary.tokens == std::vector<std::string>{"a", "b", "c", "bc", "ab", "abc", "<end>"});
  const tern::ByteBpe tokenizer(vocabulary);
  CHECK(tokenizer.encode("abc") == Ids{5});
  CHECK(tokenizer.encode("abab") == Ids{4, 4});
  CHECK(tokenizer.encode("babc") == Ids{1, 5});
  CHECK(tokenizer.encode("a<end>", tern::SpecialTokens::parse) == Ids{0, 6});
}

TEST_CASE("tiktoken: broken lines are named") {
  CHECK(error_of("YQ== 0\nY*== 1\n") ==
        "tiktoken 'ranks' line 2: expected a token of 1 to 256 bytes in base64, got 'Y*== 1'");
  CHECK(error_of("YQ=") == "tiktoken 'ranks' line 1: expected a token of 1 to 256 bytes in base64, got 'YQ='");
  CHECK(error_of("YQ==") == "tiktoken 'ranks' line 1: expected a rank after the token, got ''");
  CHECK(error_of("YQ== 0x") == "tiktoken 'ranks' line 1: expected a rank after the token, got '0x'");
  CHECK(error_of("YQ== -1") == "tiktoken 'ranks' line 1: expected a rank after the token, got '-1'");
  CHECK(error_of("YQ== 99999999999999999999") ==
        "tiktoken 'ranks' line 1: expected a rank after the token, got '99999999999999999999'");
  CHECK(error_of("YQ== 0\n\nYg== 2\n") == "tiktoken 'ranks' line 3: expected a rank below 2, got 2");
  CHECK(error_of("YQ== 0\nYg== 0\n") == "tiktoken 'ranks' line 2: rank 0 a second time");
  CHECK(error_of("YQ== 0\nYQ== 1\n") == "tiktoken 'ranks' line 2: a token a second time");
  CHECK(error_of(std::string(400, 'Y') + " 0") != "");
}
