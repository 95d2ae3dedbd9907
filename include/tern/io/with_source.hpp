#pragma once
#include <filesystem>
#include <optional>
#include <utility>

#include "tern/io/gguf_source.hpp"
#include "tern/io/hugging_face.hpp"

namespace tern {

/// f(source) of the model at `path`: a Hugging Face folder, or else a GGUF file. The source lives while f runs. `i2_s`: see
/// GgufSource. Throws IoError where nothing can be read there, FormatError where it is broken.
template <class F>
auto with_source(const std::filesystem::path& path, F&& f, std::optional<I2sLayout> i2_s = std::nullopt) {
  if (std::filesystem::is_directory(path)) return f(HuggingFaceFolder::open(path));
  const GgufFile file = GgufFile::open(path);
  return f(GgufSource(file, i2_s));
}

}  // namespace tern
