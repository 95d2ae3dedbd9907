#pragma once
#include <optional>

#include "tern/core/site.hpp"
#include "tern/layers/at_site.hpp"
#include "tern/layers/causal_attention.hpp"
#include "tern/layers/linear.hpp"
#include "tern/layers/rms_norm.hpp"
#include "tern/layers/rope.hpp"

namespace tern {

/// Projections around causal attention: out = O(attention(rope(Q x), rope(K x), V x)), each linear a site.
/// Shapes: x, y [tokens x hidden]. `sub_norm`, where the architecture has it (BitNet), normalises O's input.
template <std::floating_point S, class W = Dense<S>>
class SelfAttention {
 public:
  using Scalar = S;
  /// Working memory of backward; layers that run one after another may share one.
  struct Scratch {
    Matrix<S> dq, dk, dv, dmixed, dnormed;
  };
  struct Cache {
    typename Linear<S, W>::Cache query_cache, key_cache, value_cache, output_cache;
    typename RmsNorm<S>::Cache sub_norm_cache;
    typename Rope<S>::Table rope;
    typename CausalAttention<S>::Scratch attention;
    Matrix<S> q, k, v, mixed, normed;  // q and k rotated; mixed: attention's output; normed: after sub_norm
  };

  template <class Adapters = NoAdapters>
  void forward(const Pass& pass, In<S> x, Cache& c, Out<S> y, const Adapters& adapters = {},
               typename Adapters::Cache* ac = nullptr, Index layer = 0, std::span<KeyValues<S>> stores = {}) const {
    const Index tokens = x.rows();
    reshape(c.q, tokens, query.out());
    reshape(c.k, tokens, key.out());
    reshape(c.v, tokens, value.out());
    reshape(c.mixed, tokens, query.out());
    detail::forward_at({layer, Site::query}, query, pass, x, c.query_cache, c.q, adapters, ac);
    detail::forward_at({layer, Site::key}, key, pass, x, c.key_cache, c.k, adapters, ac);
    detail::forward_at({layer, Site::value}, value, pass, x, c.value_cache, c.v, adapters, ac);
    rope.fill(pass.sequences, tokens, c.rope);
    rope.apply(pass, c.rope, S(1), c.q);
    rope.apply(pass, c.rope, S(1), c.k);
    attention.forward(pass, c.q, c.k, c.v, c.attention, c.mixed, stores);
    if (sub_norm) {
      reshape(c.normed, tokens, query.out());
      detail::forward_at({layer, Site::attention_sub_norm}, *sub_norm, pass, c.mixed, c.sub_norm_cache, c.normed,
                         adapters, ac);
    }
    detail::forward_at({layer, Site::attention_output}, output, pass, sub_norm ? c.normed : c.mixed, c.output_cache, y,
                       adapters, ac);
  }

  /// dy is changed by adapters at Site::attention_output.
  template <class Adapters = NoAdapters>
  void backward(const Pass& pass, In<S> x, Cache& c, Scratch& s, Out<S> dy, Out<S> dx, Adapters&& adapters = {},
                typename std::remove_cvref_t<Adapters>::Cache* ac = nullptr, Index layer = 0) {
    zeros_like(c.mixed, s.dmixed);
    if (sub_norm) {
      zeros_like(c.normed, s.dnormed);
      detail::backward_at({layer, Site::attention_output}, output, pass, c.normed, c.output_cache, dy, s.dnormed,
                          adapters, ac);
      detail::backward_at({layer, Site::attention_sub_norm}, *sub_norm, pass, c.mixed, c.sub_norm_cache, s.dnormed,
                          s.dmixed, adapters, ac);
    } else {
      detail::backward_at({layer, Site::attention_output}, output, pass, c.mixed, c.output_cache, dy, s.dmixed,
                          adapters, ac);
    }
    zeros_like(c.q, s.dq);
    zeros_like(c.k, s.dk);
    zeros_like(c.v, s.dv);
    attention.backward(pass, c.q, c.k, c.v, c.attention, s.dmixed, s.dq, s.dk, s.dv);
    rope.apply(pass, c.rope, S(-1), s.dq);
    rope.apply(pass, c.rope, S(-1), s.dk);
    detail::backward_at({layer, Site::query}, query, pass, x, c.query_cache, s.dq, dx, adapters, ac);
    detail::backward_at({layer, Site::key}, key, pass, x, c.key_cache, s.dk, dx, adapters, ac);
    detail::backward_at({layer, Site::value}, value, pass, x, c.value_cache, s.dv, dx, adapters, ac);
  }

  template <class Self, class F>
  static void fields(Self& self, F&& f) {
    f("query", self.query);
    f("key", self.key);
    f("value", self.value);
    f("sub_norm", self.sub_norm);
    f("output", self.output);
  }

  Linear<S, W> query, key, value, output;
  std::optional<RmsNorm<S>> sub_norm;
  Rope<S> rope;
  CausalAttention<S> attention;
};

}  // namespace tern
