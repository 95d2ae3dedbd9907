#pragma once
#include <algorithm>

#include "tern/io/architectures/bitnet.hpp"
#include "tern/io/architectures/gemma3.hpp"
#include "tern/io/architectures/llama.hpp"
#include "tern/io/architectures/phi3.hpp"
#include "tern/io/architectures/qwen2.hpp"
#include "tern/io/architectures/qwen3.hpp"

namespace tern {

/// The families that tern knows. A new one is a file and a row.
inline const std::vector<const Architecture*>& architectures() {
  static const std::vector<const Architecture*> table = {
      &llama_architecture(), &qwen2_architecture(), &qwen3_architecture(),
      &gemma3_architecture(), &phi3_architecture(), &bitnet_architecture(),
  };
  return table;
}

/// The family of a source. Throws FormatError, which lists those there are.
template <TensorSource Source>
const Architecture& find_architecture(const Source& source) {
  const std::string name = source.architecture();
  std::string known;
  for (const Architecture* a : architectures()) {
    const auto& names = Source::naming == Naming::gguf ? a->gguf : a->hugging_face;
    if (std::find(names.begin(), names.end(), name) != names.end()) return *a;
    for (const auto& n : names) known += (known.empty() ? "" : ", ") + std::string(n);
  }
  const std::string field = Source::naming == Naming::gguf ? "general.architecture" : "model_type";
  throw FormatError(std::string(source.place()) + ": " + field + ": expected one of " + known + ", got " +
                    in_quotes(name));
}

/// The configuration of a source's model. Throws FormatError on an unknown architecture, a missing or impossible field
/// and a scaling of rope that tern lacks, ValueError on values that cannot be a model.
template <TensorSource Source>
ModelConfig read_config(const Source& source) {
  const Architecture& family = find_architecture(source);
  const Hyperparameters h(source);
  ModelConfig c = read_shared_config(h);
  c.architecture = family.name;
  family.configure(h, c);
  validate(c, source.place());
  return c;
}

}  // namespace tern
