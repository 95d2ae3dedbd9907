#pragma once
#include <memory>

#include "tern/layers/gated_mlp.hpp"
#include "tern/layers/self_attention.hpp"

namespace tern {

/// One pre-norm transformer block:
///   h = x + attention(attention_norm(x)),  y = h + mlp(mlp_norm(h))
/// Shapes: x, y [tokens x hidden]. Every norm and linear is a site; the block never knows who is attached.
template <std::floating_point S, class W = Dense<S>>
class Block {
 public:
  using Scalar = S;
  /// Working memory of backward; the blocks of a model share one.
  struct Scratch {
    typename SelfAttention<S, W>::Scratch attention;
    typename GatedMlp<S, W>::Scratch mlp;
    Matrix<S> dmiddle, dbranch, dnormed;
  };
  struct Cache {
    typename RmsNorm<S>::Cache attention_norm_cache, mlp_norm_cache;
    typename SelfAttention<S, W>::Cache attention;
    typename GatedMlp<S, W>::Cache mlp;
    Matrix<S> attention_in, middle, mlp_in;
    std::shared_ptr<Scratch> scratch;  ///< made by the first backward if nobody lends one
  };

  /// Overwrites y. `stores`: see CausalAttention.
  template <class Adapters = NoAdapters>
  void forward(const Pass& pass, In<S> x, Cache& c, Out<S> y, const Adapters& adapters = {},
               typename Adapters::Cache* ac = nullptr, Index layer = 0, std::span<KeyValues<S>> stores = {}) const {
    reshape(c.attention_in, x.rows(), x.cols());
    reshape(c.middle, x.rows(), x.cols());
    reshape(c.mlp_in, x.rows(), x.cols());
    detail::forward_at({layer, Site::attention_norm}, attention_norm, pass, x, c.attention_norm_cache, c.attention_in,
                       adapters, ac);
    attention.forward(pass, c.attention_in, c.attention, c.middle, adapters, ac, layer, stores);
    c.middle += x;
    detail::forward_at({layer, Site::mlp_norm}, mlp_norm, pass, c.middle, c.mlp_norm_cache, c.mlp_in, adapters, ac);
    mlp.forward(pass, c.mlp_in, c.mlp, y, adapters, ac, layer);
    y += c.middle;
  }

  /// Adds dL/dx to dx, and the gradients of whatever trains, adapters included.
  template <class Adapters = NoAdapters>
  void backward(const Pass& pass, In<S> x, Cache& c, In<S> dy, Out<S> dx, Adapters&& adapters = {},
                typename std::remove_cvref_t<Adapters>::Cache* ac = nullptr, Index layer = 0) {
    if (!c.scratch) c.scratch = std::make_shared<Scratch>();
    Scratch& s = *c.scratch;
    zeros_like(c.middle, s.dnormed);
    s.dbranch = dy;
    s.dmiddle = dy;
    mlp.backward(pass, c.mlp_in, c.mlp, s.mlp, s.dbranch, s.dnormed, adapters, ac, layer);
    detail::backward_at({layer, Site::mlp_norm}, mlp_norm, pass, c.middle, c.mlp_norm_cache, s.dnormed, s.dmiddle,
                        adapters, ac);
    dx += s.dmiddle;
    s.dbranch = s.dmiddle;
    s.dnormed.setZero();
    attention.backward(pass, c.attention_in, c.attention, s.attention, s.dbranch, s.dnormed, adapters, ac, layer);
    detail::backward_at({layer, Site::attention_norm}, attention_norm, pass, x, c.attention_norm_cache, s.dnormed, dx,
                        adapters, ac);
  }

  template <class Self, class F>
  static void fields(Self& self, F&& f) {
    f("attention_norm", self.attention_norm);
    f("attention", self.attention);
    f("mlp_norm", self.mlp_norm);
    f("mlp", self.mlp);
  }

  RmsNorm<S> attention_norm, mlp_norm;
  SelfAttention<S, W> attention;
  GatedMlp<S, W> mlp;
};
static_assert(Layer<Block<float>>);

}  // namespace tern
