#pragma once
/// Turns the tokenizer fields of a GGUF file's metadata into a BPE vocabulary. Reading the file is io's work.
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tern/core/error.hpp"
#include "tern/text/bpe_vocabulary.hpp"
#include "tern/text/pre_tokenizer.hpp"

namespace tern {

/// The metadata keys below tokenizer.ggml, as the file has them.
struct GgufTokenizerFields {
  std::string model;                     ///< "gpt2" is byte-level BPE
  std::string pre;                       ///< the pre-tokenizer's name
  std::vector<std::string> tokens;       ///< in the byte alphabet
  std::vector<std::int32_t> token_type;  ///< one for each token, or empty: all normal
  std::vector<std::string> merges;       ///< "left right"
  std::optional<std::int64_t> bos_token_id, eos_token_id;
  std::optional<bool> add_bos_token;  ///< without it Llama 3 adds BOS and the others do not
};

/// The fields as an open GGUF file holds them. `file` offers find<T>(key) -> optional<T>, as GgufFile does.
template <class File>
GgufTokenizerFields gguf_tokenizer_fields(const File& file) {
  const auto text = [&](const char* key) { return file.template find<std::string>(key).value_or(""); };
  GgufTokenizerFields fields;
  fields.model = text("tokenizer.ggml.model");
  fields.pre = text("tokenizer.ggml.pre");
  using Names = std::vector<std::string>;
  fields.tokens = file.template find<Names>("tokenizer.ggml.tokens").value_or(Names());
  fields.token_type =
      file.template find<std::vector<std::int32_t>>("tokenizer.ggml.token_type").value_or(std::vector<std::int32_t>());
  fields.merges = file.template find<Names>("tokenizer.ggml.merges").value_or(Names());
  fields.bos_token_id = file.template find<std::int64_t>("tokenizer.ggml.bos_token_id");
  fields.eos_token_id = file.template find<std::int64_t>("tokenizer.ggml.eos_token_id");
  fields.add_bos_token = file.template find<bool>("tokenizer.ggml.add_bos_token");
  return fields;
}

namespace detail {

/// The byte that a token named <0xHH> stands for; nothing for any other name.
inline std::optional<std::string> byte_token(std::string_view name) {
  if (name.size() != 6 || !name.starts_with("<0x") || !name.ends_with('>')) return std::nullopt;
  unsigned char byte = 0;
  const auto parsed = std::from_chars(name.data() + 3, name.data() + 5, byte, 16);
  if (parsed.ec != std::errc() || parsed.ptr != name.data() + 5) return std::nullopt;
  return std::string(1, static_cast<char>(byte));
}

}  // namespace detail

/// The vocabulary in `fields` of the file `source` (its path, for messages). Control and unknown tokens become special,
/// user-defined ones are added. Throws FormatError naming the key and index of what is missing, twice or out of range.
inline BpeVocabulary bpe_vocabulary_from_gguf(const GgufTokenizerFields& fields, std::string_view source) {
  enum Type { normal = 1, unknown, control, user_defined, unused, byte };
  const auto fail = [&](const std::string& place, const std::string& problem) {
    throw FormatError("tokenizer '" + std::string(source) + "': tokenizer.ggml." + place + ": " + problem);
  };
  const auto at = [](const char* key, std::size_t i) { return key + ("[" + std::to_string(i) + "]"); };

  if (fields.model != "gpt2") fail("model", "expected 'gpt2' (byte-level BPE), got '" + fields.model + "'");
  if (fields.tokens.empty()) fail("tokens", "expected names, got none");
  if (!fields.token_type.empty() && fields.token_type.size() != fields.tokens.size())
    fail("token_type", "expected " + std::to_string(fields.tokens.size()) + " types, got " +
                           std::to_string(fields.token_type.size()));

  BpeVocabulary vocabulary;
  if (fields.pre.empty()) fail("pre", "expected a pre-tokenizer's name, got none");
  vocabulary.split_patterns = named_split_patterns(fields.pre);
  vocabulary.nfc = fields.pre == "qwen2";
  const bool is_llama = fields.pre == "llama-bpe" || fields.pre == "llama3" || fields.pre == "llama-v3";
  vocabulary.ignore_merges = is_llama;

  std::unordered_map<std::string, Token> id_of;
  for (std::size_t i = 0; i < fields.tokens.size(); ++i) {
    const std::string& name = fields.tokens[i];
    const auto id = static_cast<Token>(i);
    const std::int32_t type = fields.token_type.empty() ? normal : fields.token_type[i];
    if (type < normal || type > byte) fail(at("token_type", i), "expected 1 to 6, got " + std::to_string(type));
    if (!id_of.emplace(name, id).second) fail(at("tokens", i), "'" + name + "' a second time");
    std::optional<std::string> bytes = name;
    if (type == normal) bytes = detail::bytes_of_name(name);
    if (type == byte) bytes = detail::byte_token(name);
    if (type == unused) bytes = "";
    if (!bytes)
      fail(at("tokens", i), (type == byte ? "expected a byte token <0x00> to <0xFF>, got '"
                                          : "expected characters of the byte alphabet, got '") +
                                name + "'");
    if (type == unknown || type == control) vocabulary.added.push_back({id, true, false});
    if (type == user_defined) vocabulary.added.push_back({id, false, false});
    vocabulary.tokens.push_back(*bytes);
  }

  const detail::MergeResolver resolve(id_of, std::string(source), "tokenizer.ggml.merges");
  for (std::size_t i = 0; i < fields.merges.size(); ++i) vocabulary.merges.push_back(resolve(fields.merges[i], i));

  const auto special_id = [&](const char* key, std::optional<std::int64_t> id) -> std::optional<Token> {
    if (!id) return std::nullopt;
    if (*id < 0 || static_cast<std::size_t>(*id) >= fields.tokens.size())
      fail(key, "expected an id below " + std::to_string(fields.tokens.size()) + ", got " + std::to_string(*id));
    return static_cast<Token>(*id);
  };
  vocabulary.bos = special_id("bos_token_id", fields.bos_token_id);
  vocabulary.eos = special_id("eos_token_id", fields.eos_token_id);
  vocabulary.add_bos = fields.add_bos_token.value_or(is_llama && vocabulary.bos);
  if (vocabulary.add_bos && !vocabulary.bos) fail("add_bos_token", "expected a bos_token_id, got none");
  return vocabulary;
}

}  // namespace tern
