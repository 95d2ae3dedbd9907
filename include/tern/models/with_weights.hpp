#pragma once
#include <utility>

#include "tern/models/decoder.hpp"

namespace tern {

/// A model of dense embedding and head with the projections of its blocks in storage W: convert(storage) gives each.
/// Embedding and head come into storage T<S>, rounded if it is not Dense; norms and biases are copied.
template <class W, template <class> class T = Dense, std::floating_point S, class From, class F>
Decoder<S, W, T<S>> with_weights(const Decoder<S, From>& model, F&& convert) {
  const auto table = [](const Dense<S>& t) {
    if constexpr (std::is_same_v<T<S>, Dense<S>>)
      return t;
    else
      return T<S>::quantize(t.parameter.value);
  };
  Decoder<S, W, T<S>> to(model.config);
  to.embedding = Embedding<S, T<S>>(table(model.embedding.table), model.embedding.scale);
  to.final_norm = model.final_norm;
  if (model.head) to.head = table(*model.head);
  for (std::size_t i = 0; i < to.blocks.size(); ++i) {
    const Block<S, From>& a = model.blocks[i];
    Block<S, W>& b = to.blocks[i];
    const auto linear = [&](const Linear<S, From>& from, Linear<S, W>& into) {
      into.weight = convert(from.weight);
      into.bias = from.bias;
    };
    b.attention_norm = a.attention_norm;
    b.attention.sub_norm = a.attention.sub_norm;
    b.mlp_norm = a.mlp_norm;
    b.mlp.sub_norm = a.mlp.sub_norm;
    linear(a.attention.query, b.attention.query);
    linear(a.attention.key, b.attention.key);
    linear(a.attention.value, b.attention.value);
    linear(a.attention.output, b.attention.output);
    linear(a.mlp.gate, b.mlp.gate);
    linear(a.mlp.up, b.mlp.up);
    linear(a.mlp.down, b.mlp.down);
  }
  return to;
}

/// The projections of a dense model rounded to a storage that can quantize() (Bf16, Q8, Q4, Q4_0).
template <class W, template <class> class T = Dense, std::floating_point S>
Decoder<S, W, T<S>> with_weights(const Decoder<S>& model) {
  return with_weights<W, T>(model, [](const Dense<S>& w) { return W::quantize(w.parameter.value); });
}

}  // namespace tern
