// Weights from a file: a small model is written as GGUF and read back.
// You learn to write and open a model, what eight-bit weights cost in bytes and precision, and how a broken file is
// refused: by an exception that names file, byte, expectation and finding.
// Prints sizes, what the file says of the model, how far the loaded weights lie from the written ones, and that message.
#include <cstdio>
#include <filesystem>

#include "tern/io/gguf_writer.hpp"
#include "tern/io/load_model.hpp"
#include "tern/io/save_model.hpp"

namespace {

/// The largest difference between the projections of two models, relative to the largest weight.
double distance(const tern::Decoder<float>& a, const tern::Decoder<float>& b) {
  const auto& of_a = a.blocks[0].mlp.up.weight.parameter.value;
  const auto& of_b = b.blocks[0].mlp.up.weight.parameter.value;
  return static_cast<double>((of_a - of_b).cwiseAbs().maxCoeff() / of_a.cwiseAbs().maxCoeff());
}

}  // namespace

int main() {
  tern::Decoder<float> model({.hidden = 64, .layers = 2, .ffn = 128, .heads = 4, .kv_heads = 2, .head_dim = 16,
                              .vocabulary = 256, .context = 128});
  tern::Random random(1);
  tern::initialize(model, random);

  const auto path = std::filesystem::temp_directory_path() / "tern_05_load_weights.gguf";
  for (const auto type : {tern::GgmlType::f32, tern::GgmlType::q8_0}) {
    tern::GgufWriter writer;
    writer.set("general.architecture", std::string("llama"));
    tern::add_model(model, writer, /*weights=*/type, /*table=*/type);
    writer.write(path);

    const tern::GgufFile file = tern::GgufFile::open(path);
    const auto loaded = tern::load_model<float>(file);
    std::printf("%s: %zu tensors, %ju bytes, hidden %td, %td layers, %s\n",
                std::string(tern::find_ggml_type(type)->name).c_str(), file.tensors().size(),
                static_cast<std::uintmax_t>(std::filesystem::file_size(path)), loaded.config.hidden, loaded.config.layers,
                distance(model, loaded) == 0     ? "the weights as written"
                : distance(model, loaded) < 0.01 ? "the weights within a hundredth of the largest"
                                                 : "other weights");
  }

  // Bytes that are no file yet: an embedder may hold a model in memory.
  std::vector<std::byte> bytes;
  tern::GgufWriter writer;
  tern::add_model(model, writer, tern::GgmlType::f32, tern::GgmlType::f32);
  writer.write_to([&](tern::Bytes piece) { bytes.insert(bytes.end(), piece.begin(), piece.end()); });
  bytes.resize(bytes.size() - 1000);
  try {
    const tern::GgufFile file(bytes, "truncated.gguf");
  } catch (const tern::FormatError& error) {
    std::printf("%s\n", error.what());
  }
  std::filesystem::remove(path);
}
