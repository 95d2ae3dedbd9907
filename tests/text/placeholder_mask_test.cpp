#include "tern/text/placeholder_mask.hpp"

#include <doctest/doctest.h>

#include <string>

#include "text/pieces.hpp"
#include "text/vocabularies.hpp"

using namespace tern;

namespace {

/// The pieces of the tokens that are masked, "|" between them.
std::string masked(const Tokenizer& tokenizer, const std::string& text) {
  const auto tokens = tokenizer.encode(text);
  const std::vector<bool> mask = placeholder_mask(tokenizer, tokens);
  CHECK(mask.size() == tokens.size());
  std::string all;
  for (std::size_t i = 0; i < tokens.size(); ++i)
    if (mask[i]) all += (all.empty() ? "" : "|") + std::string(tokenizer.piece(tokens[i]));
  return all;
}

}  // namespace

TEST_CASE("placeholder mask: every token that a placeholder touches, whatever it is joined to") {
  // "[E" 256, "L]" 257, "L])" 258: the last is half a placeholder, half text.
  const ByteBpe bytes(test::small_vocabulary({{'[', 'E'}, {'L', ']'}, {257, ')'}}, "gpt-2"));
  CHECK(masked(bytes, "a [EMAIL] b") == "[|E|M|A|I|L|]");
  CHECK(masked(bytes, "[URL] [IP]") == "[|U|R|L|]|[|I|P|]");
  CHECK(masked(bytes, "[EMAIL][PHONE]") == "[|E|M|A|I|L|]|[|P|H|O|N|E|]");
  CHECK(masked(bytes, "[EMAI] EMAIL [email] []").empty());
  CHECK(masked(bytes, "").empty());
  const auto joined = [&](std::vector<Token> tokens) {
    std::string mask;
    for (const bool m : placeholder_mask(bytes, tokens)) mask += m ? '1' : '0';
    return mask;
  };
  CHECK(joined({'a', 256, 'M', 'A', 'I', 258, 'b'}) == "0111110");
  CHECK(joined({256, 'M', 'A', 'I', 257, 256, 'M', 'A', 'I', 257}) == "1111111111");
  CHECK_THROWS_AS(joined({100'000}), ValueError);
}

TEST_CASE("placeholder mask: SentencePiece's space in front moves nothing") {
  const auto tokenizer = load_tokenizer(
      test::piece_fields({"\u2581", "a", "[", "E", "M", "A", "I", "L", "]", "\u2581[", "]a", "\u2581a"}), "m.gguf");
  CHECK(masked(*tokenizer, "[EMAIL]a") == " [|E|M|A|I|L|]a");
  CHECK(masked(*tokenizer, "a [EMAIL] a") == " [|E|M|A|I|L|]");
  CHECK(masked(*tokenizer, "é[EMAIL]é") == "[|E|M|A|I|L|]");  // é is bytes
}
