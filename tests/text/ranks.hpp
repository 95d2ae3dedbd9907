#pragma once
/// tiktoken's rank files, which hold the vocabularies of llama.cpp's vectors for Llama 3 and Qwen 2: a line is a token
/// in base64 and its rank. They say nothing of splitting or special tokens, so that tern itself does not read them.
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

#include "text/vocabularies.hpp"

namespace tern::test {

inline std::string decode_base64(const std::string& text) {
  static const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned bits = 0, count = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<unsigned>(digits.find(c));
    if ((count += 6) >= 8) bytes += static_cast<char>(bits >> (count -= 8) & 0xFF);
  }
  return bytes;
}

/// The file below the shared tokenizers as the fields of a GGUF file: two neighbours merge if together they are a
/// token, whose rank is the merge's.
inline GgufTokenizerFields fields_of_ranks(const std::string& file, const std::string& pre) {
  std::istringstream lines(read_bytes(data() / "tokenizers" / file));
  std::vector<std::string> tokens;
  std::unordered_map<std::string, std::size_t> rank_of;
  std::string base64;
  for (std::size_t rank = 0; lines >> base64 >> rank; tokens.push_back(decode_base64(base64))) {
    REQUIRE(rank == tokens.size());
    rank_of[decode_base64(base64)] = rank;
  }
  const auto letters = tern::detail::byte_alphabet();
  const auto name = [&](const std::string& bytes) {
    std::string letters_of_bytes;
    for (const char c : bytes) letters_of_bytes += letters[static_cast<unsigned char>(c)];
    return letters_of_bytes;
  };
  GgufTokenizerFields fields;
  fields.model = "gpt2";
  fields.pre = pre;
  for (const std::string& token : tokens) {
    fields.tokens.push_back(name(token));
    for (std::size_t cut = 1; cut < token.size(); ++cut)
      if (rank_of.contains(token.substr(0, cut)) && rank_of.contains(token.substr(cut)))
        fields.merges.push_back(name(token.substr(0, cut)) + " " + name(token.substr(cut)));
  }
  return fields;
}

}  // namespace tern::test
