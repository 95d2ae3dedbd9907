#pragma once
#include "tern/io/architectures/llama.hpp"
#include "tern/io/gguf_writer.hpp"
#include "tern/models/decoder.hpp"
#include "tern/weights/ternary_aware.hpp"

namespace tern {

/// What a linear's weights are worth as plain numbers.
template <std::floating_point S>
const Matrix<S>& plain_weights(const Dense<S>& w) {
  return w.parameter.value;
}
template <std::floating_point S>
Matrix<S> plain_weights(const TernaryAware<S>& w) {
  return w.quantized();
}

namespace detail {

/// What add_model() cannot write of a model; empty where it can write all.
inline std::string beyond_plain_llama(const ModelConfig& c) {
  if (c.architecture != "llama") return "the architecture " + in_quotes(c.architecture);
  if (c.embedding_scale != 1) return "a scaled embedding";
  const LayerConfig plain;
  const RopeConfig rope{.theta = c.layers.front().rope.theta};
  for (std::size_t i = 0; i < c.layers.size(); ++i) {
    const LayerConfig& layer = c.layers[i];
    const std::string in = " in layer " + std::to_string(i);
    if (layer.window != plain.window) return "a window" + in;
    if (layer.rope != rope) return "rope that is not plain, or not the first layer's," + in;
    if (layer.query_scale != plain.query_scale) return "a query scale" + in;
    if (layer.gate != plain.gate) return "another gate than SiLU" + in;
    if (layer.norms != plain.norms) return "other norms" + in;
    if (layer.biases != plain.biases) return "biases" + in;
  }
  return {};
}

/// Rows as the file has them.
template <std::floating_point S>
Matrix<S> in_file_order(const RowOrder& order, const Matrix<S>& rows) {
  Matrix<S> file(rows.rows(), rows.cols());
  for (Index r = 0; r < rows.rows(); ++r) file.row(order.file_row(r)) = rows.row(r);
  return file;
}

}  // namespace detail

/// Adds a llama model to a GGUF: hyper-parameters, linears as `weights`, embedding and head as `table`, gains as F32; the
/// inverse of load_model(). The caller sets general.architecture. W is Dense or TernaryAware, which is written rounded.
/// Throws ValueError, naming it, for what plain llama blocks lack, and where rows are no whole number of the type's
/// blocks.
template <class W>
void add_model(const Decoder<float, W>& model, GgufWriter& out, GgmlType weights, GgmlType table) {
  const ModelConfig& c = model.config;
  if (const std::string what = detail::beyond_plain_llama(c); !what.empty())
    throw ValueError("save model: expected plain llama blocks, got " + what);
  const auto u32 = [&](const char* key, Index value) {
    out.set(std::string("llama.") + key, static_cast<std::uint32_t>(value));
  };
  u32("embedding_length", c.hidden);
  u32("block_count", c.layer_count());
  u32("feed_forward_length", c.ffn);
  u32("attention.head_count", c.heads);
  u32("attention.head_count_kv", c.kv_heads);
  u32("attention.key_length", c.head_dim);
  u32("attention.value_length", c.head_dim);
  u32("rope.dimension_count", c.head_dim);
  u32("context_length", c.context);
  u32("vocab_size", c.vocabulary);
  out.set("llama.rope.freq_base", static_cast<float>(c.layers.front().rope.theta));
  out.set("llama.attention.layer_norm_rms_epsilon", static_cast<float>(c.epsilon));

  out.add_matrix(std::string(embedding_tensor.gguf), table, model.embedding.table.parameter.value);
  if (model.head) out.add_matrix(std::string(head_tensor.gguf), table, model.head->parameter.value);
  Decoder<float, W>::each_part(model, [&](SiteId id, const auto& part) {
    const TensorPlace at = place_of(llama_architecture(), c, Naming::gguf, id);
    if constexpr (requires { part.gain; }) {
      const Matrix<float>& gain = part.gain.value;
      out.add_vector(at.name + ".weight", GgmlType::f32, {gain.data(), static_cast<std::size_t>(gain.size())});
    } else {
      out.add_matrix(at.name + ".weight", weights, detail::in_file_order<float>(at.order, plain_weights(part.weight)));
    }
  });
}

}  // namespace tern
