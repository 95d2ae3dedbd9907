#pragma once
/// Reads tiktoken's rank files (Llama 3's tokenizer.model, qwen.tiktoken): a line is a token in base64 and its rank.
#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tern/core/error.hpp"
#include "tern/text/bpe_vocabulary.hpp"

namespace tern {

namespace detail {

/// Strict base64: whole groups of four, padding only at the end.
inline std::optional<std::string> decode_base64(std::string_view text) {
  static constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  std::string bytes;
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t digit = i + padding < text.size() ? digits.find(text[i]) : 0;
    if (digit == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    if (i % 4 == 3) {
      for (int shift : {16, 8, 0}) bytes += static_cast<char>(bits >> shift & 0xFF);
      bits = 0;
    }
  }
  bytes.resize(bytes.size() - padding);
  return bytes;
}

}  // namespace detail

/// The vocabulary in a rank file's content; `source` is its path, for messages. A rank is an id; two neighbours merge
/// if their bytes together are a token, whose rank is the merge's. The format holds no more: `split_patterns` comes
/// from named_split_patterns, and `specials` are the names of the ids that follow the ranks. Throws FormatError on a
/// malformed line, a rank twice or out of range, and a token twice or longer than 256 bytes.
inline BpeVocabulary read_tiktoken(std::string_view content, std::string_view source,
                                   std::vector<std::string> split_patterns,
                                   const std::vector<std::string>& specials = {}) {
  constexpr std::size_t longest = 256;  // each token is cut at every byte to find its merges
  const auto fail = [&](std::size_t line, const std::string& problem) {
    throw FormatError("tiktoken '" + std::string(source) + "' line " + std::to_string(line) + ": " + problem);
  };

  struct Line {
    std::string bytes;
    std::size_t rank, number;
  };
  std::vector<Line> lines;
  for (std::size_t number = 1; !content.empty(); ++number) {
    std::string_view line = content.substr(0, content.find('\n'));
    content.remove_prefix(std::min(line.size() + 1, content.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    const std::size_t space = line.find(' ');
    const auto bytes = detail::decode_base64(line.substr(0, space));
    if (!bytes || bytes->empty() || bytes->size() > longest)
      fail(number, "expected a token of 1 to 256 bytes in base64, got '" + std::string(line.substr(0, 80)) + "'");
    const std::string_view digits = space == std::string_view::npos ? "" : line.substr(space + 1);
    std::size_t rank = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), rank);
    if (digits.empty() || parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size())
      fail(number, "expected a rank after the token, got '" + std::string(digits.substr(0, 80)) + "'");
    lines.push_back({*bytes, rank, number});
  }

  BpeVocabulary vocabulary;
  vocabulary.tokens.resize(lines.size());
  std::unordered_map<std::string, Token> id_of;
  for (const Line& line : lines) {
    if (line.rank >= lines.size())
      fail(line.number, "expected a rank below " + std::to_string(lines.size()) + ", got " + std::to_string(line.rank));
    if (!vocabulary.tokens[line.rank].empty())
      fail(line.number, "rank " + std::to_string(line.rank) + " a second time");
    if (!id_of.emplace(line.bytes, static_cast<Token>(line.rank)).second) fail(line.number, "a token a second time");
    vocabulary.tokens[line.rank] = line.bytes;
  }
  for (std::size_t rank = 0; rank < vocabulary.tokens.size(); ++rank) {
    const std::string& bytes = vocabulary.tokens[rank];
    for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
      const auto left = id_of.find(bytes.substr(0, cut));
      if (left == id_of.end()) continue;
      const auto right = id_of.find(bytes.substr(cut));
      if (right == id_of.end()) continue;
      vocabulary.merges.push_back(
          {left->second, right->second, static_cast<Token>(rank), static_cast<std::int32_t>(rank)});
    }
  }
  for (const std::string& special : specials) {
    vocabulary.added.push_back({static_cast<Token>(vocabulary.tokens.size()), true, false});
    vocabulary.tokens.push_back(special);
  }
  vocabulary.split_patterns = std::move(split_patterns);
  return vocabulary;
}

}  // namespace tern
