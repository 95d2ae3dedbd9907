#pragma once
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "tern/io/gguf.hpp"
#include "tern/io/i2_s.hpp"
#include "tern/io/pack_rows.hpp"
#include "tern/models/decoder.hpp"

namespace tern {

/// What a GGUF does not say of itself.
struct LoadOptions {
  std::optional<I2sLayout> i2_s{};  ///< how its I2_S tensors are laid out; without it they are refused
};

/// The hyper-parameters of a GGUF whose architecture is llama, or bitnet-b1.58 (BitNet b1.58 2B4T: sub-norms, relu^2).
/// Throws FormatError on another architecture or a missing field, ValueError on values that cannot be a model.
inline ModelConfig read_config(const GgufFile& file) {
  const auto architecture = file.get<std::string>("general.architecture");
  const bool bitnet = architecture == "bitnet-b1.58";
  if (!bitnet && architecture != "llama")
    throw FormatError(file.place() + ": general.architecture: expected 'llama' or 'bitnet-b1.58', got '" +
                      architecture + "'");
  const auto key = [&](const char* field) { return architecture + "." + field; };
  const auto integer = [&](const char* field) { return static_cast<Index>(file.get<std::uint32_t>(key(field))); };
  const auto optional = [&](const char* field, Index otherwise) {
    const auto found = file.find<std::uint32_t>(key(field));
    return found ? static_cast<Index>(*found) : otherwise;
  };
  ModelConfig c;
  c.architecture = architecture;
  c.hidden = integer("embedding_length");
  c.layers = integer("block_count");
  c.ffn = integer("feed_forward_length");
  c.heads = integer("attention.head_count");
  c.kv_heads = optional("attention.head_count_kv", c.heads);
  if (c.heads < 1)
    throw FormatError(file.place() + ": " + key("attention.head_count") + ": expected at least 1, got 0");
  c.head_dim = optional("attention.key_length", c.hidden / c.heads);
  c.context = optional("context_length", 0);
  c.rope_theta = static_cast<double>(file.find<float>(key("rope.freq_base")).value_or(10000.f));
  c.epsilon = static_cast<double>(file.get<float>(key("attention.layer_norm_rms_epsilon")));
  if (const Index rotated = optional("rope.dimension_count", c.head_dim); rotated != c.head_dim)
    throw FormatError(file.place() + ": " + key("rope.dimension_count") + ": expected the head width " +
                      std::to_string(c.head_dim) + ", got " + std::to_string(rotated));
  c.vocabulary = file.tensor("token_embd.weight").rows();
  c.tied = bitnet || file.find_tensor("output.weight") == nullptr;
  c.sub_norms = bitnet;
  c.gate = bitnet ? kernels::Gate::relu_squared : kernels::Gate::silu;
  c.qkv_bias = file.find_tensor("blk.0.attn_q.bias") != nullptr;
  if (const GgufTensor* divisors = file.find_tensor("rope_freqs.weight")) {
    const Matrix<double> d = dequantize<double>(*divisors);
    c.rope_divisors.assign(d.data(), d.data() + d.size());
  }
  validate(c, file.place());
  return c;
}

namespace detail {

/// Rows of q and k lie in the file for interleaved rotation: row h*d + 2i + j there is row h*d + j*d/2 + i here.
inline Index unpermuted_row(Index row, Index head_dim) {
  const Index within = row % head_dim;
  return row - within + within % 2 * (head_dim / 2) + within / 2;
}
template <class S>
Matrix<S> unpermuted(const Matrix<S>& rows, Index head_dim) {
  Matrix<S> w(rows.rows(), rows.cols());
  for (Index r = 0; r < rows.rows(); ++r) w.row(unpermuted_row(r, head_dim)) = rows.row(r);
  return w;
}

/// The inverse, for writing.
template <class S>
Matrix<S> permuted(const Matrix<S>& rows, Index head_dim) {
  Matrix<S> w(rows.rows(), rows.cols());
  for (Index r = 0; r < rows.rows(); ++r) w.row(r) = rows.row(unpermuted_row(r, head_dim));
  return w;
}

/// Reads a model's tensors by name, checks their shapes and remembers which were asked for.
template <class S, class W>
class TensorLoader {
 public:
  TensorLoader(const GgufFile& file, Index head_dim, const LoadOptions& options)
      : file_(file), head_dim_(head_dim), options_(options) {}

  const GgufTensor& tensor(const std::string& name, Index rows, Index columns) {
    const GgufTensor& t = file_.tensor(name);
    if (t.rows() != rows || t.columns() != columns)
      throw FormatError(place(name) + ": expected [" + std::to_string(rows) + " x " + std::to_string(columns) +
                        "], got [" + std::to_string(t.rows()) + " x " + std::to_string(t.columns()) + "]");
    used_.insert(name);
    return t;
  }
  Matrix<S> matrix(const std::string& name, Index rows, Index columns) {
    const GgufTensor& t = tensor(name, rows, columns);
    if (t.type == GgmlType::i2_s) return decode_i2_s(t, i2_s_layout(name), place(name)).template values<S>();
    Matrix<S> m = dequantize<S>(t);
    if (!m.allFinite()) throw FormatError(place(name) + ": a weight is not finite");
    return m;
  }
  template <class T>
  T table(const std::string& name, Index rows, Index columns) {
    if constexpr (std::is_constructible_v<T, Matrix<S>>)
      return T(matrix(name, rows, columns));
    else
      return T::quantize(matrix(name, rows, columns));
  }
  void weights(const std::string& name, Index rows, Index columns, bool rotated, Linear<S, W>& into) {
    const std::string where = place(name + ".weight");
    if constexpr (requires { W::Format::has_minimum; }) {
      constexpr auto format = W::Format::bits == 8       ? WeightFormat::q8
                              : W::Format::has_minimum ? WeightFormat::q4
                                                       : WeightFormat::q4_0;
      const GgufTensor& t = tensor(name + ".weight", rows, columns);
      into.weight = std::get<W>(
          pack_rows<S>({t.type, rows, columns, t.bytes, where, RowOrder{rotated ? head_dim_ : 0}}, format).storage());
    } else {
      Matrix<S> m = matrix(name + ".weight", rows, columns);
      if (m.isZero(0)) throw FormatError(where + ": every weight is zero");
      if (rotated) m = unpermuted(m, head_dim_);
      if constexpr (std::is_constructible_v<W, Matrix<S>>)
        into.weight = W(std::move(m));
      else if constexpr (requires { W::quantize(m); })
        into.weight = W::quantize(m);
      else
        into.weight = to_ternary<S>(ternary_codes(m, where), format_of(name + ".weight"));
    }
    if (into.bias) {
      Matrix<S> bias = matrix(name + ".bias", 1, rows);
      if (rotated) bias = Matrix<S>(unpermuted<S>(bias.transpose(), head_dim_).transpose());
      into.bias->value = std::move(bias);
    }
  }
  void expect_all_used() const {
    for (const GgufTensor& t : file_.tensors())
      if (!used_.contains(std::string(t.name)) && t.name != "rope_freqs.weight")
        throw FormatError(place(std::string(t.name)) + ": expected only what the architecture has");
  }

 private:
  std::string place(const std::string& name) const { return file_.place() + ": tensor " + in_quotes(name); }
  I2sLayout i2_s_layout(const std::string& name) const {
    if (!options_.i2_s)
      throw ValueError(place(name) + ": I2_S has several layouts: expected LoadOptions::i2_s to name one");
    return *options_.i2_s;
  }
  kernels::TernaryFormat format_of(const std::string& name) const {
    return file_.tensor(name).type == GgmlType::tq1_0 ? kernels::TernaryFormat::five_a_byte
                                                      : kernels::TernaryFormat::two_bits;
  }

  const GgufFile& file_;
  Index head_dim_;
  LoadOptions options_;
  std::set<std::string> used_;
};

}  // namespace detail

/// Reads a GGUF of an architecture that read_config() knows, llama's q and k brought from the file's interleaved to the
/// "rotate half" order.
/// W = Dense<S> takes any tensor type that dequantize() knows, Bf16<S>, Q8<S>, Q4<S> and Q4_0<S> too, rounded where
/// they must be (pack_rows.hpp); W = Ternary<S> takes projections whose values are ternary with one scale a
/// tensor, and keeps those of TQ1_0 five a byte, others in 2 bits. All but Q8, Q4 and Q4_0 take I2_S where options.i2_s
/// names its layout. T = Dense<S> or Bf16<S> takes embedding and head alike, of any type. Throws FormatError on a
/// missing, surplus or misshapen tensor, on weights that are not finite, and, but for Q8, Q4 and Q4_0, on a projection
/// of zeros; ValueError for I2_S without a layout.
template <std::floating_point S, class W = Dense<S>, class T = Dense<S>>
Decoder<S, W, T> load_model(const GgufFile& file, const LoadOptions& options = {}) {
  const ModelConfig c = read_config(file);
  detail::TensorLoader<S, W> load(file, c.head_dim, options);
  const bool interleaved = c.architecture == "llama";
  for (const GgufTensor& t : file.tensors())  // refuse a wrong table before building anything
    if (t.name == "token_embd.weight" && t.columns() != c.hidden)
      throw FormatError(file.place() + ": tensor 'token_embd.weight': expected " + std::to_string(c.hidden) +
                        " columns, got " + std::to_string(t.columns()));
  Decoder<S, W, T> model(c);
  model.embedding.table = load.template table<T>("token_embd.weight", c.vocabulary, c.hidden);
  model.final_norm.gain.value = load.matrix("output_norm.weight", 1, c.hidden);
  if (model.head) *model.head = load.template table<T>("output.weight", c.vocabulary, c.hidden);
  for (Index i = 0; i < c.layers; ++i) {
    const std::string p = "blk." + std::to_string(i) + ".";
    Block<S, W>& b = model.blocks[static_cast<std::size_t>(i)];
    b.attention_norm.gain.value = load.matrix(p + "attn_norm.weight", 1, c.hidden);
    b.mlp_norm.gain.value = load.matrix(p + "ffn_norm.weight", 1, c.hidden);
    if (c.sub_norms) {
      b.attention.sub_norm->gain.value = load.matrix(p + "attn_sub_norm.weight", 1, c.query_width());
      b.mlp.sub_norm->gain.value = load.matrix(p + "ffn_sub_norm.weight", 1, c.ffn);
    }
    load.weights(p + "attn_q", c.query_width(), c.hidden, interleaved, b.attention.query);
    load.weights(p + "attn_k", c.kv_width(), c.hidden, interleaved, b.attention.key);
    load.weights(p + "attn_v", c.kv_width(), c.hidden, false, b.attention.value);
    load.weights(p + "attn_output", c.hidden, c.query_width(), false, b.attention.output);
    load.weights(p + "ffn_gate", c.ffn, c.hidden, false, b.mlp.gate);
    load.weights(p + "ffn_up", c.ffn, c.hidden, false, b.mlp.up);
    load.weights(p + "ffn_down", c.hidden, c.ffn, false, b.mlp.down);
  }
  load.expect_all_used();
  return model;
}

}  // namespace tern
