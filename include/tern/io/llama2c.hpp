#pragma once
#include <filesystem>

#include "tern/core/matrix.hpp"
#include "tern/io/byte_reader.hpp"
#include "tern/io/mapped_file.hpp"

namespace tern {

/// A checkpoint of llama2.c's first form (https://github.com/karpathy/llama2.c, `legacy_export`): seven i32, then fp32
/// weights, each kind for all layers in turn. Its rotary embedding turns neighbours (2i, 2i+1) of a head, not halves.
struct Llama2c {
  struct Layer {
    Matrix<float> attention_norm;             // [1 x width]
    Matrix<float> query, key, value, output;  // [width x width], [kv x width] twice, [width x width]
    Matrix<float> mlp_norm;                   // [1 x width]
    Matrix<float> gate, down, up;             // w1 [hidden x width], w2 [width x hidden], w3 [hidden x width]
  };

  Index width = 0, hidden = 0, heads = 0, kv_heads = 0, vocabulary = 0, context = 0;
  Matrix<float> embedding;  // [vocabulary x width]
  std::vector<Layer> layers;
  Matrix<float> final_norm;  // [1 x width]
  Matrix<float> head;        // [vocabulary x width]; empty: the embedding serves

  Index head_dim() const { return width / heads; }

  /// Throws IoError where `path` cannot be read, FormatError "llama2c '<path>' at byte <n>: ..." where its size is not
  /// what its header calls for; checks that before it allocates.
  static Llama2c read(const std::filesystem::path& path) {
    const MappedFile file(path);
    return decode(file.bytes(), path.string());
  }

  static Llama2c decode(Bytes bytes, const std::string& name) {
    ByteReader reader(bytes, "llama2c '" + name + "'");
    Llama2c m;
    m.width = read_extent(reader, "width");
    m.hidden = read_extent(reader, "hidden width");
    const Index depth = read_extent(reader, "number of layers", most_layers);
    m.heads = read_extent(reader, "number of heads");
    m.kv_heads = read_extent(reader, "number of key/value heads");
    const auto signed_vocabulary = reader.number<std::int32_t>("the vocabulary");
    m.vocabulary = std::abs(Index{signed_vocabulary});
    m.context = read_extent(reader, "context");
    m.check(reader, depth, signed_vocabulary > 0);
    m.layers.resize(static_cast<std::size_t>(depth));

    const auto weights = [&](Index rows, Index columns) { return read_matrix(reader, rows, columns); };
    const auto each = [&](auto member, Index rows, Index columns) {
      for (auto& layer : m.layers) layer.*member = weights(rows, columns);
    };
    const Index kv = m.kv_heads * m.head_dim();
    m.embedding = weights(m.vocabulary, m.width);
    each(&Layer::attention_norm, 1, m.width);
    each(&Layer::query, m.width, m.width);
    each(&Layer::key, kv, m.width);
    each(&Layer::value, kv, m.width);
    each(&Layer::output, m.width, m.width);
    each(&Layer::mlp_norm, 1, m.width);
    each(&Layer::gate, m.hidden, m.width);
    each(&Layer::down, m.width, m.hidden);
    each(&Layer::up, m.hidden, m.width);
    m.final_norm = weights(1, m.width);
    reader.take(m.rotary_bytes(), "the rotary tables");  // derived from the position alone
    if (signed_vocabulary < 0) m.head = weights(m.vocabulary, m.width);
    return m;
  }

 private:
  static constexpr Index most_extent = Index{1} << 20, most_layers = 4096;

  static Index read_extent(ByteReader& reader, const std::string& what, Index most = most_extent) {
    const std::size_t at = reader.offset();
    const Index n = reader.number<std::int32_t>(what);
    if (n < 1 || n > most)
      reader.fail(at, what + ": expected 1 to " + std::to_string(most) + ", got " + std::to_string(n));
    return n;
  }

  static Matrix<float> read_matrix(ByteReader& reader, Index rows, Index columns) {
    Matrix<float> m(rows, columns);
    const Bytes source = reader.take(static_cast<std::uint64_t>(m.size()) * sizeof(float), "weights");
    for (Index i = 0; i < m.size(); ++i) m.data()[i] = load_little<float>(source.data() + 4 * i);
    return m;
  }

  std::uint64_t rotary_bytes() const {
    return static_cast<std::uint64_t>(context * (head_dim() / 2) * 2) * sizeof(float);
  }

  /// Extents up to 2^20 keep every product here far below 2^63.
  void check(const ByteReader& reader, Index depth, bool tied) const {
    if (vocabulary < 1 || vocabulary > most_extent)
      reader.fail(20,
                  "vocabulary: expected 1 to " + std::to_string(most_extent) + ", got " + std::to_string(vocabulary));
    if (width % heads != 0 || heads % kv_heads != 0)
      reader.fail(0, "expected a width that heads divide and heads that key/value heads divide, got " +
                         std::to_string(width) + ", " + std::to_string(heads) + ", " + std::to_string(kv_heads));
    const Index layer = 2 * width + 2 * width * width + 2 * kv_heads * head_dim() * width + 3 * width * hidden;
    const Index floats = (tied ? 1 : 2) * vocabulary * width + depth * layer + width;
    const std::uint64_t expected = reader.offset() + 4 * static_cast<std::uint64_t>(floats) + rotary_bytes();
    const std::uint64_t found = reader.offset() + reader.remaining();
    if (found != expected)
      reader.fail(0, "expected a file of " + std::to_string(expected) + " bytes, got " + std::to_string(found));
  }
};

}  // namespace tern
