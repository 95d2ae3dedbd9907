#pragma once
/// Which tokens stand for what the scrubber replaced: they are context, never targets of an evaluation.
#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tern/core/token.hpp"
#include "tern/text/anonymize.hpp"
#include "tern/text/tokenizer.hpp"

namespace tern {

/// True for each token that overlaps a placeholder ("[EMAIL]"), however the tokenizer cuts it and what it joins to it.
/// The placeholders are looked for in what the tokens spell, so a space that a tokenizer puts in front moves nothing.
/// Throws ValueError on an id outside the vocabulary.
inline std::vector<bool> placeholder_mask(const Tokenizer& tokenizer, std::span<const Token> tokens) {
  std::string spelled;
  std::vector<std::size_t> ends;
  for (const Token token : tokens) ends.push_back(spelled.append(tokenizer.piece(token)).size());
  std::vector<bool> mask(tokens.size(), false);
  for (const Pii kind : pii_classes) {
    const std::string_view name = placeholder(kind);
    for (std::size_t at = 0; (at = spelled.find(name, at)) != std::string::npos; at += name.size()) {
      auto token = static_cast<std::size_t>(std::upper_bound(ends.begin(), ends.end(), at) - ends.begin());
      for (std::size_t begin = at; begin < at + name.size(); begin = ends[token++]) mask[token] = true;
    }
  }
  return mask;
}

}  // namespace tern
