#include "tern/text/byte_bpe.hpp"

#include <doctest/doctest.h>

#include <random>
#include <thread>

#include "text/ranks.hpp"
#include "text/vocabularies.hpp"

namespace {

using tern::BpeMerge;
using tern::BpeVocabulary;
using tern::ByteBpe;
using tern::SpecialTokens;
using tern::Token;
using tern::test::add_token;
using tern::test::format_error;
using tern::test::small_vocabulary;
using Ids = std::vector<Token>;

/// The definition, word by word: look at all pairs, merge the best, again.
Ids merge_plainly(const BpeVocabulary& vocabulary, const std::string& piece) {
  Ids ids;
  for (const char c : piece) ids.push_back(static_cast<unsigned char>(c));
  for (;;) {
    const BpeMerge* best = nullptr;
    std::size_t place = 0;
    for (std::size_t i = 0; i + 1 < ids.size(); ++i)
      for (const BpeMerge& m : vocabulary.merges)
        if (m.left == ids[i] && m.right == ids[i + 1] && (!best || m.rank < best->rank)) {
          best = &m;
          place = i;
        }
    if (!best) return ids;
    ids[place] = best->merged;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(place) + 1);
  }
}

}  // namespace

TEST_CASE("byte_bpe: merges by rank, then from the left") {
  const ByteBpe tokenizer(small_vocabulary({{'b', 'c'}, {'a', 'b'}, {'a', 256}, {'a', 'a'}, {259, 259}}));
  CHECK(tokenizer.encode("") == Ids{});
  CHECK(tokenizer.encode("abc") == Ids{258});
  CHECK(tokenizer.encode("ab") == Ids{257});
  CHECK(tokenizer.encode("aaaaa") == Ids{260, 'a'});
  CHECK(tokenizer.encode("abcab c") == Ids{258, 257, ' ', 'c'});
  CHECK(tokenizer.decode(Ids{258, 257, ' ', 'c'}) == "abcab c");
}

TEST_CASE("byte_bpe: agrees with the definition on random words and merges") {
  std::mt19937 random(11);
  const auto below = [&](std::size_t n) { return random() % n; };
  for (int round = 0; round < 50; ++round) {
    std::vector<std::pair<Token, Token>> pairs;
    while (pairs.size() < 30) {
      const auto pick = [&] {
        const std::size_t i = below(3 + pairs.size());
        return static_cast<Token>(i < 3 ? 'a' + i : 256 + i - 3);
      };
      const std::pair<Token, Token> pair{pick(), pick()};
      if (std::find(pairs.begin(), pairs.end(), pair) == pairs.end()) pairs.push_back(pair);
    }
    BpeVocabulary vocabulary = small_vocabulary(pairs);
    for (std::size_t i = 256; i < vocabulary.tokens.size(); ++i)  // the same bytes in two ways would be ambiguous
      for (std::size_t j = 256; j < i; ++j)
        if (vocabulary.tokens[i] == vocabulary.tokens[j]) vocabulary.merges[i - 256].merged = static_cast<Token>(j);
    for (std::size_t i = 256; i < vocabulary.tokens.size(); ++i)
      if (vocabulary.merges[i - 256].merged != static_cast<Token>(i)) vocabulary.tokens[i] = "";
    std::erase_if(vocabulary.merges, [&](const BpeMerge& m) {
      return vocabulary.tokens[static_cast<std::size_t>(m.left)].empty() ||
             vocabulary.tokens[static_cast<std::size_t>(m.right)].empty();
    });
    const ByteBpe tokenizer(vocabulary);
    for (int word = 0; word < 20; ++word) {
      std::string text;
      for (std::size_t i = 0, n = 1 + below(40); i < n; ++i) text += static_cast<char>('a' + below(3));
      CAPTURE(text);
      CHECK(tokenizer.encode(text) == merge_plainly(vocabulary, text));
      CHECK(tokenizer.decode(tokenizer.encode(text)) == text);
    }
  }
}

TEST_CASE("byte_bpe: special tokens in people's text stay text") {
  BpeVocabulary vocabulary = small_vocabulary({});
  const Token start = add_token(vocabulary, "<s>", true), tag = add_token(vocabulary, "<tag>", false),
              longer = add_token(vocabulary, "<tag><s>", false);
  const ByteBpe tokenizer(vocabulary);
  CHECK(tokenizer.encode("<s>a<tag>") == Ids{'<', 's', '>', 'a', tag});
  CHECK(tokenizer.encode("<s>a<tag>", SpecialTokens::parse) == Ids{start, 'a', tag});
  CHECK(tokenizer.encode("<tag><s><tag>", SpecialTokens::parse) == Ids{longer, tag});
  CHECK(tokenizer.decode(Ids{start, 'a', longer}) == "<s>a<tag><s>");
}

TEST_CASE("byte_bpe: an added token may take white space along") {
  BpeVocabulary vocabulary = small_vocabulary({});
  vocabulary.split_patterns.clear();
  const Token left = add_token(vocabulary, "<l>", false), right = add_token(vocabulary, "<r>", false);
  vocabulary.added[0].strip_left = vocabulary.added[1].strip_right = true;
  const ByteBpe tokenizer(vocabulary);
  CHECK(tokenizer.encode("a \n\xE3\x80\x80<l> b") == Ids{'a', left, ' ', 'b'});
  CHECK(tokenizer.encode("a <r>\xC2\x85\t b") == Ids{'a', ' ', right, 'b'});
  CHECK(tokenizer.encode("<r>  <l> ") == Ids{right, left, ' '});
  CHECK(tokenizer.encode(" <l>\xE2\x80\x8B<r>\xE2\x80\x8B") ==  // U+200B is no white space
        Ids{left, 0xE2, 0x80, 0x8B, right, 0xE2, 0x80, 0x8B});
}

TEST_CASE("byte_bpe: thousands of added tokens do not slow a text down") {
  BpeVocabulary vocabulary = small_vocabulary({});
  std::vector<Token> ids;
  for (int i = 0; i < 20'000; ++i) ids.push_back(add_token(vocabulary, "<t" + std::to_string(i) + ">", true));
  const ByteBpe tokenizer(vocabulary);
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += "<t";
  CHECK(tokenizer.encode(text, SpecialTokens::parse).size() == 400'000);
  CHECK(tokenizer.encode("<t19999><t1", SpecialTokens::parse) == Ids{ids[19'999], '<', 't', '1'});
}

TEST_CASE("byte_bpe: added tokens are searched before or after normalisation") {
  BpeVocabulary vocabulary = small_vocabulary({});
  vocabulary.nfc = true;
  const Token raw = add_token(vocabulary, "e\xCC\x81", false, false);
  const Token normalized = add_token(vocabulary, "o\xCC\x88", false, true);
  const ByteBpe tokenizer(vocabulary);
  CHECK(tokenizer.encode("e\xCC\x81\xC3\xA9") == Ids{raw, 0xC3, 0xA9});
  CHECK(tokenizer.encode("o\xCC\x88\xC3\xB6") == Ids{normalized, normalized});
  CHECK(tokenizer.encode("a\xCC\x81") == Ids{0xC3, 0xA1});
}

TEST_CASE("byte_bpe: ignore_merges keeps a piece that is a token") {
  BpeVocabulary vocabulary = small_vocabulary({{'a', 'b'}});
  vocabulary.tokens.push_back("abab");
  CHECK(ByteBpe(vocabulary).encode("abab") == Ids{256, 256});
  vocabulary.ignore_merges = true;
  CHECK(ByteBpe(vocabulary).encode("abab") == Ids{257});
  CHECK(ByteBpe(vocabulary).encode("ababa") == Ids{256, 256, 'a'});
}

TEST_CASE("byte_bpe: a byte without a token") {
  BpeVocabulary vocabulary = small_vocabulary({{'a', 'b'}});
  vocabulary.tokens[4].clear();
  CHECK(ByteBpe(vocabulary)
            .encode("a\x04"
                    "b") == Ids{'a', 'b'});  // three pieces
  vocabulary.split_patterns.clear();
  CHECK(ByteBpe(vocabulary)
            .encode("a\x04"
                    "b") == Ids{256});
  vocabulary.unknown = 'U';
  CHECK(ByteBpe(vocabulary)
            .encode("a\x04"
                    "b") == Ids{'a', 'U', 'b'});
}

TEST_CASE("byte_bpe: broken vocabularies are named") {
  const auto error = [](auto&& breaks) {
    BpeVocabulary vocabulary = small_vocabulary({{'a', 'b'}, {'c', 'd'}});
    breaks(vocabulary);
    return format_error([&] { ByteBpe{vocabulary}; });
  };
  CHECK(error([](BpeVocabulary&) {}) == "");
  CHECK(error([](BpeVocabulary& v) { v.merges[1].left = 258; }) ==
        "tokenizer: merges[1]: expected an id below 258, got 258");
  CHECK(error([](BpeVocabulary& v) { v.merges[1].merged = -1; }) ==
        "tokenizer: merges[1]: expected an id below 258, got -1");
  CHECK(error([](BpeVocabulary& v) { v.merges[1].merged = 256; }) ==
        "tokenizer: merges[1]: expected the bytes of tokens 99 and 100, got those of 256");
  CHECK(error([](BpeVocabulary& v) { v.merges.push_back(v.merges[0]); }) ==
        "tokenizer: merges[2]: expected a pair of its own, got that of rank 0");
  CHECK(error([](BpeVocabulary& v) { v.tokens.push_back("ab"); }) ==
        "tokenizer: tokens[258]: expected bytes of its own, got those of token 256");
  CHECK(error([](BpeVocabulary& v) { v.added.push_back({.id = 300}); }) ==
        "tokenizer: added[0]: expected an id below 258, got 300");
  CHECK(error([](BpeVocabulary& v) {
          v.added = {{.id = 5}, {.id = 5}};
        }) == "tokenizer: added[1]: expected an id of its own, got 5 again");
  CHECK(error([](BpeVocabulary& v) { v.eos = 258; }) == "tokenizer: eos: expected an id below 258, got 258");
  CHECK(error([](BpeVocabulary& v) { v.add_bos = true; }) == "tokenizer: add_bos: expected a bos id, got none");
  CHECK(error([](BpeVocabulary& v) { v.byte_tokens.emplace().fill(0); }) ==
        "tokenizer: byte_tokens: expected none in byte-level BPE");
  CHECK(error([](BpeVocabulary& v) { v.added = {{.id = 5, .text = std::string(1025, 'x')}}; }) ==
        "tokenizer: added[0]: expected a text of at most 1024 bytes, got 1025");
}

TEST_CASE("byte_bpe: bad texts and ids are named") {
  const ByteBpe tokenizer(small_vocabulary({}));
  CHECK(format_error([&] { tokenizer.encode("ab\xC0\x80"); }) ==
        "tokenizer: text at byte 2: expected well-formed UTF-8");
  CHECK_THROWS_WITH_AS(tokenizer.decode(Ids{1, 256}), "tokenizer: decode: ids[1]: expected below 256, got 256",
                       tern::ValueError);
  CHECK_THROWS_AS(tokenizer.decode(Ids{-1}), tern::ValueError);
  CHECK_THROWS_WITH_AS(tokenizer.piece(256), "tokenizer: expected an id below 256, got 256", tern::ValueError);
  CHECK_THROWS_AS(tokenizer.token_bytes(-1), tern::ValueError);
}

TEST_CASE("byte_bpe: gpt-2 passes its vectors" * tern::test::needs_data()) {
  const auto tokenizer = tern::test::vocabulary_file("gpt-2");
  CHECK(tokenizer->size() == 50257);
  CHECK(tokenizer->eos() == 50256);
  CHECK_FALSE(tokenizer->add_bos());
  tern::test::check_conformance(*tokenizer, "gpt-2");
  CHECK(tokenizer->encode("<|endoftext|>", SpecialTokens::parse) == Ids{50256});
  CHECK(tokenizer->encode("<|endoftext|>").size() > 1);
  CHECK(tokenizer->piece(50256) == "<|endoftext|>");
  CHECK(tokenizer->token_bytes(50256) == 0);
  CHECK(tokenizer->token_bytes(tokenizer->encode(" world").front()) == 6);
}

TEST_CASE("byte_bpe: llama-bpe passes its vectors; runs are quick; threads agree" * tern::test::needs_data()) {
  const auto loaded = tern::load_tokenizer(tern::test::fields_of_ranks("llama3/tokenizer.model", "llama-bpe"), "ranks");
  const tern::Tokenizer& tokenizer = *loaded;
  tern::test::check_conformance(tokenizer, "llama-bpe");

  for (const std::string unit : {"a", "ab", " ", "\n", "=", "7", "\xE4\xBD\xA0", "\xF0\x9F\x98\x80"}) {
    std::string run;
    while (run.size() < 100'000) run += unit;
    CHECK(tokenizer.decode(tokenizer.encode(run)) == run);
  }

  const std::vector<tern::test::Vector> vectors = tern::test::conformance_vectors("llama-bpe");
  std::vector<int> wrong(4, 0);
  std::vector<std::thread> threads;
  for (int& count : wrong)
    threads.emplace_back([&tokenizer, &vectors, &count] {
      for (int round = 0; round < 20; ++round)
        for (const tern::test::Vector& v : vectors) count += tokenizer.encode(v.text) != v.ids;
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>(4, 0));
}

TEST_CASE("byte_bpe: qwen2 passes its vectors" * tern::test::needs_data()) {
  const auto tokenizer = tern::load_tokenizer(tern::test::fields_of_ranks("qwen/qwen.tiktoken", "qwen2"), "ranks");
  tern::test::check_conformance(*tokenizer, "qwen2", [](const std::string& text) { return tern::nfc(text); });
}
