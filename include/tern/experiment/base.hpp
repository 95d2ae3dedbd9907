#pragma once
#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "tern/io/base_files.hpp"
#include "tern/io/load_model.hpp"
#include "tern/io/with_source.hpp"
#include "tern/models/convert.hpp"
#include "tern/text/load_tokenizer.hpp"

namespace tern {

/// A shared model with its tokenizer, as a file gave them.
struct Base {
  std::string name;
  std::filesystem::path path;
  std::string fingerprint;   ///< the first 16 hex digits of the files' SHA-256; empty where it was not asked for
  std::uintmax_t bytes = 0;  ///< of its files
  PackedDecoder<float> model;
  std::optional<PackedDecoder<float>> ternary;  ///< the same model trained to be ternary, where there is one
  std::unique_ptr<Tokenizer> tokenizer;

  /// Bytes of each token's text.
  std::vector<Index> token_bytes(std::span<const Token> tokens) const {
    std::vector<Index> bytes_of_tokens;
    for (const Token t : tokens) bytes_of_tokens.push_back(tokenizer->token_bytes(t));
    return bytes_of_tokens;
  }
  /// What stands before a text where the model wants it.
  std::optional<Token> prefix() const { return tokenizer->add_bos() ? tokenizer->bos() : std::nullopt; }
  /// The weight formats that it runs on, each with its share of the weights.
  std::map<std::string, double> formats() const {
    std::map<std::string, double> numbers;
    double all = 0;
    model.each_weights([&](const Packed<float>& w) {
      const double n = static_cast<double>(w.rows()) * static_cast<double>(w.columns());
      numbers[std::string(tern::name(w.format()))] += n;
      all += n;
    });
    for (auto& [format, n] : numbers) n /= all;
    return numbers;
  }
  /// Whether most weights have 5 bits or fewer, scales included.
  bool is_four_bits() const {
    double share = 0;
    for (const auto& [format, of] : formats()) share += info(parse_weight_format(format)).bits <= 5 ? of : 0;
    return share > 0.5;
  }
};

struct BaseOptions {
  std::optional<WeightFormat> weights{};  ///< none: as stored. Tables follow plain ones alone
  bool fingerprint = true;                ///< reads the whole file once more
  bool twin = false;                      ///< the ternary twin, too, where a file of that name lies beside it
  Parallel parallel{};
  /// Weights that would fill more are refused before they are read.
  std::uintmax_t most_bytes = std::numeric_limits<std::uintmax_t>::max();
};

namespace detail {

inline LoadOptions load_options(const BaseOptions& o) {
  const bool plain = o.weights && info(*o.weights).plain;
  return {.linears = o.weights, .tables = plain ? o.weights : std::nullopt, .parallel = o.parallel};
}

}  // namespace detail

/// Where a base's ternary twin lies, if it has one: "base-ternary.gguf" beside "base.gguf".
inline std::filesystem::path ternary_twin(const std::filesystem::path& base) {
  return base.parent_path() / (base.stem().string() + "-ternary.gguf");
}

/// The tokenizer of a GGUF file or a Hugging Face folder. Throws FormatError where it has none.
inline std::unique_ptr<Tokenizer> load_base_tokenizer(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) return load_tokenizer(path);
  const GgufFile file = GgufFile::open(path);
  if (!file.find<std::string>("tokenizer.ggml.model"))
    throw FormatError(file.place() + ": expected a tokenizer (tokenizer.ggml.model), found none");
  return load_tokenizer(gguf_tokenizer_fields(file), path.string());
}

/// Reads model and tokenizer; see load_model() and load_tokenizer() for what is refused.
inline Base load_base(const std::string& name, const std::filesystem::path& path, const BaseOptions& options = {}) {
  Base base;
  base.name = name;
  base.path = path;
  for (const auto& file : base_files(path)) base.bytes += std::filesystem::file_size(file);
  if (options.fingerprint) base.fingerprint = base_fingerprint(path);
  base.tokenizer = load_base_tokenizer(path);
  const LoadOptions load = detail::load_options(options);
  with_source(path, [&](const auto& source) {
    if (const auto bytes = weight_bytes(source, load); bytes > options.most_bytes)
      throw ValueError(std::string(source.place()) + ": its weights take " + std::to_string(bytes / 1'000'000) +
                       " MB: expected at most " + std::to_string(options.most_bytes / 1'000'000) +
                       " MB, which the machine has left");
    base.model = load_model<float>(source, load);
    const Index tokens = base.tokenizer->size();
    if (tokens > base.model.config.vocabulary)
      throw FormatError(source.place() + ": tokenizer: expected at most " +
                        std::to_string(base.model.config.vocabulary) +
                        " tokens, as many as the embedding has rows, got " + std::to_string(tokens));
  });
  if (options.twin && std::filesystem::exists(ternary_twin(path)))
    with_source(ternary_twin(path), [&](const auto& source) {
      base.ternary = load_model<float>(source, {.parallel = options.parallel});
      if (sites(base.ternary->config).size() != base.model.sites().size() ||
          base.ternary->config.hidden != base.model.config.hidden)
        throw FormatError(source.place() + ": expected the same model as " + in_quotes(path.string()) +
                          ", got one of other layers or widths");
    });
  return base;
}

}  // namespace tern
