#pragma once
#include <optional>

#include "tern/layers/at_site.hpp"
#include "tern/layers/linear.hpp"
#include "tern/layers/rms_norm.hpp"

namespace tern {

/// Gated feed-forward: y = down(sub_norm(f(gate(x)) * up(x))). With f = SiLU this is SwiGLU (Shazeer, arXiv 2002.05202).
/// Shapes: x, y [tokens x hidden]; between them [tokens x ffn]. Each linear is a site.
/// `sub_norm`, where the architecture has it (BitNet), normalises down's input.
template <std::floating_point S, class W = Dense<S>>
class GatedMlp {
 public:
  using Scalar = S;
  /// Working memory of backward; layers that run one after another may share one.
  struct Scratch {
    Matrix<S> dgated, draised, dproduct, dnormed;
  };
  struct Cache {
    typename Linear<S, W>::Cache gate_cache, up_cache, down_cache;
    typename RmsNorm<S>::Cache sub_norm_cache;
    Matrix<S> gated, raised, product, normed;  // outputs of gate, of up, f(gated)*raised, after sub_norm
  };

  template <class Adapters = NoAdapters>
  void forward(const Pass& pass, In<S> x, Cache& c, Out<S> y, const Adapters& adapters = {},
               typename Adapters::Cache* ac = nullptr, Index layer = 0) const {
    const Index tokens = x.rows(), ffn = up.out();
    reshape(c.gated, tokens, ffn);
    reshape(c.raised, tokens, ffn);
    reshape(c.product, tokens, ffn);
    detail::forward_at({layer, Site::gate}, gate, pass, x, c.gate_cache, c.gated, adapters, ac);
    detail::forward_at({layer, Site::up}, up, pass, x, c.up_cache, c.raised, adapters, ac);
    const auto& ops = operations<S>(pass);
    pass.parallel.ranges(c.gated.size(), 4096, [&](Index begin, Index end) {
      ops.gate(kind, end - begin, c.gated.data() + begin, c.raised.data() + begin, c.product.data() + begin);
    });
    if (sub_norm) {
      reshape(c.normed, tokens, ffn);
      detail::forward_at({layer, Site::mlp_sub_norm}, *sub_norm, pass, c.product, c.sub_norm_cache, c.normed, adapters,
                         ac);
    }
    detail::forward_at({layer, Site::down}, down, pass, sub_norm ? c.normed : c.product, c.down_cache, y, adapters,
                       ac);
  }

  /// dy is changed by adapters at Site::down.
  template <class Adapters = NoAdapters>
  void backward(const Pass& pass, In<S> x, Cache& c, Scratch& s, Out<S> dy, Out<S> dx, Adapters&& adapters = {},
                typename std::remove_cvref_t<Adapters>::Cache* ac = nullptr, Index layer = 0) {
    zeros_like(c.product, s.dproduct);
    if (sub_norm) {
      zeros_like(c.normed, s.dnormed);
      detail::backward_at({layer, Site::down}, down, pass, c.normed, c.down_cache, dy, s.dnormed, adapters, ac);
      detail::backward_at({layer, Site::mlp_sub_norm}, *sub_norm, pass, c.product, c.sub_norm_cache, s.dnormed,
                          s.dproduct, adapters, ac);
    } else {
      detail::backward_at({layer, Site::down}, down, pass, c.product, c.down_cache, dy, s.dproduct, adapters, ac);
    }
    zeros_like(c.gated, s.dgated);
    zeros_like(c.raised, s.draised);
    const auto& ops = operations<S>(pass);
    pass.parallel.ranges(c.gated.size(), 4096, [&](Index begin, Index end) {
      ops.gate_backward(kind, end - begin, c.gated.data() + begin, c.raised.data() + begin, s.dproduct.data() + begin,
                        s.dgated.data() + begin, s.draised.data() + begin);
    });
    detail::backward_at({layer, Site::gate}, gate, pass, x, c.gate_cache, s.dgated, dx, adapters, ac);
    detail::backward_at({layer, Site::up}, up, pass, x, c.up_cache, s.draised, dx, adapters, ac);
  }

  template <class Self, class F>
  static void fields(Self& self, F&& f) {
    f("gate", self.gate);
    f("up", self.up);
    f("sub_norm", self.sub_norm);
    f("down", self.down);
  }

  Linear<S, W> gate, up, down;
  std::optional<RmsNorm<S>> sub_norm;
  kernels::Gate kind = kernels::Gate::silu;
};

}  // namespace tern
