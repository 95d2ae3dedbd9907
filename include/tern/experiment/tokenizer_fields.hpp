#pragma once
/// Writes a tokenizer into a GGUF file: between the vocabulary (text) and the metadata (io). gguf_vocabulary.hpp reads
/// it.
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
  if (!fields.chat_template.empty()) out.set("tokenizer.chat_template", fields.chat_template);
  out.set("tokenizer.ggml.add_bos_token", fields.add_bos_token.value_or(false));
}

}  // namespace tern
