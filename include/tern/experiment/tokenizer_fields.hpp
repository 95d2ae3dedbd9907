#pragma once
/// Writes a tokenizer into a GGUF file: between the vocabulary (text) and the metadata (io). gguf_vocabulary.hpp reads it.
#include <nlohmann/json.hpp>

#include "tern/io/gguf_writer.hpp"
#include "tern/text/gguf_vocabulary.hpp"

namespace tern {

inline void add_tokenizer_fields(const GgufTokenizerFields& fields, GgufWriter& out) {
  out.set("tokenizer.ggml.model", fields.model);
  out.set("tokenizer.ggml.pre", fields.pre);
  out.set("tokenizer.ggml.tokens", fields.tokens);
  out.set("tokenizer.ggml.token_type", fields.token_type);
  out.set("tokenizer.ggml.merges", fields.merges);
  if (fields.bos_token_id) out.set("tokenizer.ggml.bos_token_id", static_cast<std::uint32_t>(*fields.bos_token_id));
  if (fields.eos_token_id) out.set("tokenizer.ggml.eos_token_id", static_cast<std::uint32_t>(*fields.eos_token_id));
  out.set("tokenizer.ggml.add_bos_token", fields.add_bos_token.value_or(false));
}

/// The fields of a byte-level BPE in Hugging Face's tokenizer.json; `pre` names its pre-tokenizer as GGUF does. Added
/// tokens become control tokens, the first of them BOS and EOS.
inline GgufTokenizerFields tokenizer_fields_from_json(const nlohmann::json& file, std::string pre) {
  GgufTokenizerFields fields;
  fields.model = "gpt2";
  fields.pre = std::move(pre);
  const auto& vocabulary = file.at("model").at("vocab");
  fields.tokens.resize(vocabulary.size());
  fields.token_type.assign(vocabulary.size(), 1);
  for (const auto& [token, id] : vocabulary.items()) fields.tokens.at(id.get<std::size_t>()) = token;
  for (const auto& merge : file.at("model").at("merges"))
    fields.merges.push_back(merge.is_string() ? merge.get<std::string>()
                                              : merge.at(0).get<std::string>() + " " + merge.at(1).get<std::string>());
  for (const auto& added : file.at("added_tokens")) {
    const auto id = added.at("id").get<std::int64_t>();
    fields.token_type.at(static_cast<std::size_t>(id)) = 3;
    if (!fields.eos_token_id) fields.bos_token_id = fields.eos_token_id = id;
  }
  return fields;
}

}  // namespace tern
