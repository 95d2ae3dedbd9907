#pragma once
/// Small SentencePiece vocabularies for tests.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "tern/text/gguf_vocabulary.hpp"

namespace tern::test {

/// <unk>, <s>, </s>, the 256 byte tokens, then `pieces`, each with a lower score than the one before, and `defined` by
/// the user.
inline GgufTokenizerFields piece_fields(const std::vector<std::string>& pieces,
                                        const std::vector<std::string>& defined = {}) {
  GgufTokenizerFields fields;
  fields.model = "llama";
  const auto add = [&](const std::string& name, float score, std::int32_t type) {
    fields.tokens.push_back(name);
    fields.scores.push_back(score);
    fields.token_type.push_back(type);
  };
  add("<unk>", 0, 2);
  add("<s>", 0, 3);
  add("</s>", 0, 3);
  for (unsigned byte = 0; byte < 256; ++byte) {
    char name[8];
    std::snprintf(name, sizeof name, "<0x%02X>", byte);
    add(name, 0, 6);
  }
  float score = 0;
  for (const std::string& piece : pieces) add(piece, score -= 1, 1);
  for (const std::string& piece : defined) add(piece, 0, 4);
  fields.bos_token_id = 1;
  fields.eos_token_id = 2;
  return fields;
}

/// The id of a name, or -1.
inline Token piece_id(const GgufTokenizerFields& fields, const std::string& name) {
  const auto found = std::find(fields.tokens.begin(), fields.tokens.end(), name);
  return found == fields.tokens.end() ? -1 : static_cast<Token>(found - fields.tokens.begin());
}

}  // namespace tern::test
