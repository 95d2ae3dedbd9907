#pragma once
/// Reads SentencePiece's tokenizer.model where it is a BPE model with byte fallback.
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include "tern/text/gguf_vocabulary.hpp"

namespace tern {

namespace detail {

/// Walks the fields of one protobuf message. Whatever passes its end is a FormatError.
class ProtobufReader {
 public:
  ProtobufReader(std::string_view message, std::string_view source, std::string name)
      : rest_(message), source_(source), name_(std::move(name)) {}

  /// Goes to the next field, whose number is field(); false at the end.
  bool next() {
    if (rest_.empty()) return false;
    const std::uint64_t tag = varint();
    field_ = tag >> 3;
    kind_ = static_cast<int>(tag & 7);
    number_ = 0;
    bytes_ = {};
    if (kind_ == 0)
      number_ = varint();
    else if (kind_ == 1)
      take(8);
    else if (kind_ == 2)
      bytes_ = take(varint());
    else if (kind_ == 5)
      for (int shift = 0; const char c : take(4)) {
        number_ |= std::uint64_t{static_cast<unsigned char>(c)} << shift;
        shift += 8;
      }
    else
      fail("expected a field of wire type 0, 1, 2 or 5, got " + std::to_string(kind_));
    return true;
  }

  std::uint64_t field() const { return field_; }
  /// The value of the field, which must be of that kind.
  std::int64_t integer() const { return expect(0), static_cast<std::int64_t>(number_); }
  std::string_view bytes() const { return expect(2), bytes_; }
  float real() const { return expect(5), std::bit_cast<float>(static_cast<std::uint32_t>(number_)); }

  [[noreturn]] void fail(const std::string& problem) const { fail_at(source_, name_, problem); }

 private:
  void expect(int kind) const {
    if (kind_ != kind)
      fail("field " + std::to_string(field_) + ": expected wire type " + std::to_string(kind) + ", got " +
           std::to_string(kind_));
  }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1).front());
      value |= std::uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return value;
    }
    fail("expected an integer of at most ten bytes, got a longer one");
  }

  std::string_view take(std::uint64_t size) {
    if (size > rest_.size())
      fail("a field needs " + std::to_string(size) + " bytes, " + std::to_string(rest_.size()) + " remain");
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_, source_;
  std::string name_;
  std::uint64_t field_ = 0, number_ = 0;
  int kind_ = 0;
  std::string_view bytes_;
};

/// The fields of sentencepiece_model.proto that decide ids, as those of a GGUF file: both have the same types of token.
inline GgufTokenizerFields sentencepiece_fields(std::string_view content, std::string_view source) {
  GgufTokenizerFields fields;
  fields.model = "llama";
  fields.add_space_prefix = fields.remove_extra_whitespaces = true;  // the defaults of SentencePiece
  fields.bos_token_id = 1;
  fields.eos_token_id = 2;
  std::int64_t model_type = 1;
  bool space_is_suffix = false, escapes_spaces = true;
  std::string_view rules, rules_name;

  ProtobufReader model(content, source, "model");
  while (model.next()) {
    if (model.field() == 1) {
      ProtobufReader piece(model.bytes(), source, item("tokens", fields.tokens.size()));
      fields.tokens.emplace_back();
      fields.scores.push_back(0);
      fields.token_type.push_back(1);
      while (piece.next()) {
        if (piece.field() == 1) fields.tokens.back() = piece.bytes();
        if (piece.field() == 2) fields.scores.back() = piece.real();
        if (piece.field() == 3) {
          const std::int64_t type = piece.integer();
          if (type < 1 || type > 6) piece.fail("expected a type from 1 to 6, got " + std::to_string(type));
          fields.token_type.back() = static_cast<std::int32_t>(type);
        }
      }
    } else if (model.field() == 2) {
      ProtobufReader trainer(model.bytes(), source, "trainer_spec");
      const auto id = [&]() -> std::optional<std::int64_t> {
        const auto value = static_cast<std::int32_t>(trainer.integer());
        return value == -1 ? std::nullopt : std::optional<std::int64_t>(value);
      };
      while (trainer.next()) {
        if (trainer.field() == 3) model_type = trainer.integer();
        if (trainer.field() == 24) space_is_suffix = trainer.integer() != 0;
        if (trainer.field() == 41) fields.bos_token_id = id();
        if (trainer.field() == 42) fields.eos_token_id = id();
      }
    } else if (model.field() == 3) {
      ProtobufReader normalizer(model.bytes(), source, "normalizer_spec");
      while (normalizer.next()) {
        if (normalizer.field() == 1) rules_name = normalizer.bytes();
        if (normalizer.field() == 2) rules = normalizer.bytes();
        if (normalizer.field() == 3) fields.add_space_prefix = normalizer.integer() != 0;
        if (normalizer.field() == 4) fields.remove_extra_whitespaces = normalizer.integer() != 0;
        if (normalizer.field() == 5) escapes_spaces = normalizer.integer() != 0;
      }
    }
  }
  if (fields.tokens.empty()) fail_at(source, "model", "expected pieces, got none");
  if (model_type != 2)
    fail_at(source, "trainer_spec.model_type", "expected 2 (BPE), got " + std::to_string(model_type));
  if (space_is_suffix) fail_at(source, "trainer_spec.treat_whitespace_as_suffix", "expected false, got true");
  if (!escapes_spaces) fail_at(source, "normalizer_spec.escape_whitespaces", "expected true, got false");
  if (!rules.empty())
    fail_at(source, "normalizer_spec", "expected 'identity', got the rules of " + in_quotes(rules_name));
  return fields;
}

}  // namespace detail

/// The vocabulary in a tokenizer.model's content; `source` is its path, for messages. Control and unknown pieces become
/// special, user-defined ones are added. BOS is put where the model has one. Throws FormatError on broken content, and
/// naming the field on what is not understood: other models than BPE with byte fallback, rules of normalisation.
inline BpeVocabulary read_sentencepiece_model(std::string_view content, std::string_view source) {
  const GgufTokenizerFields fields = detail::sentencepiece_fields(content, source);
  BpeVocabulary vocabulary = detail::GgufVocabularyReader(fields, source, "").read();
  for (AddedToken& added : vocabulary.added) added.normalized = !added.special;  // SentencePiece searches them there
  return vocabulary;
}

}  // namespace tern
