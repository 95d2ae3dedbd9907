#pragma once
#include "tern/io/gguf_source.hpp"
#include "tern/io/hugging_face.hpp"

namespace tern {

/// Opens what lies at `path`, a GGUF file or a Hugging Face folder, and calls f(source), whose result it returns. The
/// file is mapped for as long. `i2_s`: see GgufSource. Throws IoError where there is nothing.
template <class F>
decltype(auto) with_source(const std::filesystem::path& path, F&& f, std::optional<I2sLayout> i2_s = std::nullopt) {
  if (std::filesystem::is_directory(path)) return f(HuggingFaceFolder::open(path));
  const GgufFile file = GgufFile::open(path);
  return f(GgufSource(file, i2_s));
}

}  // namespace tern
