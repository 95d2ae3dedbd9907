#pragma once
/// The merges of a SentencePiece vocabulary, which has scores instead.
#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tern/text/bpe_vocabulary.hpp"
#include "tern/text/utf8.hpp"

namespace tern::detail {

/// Two neighbouring pieces merge if together they are a piece: the higher its score, the earlier. `is_piece` says which
/// of `tokens` take part. `field` names the scores in the file `source`, `names` the pieces.
/// Throws FormatError on a score that is no number and on a piece above 256 bytes, each of whose cuts is looked at.
inline std::vector<BpeMerge> merges_from_scores(const std::vector<std::string>& tokens,
                                                const std::vector<float>& scores, const std::vector<bool>& is_piece,
                                                std::string_view source, std::string_view field,
                                                std::string_view names) {
  constexpr std::size_t longest = 256;
  if (scores.size() != tokens.size())
    fail_at(source, field,
            "expected " + std::to_string(tokens.size()) + " scores, got " + std::to_string(scores.size()));

  std::unordered_map<std::string_view, Token> id_of;
  id_of.reserve(tokens.size());
  std::vector<float> ladder;  // the distinct scores, highest first: a score's place is its rank
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (std::isnan(scores[i])) fail_at(source, item(field, i), "expected a number, got NaN");
    if (!is_piece[i] || tokens[i].empty()) continue;
    if (tokens[i].size() > longest)
      fail_at(
          source, item(names, i),
          "expected a piece of at most " + std::to_string(longest) + " bytes, got " + std::to_string(tokens[i].size()));
    if (!id_of.emplace(tokens[i], static_cast<Token>(i)).second)
      fail_at(source, item(names, i), in_quotes(tokens[i]) + " a second time");
    ladder.push_back(scores[i]);
  }
  std::sort(ladder.begin(), ladder.end(), std::greater<>());
  ladder.erase(std::unique(ladder.begin(), ladder.end()), ladder.end());

  std::vector<BpeMerge> merges;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (!is_piece[i] || tokens[i].empty()) continue;
    const auto rank = static_cast<std::int32_t>(
        std::lower_bound(ladder.begin(), ladder.end(), scores[i], std::greater<>()) - ladder.begin());
    const std::string_view piece = tokens[i];
    for (std::size_t cut = utf8_step(piece).length; cut < piece.size(); cut += utf8_step(piece.substr(cut)).length) {
      const auto left = id_of.find(piece.substr(0, cut));
      if (left == id_of.end()) continue;
      const auto right = id_of.find(piece.substr(cut));
      if (right != id_of.end()) merges.push_back({left->second, right->second, static_cast<Token>(i), rank});
    }
  }
  return merges;
}

}  // namespace tern::detail
