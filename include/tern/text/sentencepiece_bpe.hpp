#pragma once
/// SentencePiece's byte-pair encoding: merges characters, and spells those without a token in bytes (Llama 2, Phi-3.5,
/// Gemma 3).
#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/text/bpe_tokenizer.hpp"

namespace tern {

namespace detail {

/// Which tokens may stand side by side within a merged token: a set that may say yes too often, never no wrongly.
class Joints {
 public:
  explicit Joints(std::size_t expected) : bits_(std::bit_ceil(expected / 4 + 16)) {}  // sixteen bits a pair

  void add(Token left, Token right) { bits_[place(left, right) / 64] |= bit(left, right); }
  bool may_have(Token left, Token right) const { return (bits_[place(left, right) / 64] & bit(left, right)) != 0; }

 private:
  std::size_t place(Token left, Token right) const {
    const std::uint64_t pair =
        std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
    const std::uint64_t mixed = pair * 0x9E3779B97F4A7C15u;
    return static_cast<std::size_t>(mixed >> 20) & (bits_.size() * 64 - 1);
  }
  std::uint64_t bit(Token left, Token right) const { return std::uint64_t{1} << (place(left, right) % 64); }

  std::vector<std::uint64_t> bits_;
};

/// The code point of the character at the start of non-empty, well-formed `text`.
inline std::uint32_t code_point(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  const std::uint32_t lead = byte(0);
  if (lead < 0x80) return lead;
  if (lead < 0xE0) return (lead & 0x1F) << 6 | (byte(1) & 0x3F);
  if (lead < 0xF0) return (lead & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
  return (lead & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
}

}  // namespace detail

/// text -> added tokens cut out -> NFC, if wanted; U+2581 is a space; a space in front, if wanted -> characters ->
/// merges Nothing splits the text, but it is merged in parts: where no token has two neighbouring characters side by
/// side, no merge can join them. O(n log n) for a part of n characters.
class SentencePieceBpe final : public detail::BpeTokenizer {
 public:
  /// Throws FormatError if an id is out of range, a merge's bytes are not those of its parts, or two characters' tokens
  /// are equal.
  explicit SentencePieceBpe(BpeVocabulary vocabulary)
      : BpeTokenizer(std::move(vocabulary)), joints_(this->vocabulary().merges.size()) {
    if (!this->vocabulary().byte_tokens) fail("byte_tokens", "expected one for each byte, got none");
    is_byte_.assign(this->vocabulary().tokens.size(), false);
    for (std::size_t byte = 0; byte < 256; ++byte) add_byte(byte);
    index_characters();
    index_joints();
    forget_merges();
  }

 private:
  static constexpr Token none = -1;

  Token byte_token(char c) const { return (*vocabulary().byte_tokens)[static_cast<unsigned char>(c)]; }

  void add_byte(std::size_t byte) {
    const Token id = (*vocabulary().byte_tokens)[byte];
    if (id < 0 || static_cast<Index>(id) >= size())
      fail(detail::item("byte_tokens", byte),
           "expected an id below " + std::to_string(size()) + ", got " + std::to_string(id));
    is_byte_[static_cast<std::size_t>(id)] = true;
  }

  /// The token of the character at the start of `text`, or none.
  Token token_at(std::string_view text) const {
    const std::uint32_t code = detail::code_point(text);
    return code < token_of_character_.size() ? token_of_character_[code] : none;
  }

  void index_characters() {
    for (Token id = 0; id < size(); ++id) {
      const std::string_view bytes = piece(id);
      if (bytes.empty() || bytes.size() > 4 || is_added(id) || is_byte_[static_cast<std::size_t>(id)]) continue;
      const detail::Utf8Step step = detail::utf8_step(bytes);
      if (step.fault || step.length != bytes.size()) continue;
      const std::uint32_t code = detail::code_point(bytes);
      if (code >= token_of_character_.size()) token_of_character_.resize(code + 1, none);
      if (token_of_character_[code] != none)
        fail(detail::item("tokens", static_cast<std::size_t>(id)),
             "expected bytes of its own, got those of token " + std::to_string(token_of_character_[code]));
      token_of_character_[code] = id;
    }
  }

  void index_joints() {
    for (const BpeMerge& merge : vocabulary().merges) {
      const std::string_view left = piece(merge.left), right = piece(merge.right);
      std::size_t last = left.size() - 1;
      while (last > 0 && (static_cast<unsigned char>(left[last]) & 0xC0) == 0x80) --last;
      if (detail::utf8_step(left.substr(last)).fault || detail::utf8_step(right).fault) continue;  // no text has them
      const Token before = token_at(left.substr(last)), after = token_at(right);
      if (before != none && after != none) joints_.add(before, after);
    }
  }

  void encode_plain(std::string_view text, bool at_start, Workspace& work, std::vector<Token>& ids) const override {
    const SpacePrefix prefix = vocabulary().space_prefix;
    Token before = none;
    if ((prefix == SpacePrefix::each_without_space || (prefix == SpacePrefix::first_without_space && at_start)) &&
        !text.starts_with(' '))
      add(" ", before, work, ids);
    for (std::size_t i = 0, length = 0; i < text.size(); i += length) {
      length = detail::utf8_step(text.substr(i)).length;
      add(text.substr(i, length), before, work, ids);
    }
    merges().run(work, ids);
  }

  /// Adds one character. `before` is the token of the one before it in the same part, or none.
  void add(std::string_view character, Token& before, Workspace& work, std::vector<Token>& ids) const {
    const Token id = token_at(character);
    const bool joins = id != none && before != none && joints_.may_have(before, id) &&
                       !(vocabulary().split_at_spaces && character == " ");
    if (!joins) merges().run(work, ids);
    before = id;
    if (id != none)
      work.add(id);
    else
      for (const char c : character) ids.push_back(byte_token(c));
  }

  detail::Joints joints_;
  std::vector<bool> is_byte_;
  std::vector<Token> token_of_character_;  // by code point, as far as they go
};

}  // namespace tern
