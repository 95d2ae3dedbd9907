#pragma once
#include <optional>

#include "tern/layers/attached.hpp"
#include "tern/layers/linear.hpp"
#include "tern/layers/rms_norm.hpp"
#include "tern/layers/scratch.hpp"

namespace tern {

/// Gated feed-forward: y = down(sub_norm(f(gate(x)) * up(x))). With f = SiLU this is SwiGLU (Shazeer, arXiv 2002.05202).
/// Shapes: x, y [tokens x hidden]; between them [tokens x ffn]. Each linear and norm is a site.
/// `sub_norm`, where the architecture has it (BitNet), normalises down's input.
template <std::floating_point S, class W = Dense<S>>
class GatedMlp {
 public:
  using Scalar = S;
  /// Working memory of a call; layers that run one after another may share one.
  struct Scratch {
    typename Linear<S, W>::Cache linear;
    Matrix<S> product, normed;  // f(gate_out) * up_out, after sub_norm
    Matrix<S> dy, dgate_out, dup_out, dproduct, dnormed;
    std::size_t bytes() const {
      return detail::bytes_of(linear, product, normed, dy, dgate_out, dup_out, dproduct, dnormed);
    }
  };
  struct Cache {
    typename Linear<S, W>::Cache gate_cache, up_cache, down_cache;
    typename RmsNorm<S>::Cache sub_norm_cache;
    Matrix<S> gate_out, up_out;
    std::shared_ptr<Scratch> scratch;
    std::size_t bytes() const {
      return detail::bytes_of(gate_cache, up_cache, down_cache, sub_norm_cache, gate_out, up_out);
    }
  };

  /// Overwrites y. Throws ShapeError or ValueError before it does.
  template <class At = NothingAttached>
  void forward(const Pass& pass, In<S> x, Cache& c, Out<S> y, const At& attached = {}) const {
    detail::expect_pass("gated mlp forward", pass, x.rows(), attached);
    expect_shape("gated mlp forward", "x", x, -1, gate.in());
    expect_shape("gated mlp forward", "y", y, x.rows(), down.out());
    Scratch& s = detail::scratch_of(c);
    reshape(c.gate_out, x.rows(), gate.out());
    reshape(c.up_out, x.rows(), up.out());
    detail::forward_at(Site::gate, gate, pass, x, cache_of(c.gate_cache, s), c.gate_out, attached);
    detail::forward_at(Site::up, up, pass, x, cache_of(c.up_cache, s), c.up_out, attached);
    const Matrix<S>& down_in = make_down_in(pass, c, s, attached);
    detail::forward_at(Site::down, down, pass, down_in, cache_of(c.down_cache, s), y, attached);
  }

  /// Adds dL/dx to dx, and the gradients of whatever trains. What lies between gate, up and down is computed again.
  /// Throws before it writes to either.
  template <class At = NothingAttached>
  void backward(const Pass& pass, In<S> x, Cache& c, In<S> dy, Out<S> dx, Gradients<S>& gradients,
                const At& attached = {}) const {
    detail::expect_pass("gated mlp backward", pass, x.rows(), attached);
    expect_shape("gated mlp backward", "x", x, -1, gate.in());
    expect_shape("gated mlp backward", "the cache", c.gate_out, x.rows(), gate.out());
    expect_shape("gated mlp backward", "dy", dy, x.rows(), down.out());
    expect_shape("gated mlp backward", "dx", dx, x.rows(), x.cols());
    Scratch& s = detail::scratch_of(c);
    const Matrix<S>& down_in = make_down_in(pass, c, s, attached);
    s.dy = dy;
    zeros_like(s.product, s.dproduct);
    if (sub_norm) {
      zeros_like(s.normed, s.dnormed);
      detail::backward_at(Site::down, down, pass, down_in, cache_of(c.down_cache, s), s.dy, s.dnormed, gradients,
                          attached);
      detail::backward_at(Site::mlp_sub_norm, *sub_norm, pass, s.product, c.sub_norm_cache, s.dnormed, s.dproduct,
                          gradients, attached);
    } else {
      detail::backward_at(Site::down, down, pass, down_in, cache_of(c.down_cache, s), s.dy, s.dproduct, gradients,
                          attached);
    }
    zeros_like(c.gate_out, s.dgate_out);
    zeros_like(c.up_out, s.dup_out);
    const auto& ops = operations<S>(pass);
    pass.parallel.ranges(c.gate_out.size(), 4096, [&](Index begin, Index end) {
      ops.gate_backward(kind, end - begin, c.gate_out.data() + begin, c.up_out.data() + begin,
                        s.dproduct.data() + begin, s.dgate_out.data() + begin, s.dup_out.data() + begin);
    });
    detail::backward_at(Site::gate, gate, pass, x, cache_of(c.gate_cache, s), s.dgate_out, dx, gradients, attached);
    detail::backward_at(Site::up, up, pass, x, cache_of(c.up_cache, s), s.dup_out, dx, gradients, attached);
  }

  /// Calls f(site, member) for each linear, and each norm or its absence.
  template <class Self, class F>
  static void members(Self& self, F&& f) {
    f(Site::gate, self.gate);
    f(Site::up, self.up);
    f(Site::mlp_sub_norm, self.sub_norm);
    f(Site::down, self.down);
  }
  template <class Self, class F>
  static void fields(Self& self, F&& f) {
    members(self, [&](Site site, auto& member) { f(name(site), member); });
  }

  Linear<S, W> gate, up, down;
  std::optional<RmsNorm<S>> sub_norm;
  kernels::Gate kind = kernels::Gate::silu;

 private:
  using LinearCache = typename Linear<S, W>::Cache;
  static LinearCache& cache_of(LinearCache& own, Scratch& s) { return detail::storage_cache<W>(own, s.linear); }

  template <class At>
  const Matrix<S>& make_down_in(const Pass& pass, Cache& c, Scratch& s, const At& attached) const {
    reshape(s.product, c.gate_out.rows(), c.gate_out.cols());
    const auto& ops = operations<S>(pass);
    pass.parallel.ranges(c.gate_out.size(), 4096, [&](Index begin, Index end) {
      ops.gate(kind, end - begin, c.gate_out.data() + begin, c.up_out.data() + begin, s.product.data() + begin);
    });
    if (!sub_norm) return s.product;
    reshape(s.normed, s.product.rows(), s.product.cols());
    detail::forward_at(Site::mlp_sub_norm, *sub_norm, pass, s.product, c.sub_norm_cache, s.normed, attached);
    return s.normed;
  }
};
static_assert(Layer<GatedMlp<float>>);

}  // namespace tern
