#pragma once
#include "tern/io/gguf_writer.hpp"
#include "tern/io/load_model.hpp"
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

/// Adds a llama-architecture model to a GGUF: hyper-parameters, projections and tables as `weights`/`table` types, norms
/// as F32. q and k go into the file's interleaved order: the inverse of load_model(). Throws ValueError for what the
/// architecture lacks (sub-norms, another gate) and where rows are no whole number of the type's blocks.
template <class W>
void add_model(const Decoder<float, W>& model, GgufWriter& out, GgmlType weights, GgmlType table) {
  const ModelConfig& c = model.config;
  if (c.sub_norms || c.gate != kernels::Gate::silu || !c.rope_divisors.empty() || c.qkv_bias)
    throw ValueError("save model: expected plain llama blocks, got biases, sub-norms, another gate or scaled rope");
  const auto u32 = [&](const char* key, Index value) {
    out.set(std::string("llama.") + key, static_cast<std::uint32_t>(value));
  };
  u32("embedding_length", c.hidden);
  u32("block_count", c.layers);
  u32("feed_forward_length", c.ffn);
  u32("attention.head_count", c.heads);
  u32("attention.head_count_kv", c.kv_heads);
  u32("attention.key_length", c.head_dim);
  u32("attention.value_length", c.head_dim);
  u32("rope.dimension_count", c.head_dim);
  u32("context_length", c.context);
  u32("vocab_size", c.vocabulary);
  out.set("llama.rope.freq_base", static_cast<float>(c.rope_theta));
  out.set("llama.attention.layer_norm_rms_epsilon", static_cast<float>(c.epsilon));

  const auto vector = [&](const std::string& name, const Matrix<float>& row) {
    out.add_vector(name, GgmlType::f32, {row.data(), static_cast<std::size_t>(row.size())});
  };
  vector("output_norm.weight", model.final_norm.gain.value);
  out.add_matrix("token_embd.weight", table, model.embedding.table.parameter.value);
  if (model.head) out.add_matrix("output.weight", table, model.head->parameter.value);
  for (Index i = 0; i < c.layers; ++i) {
    const std::string p = "blk." + std::to_string(i) + ".";
    const auto& b = model.blocks[static_cast<std::size_t>(i)];
    const auto matrix = [&](const char* name, const Linear<float, W>& l) {
      out.add_matrix(p + name + ".weight", weights, plain_weights(l.weight));
    };
    const auto rotated = [&](const char* name, const Linear<float, W>& l) {
      out.add_matrix(p + name + ".weight", weights, detail::permuted<float>(plain_weights(l.weight), c.head_dim));
    };
    vector(p + "attn_norm.weight", b.attention_norm.gain.value);
    vector(p + "ffn_norm.weight", b.mlp_norm.gain.value);
    rotated("attn_q", b.attention.query);
    rotated("attn_k", b.attention.key);
    matrix("attn_v", b.attention.value);
    matrix("attn_output", b.attention.output);
    matrix("ffn_gate", b.mlp.gate);
    matrix("ffn_up", b.mlp.up);
    matrix("ffn_down", b.mlp.down);
  }
}

}  // namespace tern
