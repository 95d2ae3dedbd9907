#pragma once
/// Vocabularies for the tokenizers' tests: a small one made here, and llama.cpp's conformance vectors for real ones.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "support/data.hpp"
#include "tern/io/gguf.hpp"
#include "tern/text/load_tokenizer.hpp"

namespace tern::test {

/// Every byte is the token of its own number; each merge adds one token, from 256 on.
inline BpeVocabulary small_vocabulary(const std::vector<std::pair<Token, Token>>& merges,
                                      const std::string& pre = "gpt-2") {
  BpeVocabulary vocabulary;
  for (int byte = 0; byte < 256; ++byte) vocabulary.tokens.emplace_back(1, static_cast<char>(byte));
  for (const auto& [left, right] : merges) {
    vocabulary.merges.push_back({left, right, static_cast<Token>(vocabulary.tokens.size()),
                                 static_cast<std::int32_t>(vocabulary.merges.size())});
    vocabulary.tokens.push_back(vocabulary.tokens[static_cast<std::size_t>(left)] +
                                vocabulary.tokens[static_cast<std::size_t>(right)]);
  }
  vocabulary.split_patterns = named_split_patterns(pre);
  return vocabulary;
}

/// Adds a token that is found literally; its id is the vocabulary's old size.
inline Token add_token(BpeVocabulary& vocabulary, const std::string& text, bool special, bool normalized = false) {
  const auto id = static_cast<Token>(vocabulary.tokens.size());
  vocabulary.tokens.push_back(text);
  vocabulary.added.push_back({.id = id, .special = special, .normalized = normalized});
  return id;
}

inline std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return bytes.str();
}

struct Vector {
  std::string text;
  std::vector<Token> ids;
};

/// llama.cpp's vectors for `name`: texts with a separator between, and a line of ids for each.
inline std::vector<Vector> conformance_vectors(const std::string& name) {
  const std::filesystem::path stem = data() / "tokenizers/llama.cpp" / ("ggml-vocab-" + name + ".gguf");
  const std::string separator = "\n__ggml_vocab_test__\n";
  const std::string texts = read_bytes(stem.string() + ".inp");
  std::istringstream lines(read_bytes(stem.string() + ".out"));
  std::vector<Vector> vectors;
  for (std::size_t begin = 0; begin != std::string::npos;) {
    const std::size_t end = texts.find(separator, begin);
    Vector vector{texts.substr(begin, end - begin), {}};
    begin = end == std::string::npos ? end : end + separator.size();
    std::string line;
    std::getline(lines, line);
    std::istringstream ids(line);
    for (Token id; ids >> id;) vector.ids.push_back(id);
    vectors.push_back(vector);
  }
  return vectors;
}

/// The tokenizer of one of llama.cpp's vocabulary files.
inline std::unique_ptr<Tokenizer> vocabulary_file(const std::string& name) {
  const std::filesystem::path path = data() / "tokenizers/llama.cpp" / ("ggml-vocab-" + name + ".gguf");
  return load_tokenizer(gguf_tokenizer_fields(GgufFile::open(path)), path.string());
}

/// Checks that `tokenizer` gives the ids of all of the 47 vectors, and the texts of the ids: `text_of(text)`.
template <class TextOf = std::identity>
void check_conformance(const Tokenizer& tokenizer, const std::string& name, TextOf text_of = {}) {
  const std::vector<Vector> vectors = conformance_vectors(name);
  CHECK(vectors.size() == 47);
  for (const Vector& vector : vectors) {
    CAPTURE(vector.text);
    CHECK(tokenizer.encode(vector.text) == vector.ids);
    CHECK(tokenizer.decode(vector.ids) == text_of(vector.text));
  }
}

/// The message of the FormatError that `f` throws; empty if it throws none.
template <class F>
std::string format_error(F&& f) {
  try {
    f();
  } catch (const FormatError& e) {
    return e.what();
  }
  return {};
}

}  // namespace tern::test
