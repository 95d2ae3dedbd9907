#pragma once
#include <algorithm>
#include <optional>

#include "tern/layers/attached.hpp"
#include "tern/layers/kept.hpp"
#include "tern/layers/linear.hpp"
#include "tern/layers/rms_norm.hpp"
#include "tern/layers/rows.hpp"
#include "tern/layers/scratch.hpp"

namespace tern {

/// Gated feed-forward: y = down(sub_norm(f(gate(x)) * up(x))). With f = SiLU this is SwiGLU (Shazeer, arXiv 2002.05202).
/// Shapes: x, y [tokens x hidden]; between them [tokens x ffn]. Each linear and norm is a site.
/// `sub_norm`, where the architecture has it (BitNet), normalises down's input.
/// For the way back gate's and up's outputs are kept, under mixed precision in bf16: they are most of what a model keeps.
template <std::floating_point S, class W = Dense<S>>
class GatedMlp {
 public:
  using Scalar = S;
  /// Working memory of a call; layers that run one after another may share one.
  struct Scratch {
    typename Linear<S, W>::Cache linear;
    Matrix<S> gate_out, up_out;  // where the cache has them in bf16
    Matrix<S> product, normed;   // f(gate_out) * up_out, after sub_norm
    Matrix<S> dy, dgate_out, dup_out, dproduct, dnormed;
    std::size_t bytes() const {
      return detail::bytes_of(linear, gate_out, up_out, product, normed, dy, dgate_out, dup_out, dproduct, dnormed);
    }
  };
  struct Cache {
    typename Linear<S, W>::Cache gate_cache, up_cache, down_cache;
    typename RmsNorm<S>::Cache sub_norm_cache;
    Matrix<S> gate_out, up_out;     // or else
    Bf16Matrix gate_kept, up_kept;  // the same in bf16; the other two are empty
    std::shared_ptr<Scratch> scratch;
    std::size_t bytes() const {
      return detail::bytes_of(gate_cache, up_cache, down_cache, sub_norm_cache, gate_out, up_out, gate_kept, up_kept);
    }
  };

  /// Overwrites y. Throws ShapeError or ValueError before it does.
  template <class At = NothingAttached>
  void forward(const Pass& pass, In<S> x, Cache& c, Out<S> y, const At& attached = {}) const {
    detail::expect_pass("gated mlp forward", pass, x.rows(), attached);
    expect_shape("gated mlp forward", "x", x, -1, gate.in());
    expect_shape("gated mlp forward", "y", y, x.rows(), down.out());
    Scratch& s = detail::scratch_of(c);
    const Outputs out = outputs(pass, c, s);
    reshape(out.gate, x.rows(), gate.out());
    reshape(out.up, x.rows(), up.out());
    detail::forward_at(Site::gate, gate, pass, x, cache_of(c.gate_cache, s), out.gate, attached);
    detail::forward_at(Site::up, up, pass, x, cache_of(c.up_cache, s), out.up, attached);
    make_room(pass, out, c);
    const auto& ops = operations<S>(pass);
    const Matrix<S>& down_in = make_down_in(pass, out, c, s, attached, [&](Index begin, Index end) {
      ops.narrow_bf16(end - begin, out.gate.data() + begin, c.gate_kept.data() + begin);
      ops.narrow_bf16(end - begin, out.up.data() + begin, c.up_kept.data() + begin);
    });
    detail::forward_at(Site::down, down, pass, down_in, cache_of(c.down_cache, s), y, attached);
  }

  /// Adds dL/dx to dx, and the gradients of whatever trains. What lies between gate, up and down is computed again.
  /// Throws before it writes to either.
  template <class At = NothingAttached>
  void backward(const Pass& pass, In<S> x, Cache& c, In<S> dy, Out<S> dx, Gradients<S>& gradients,
                const At& attached = {}) const {
    detail::expect_pass("gated mlp backward", pass, x.rows(), attached);
    expect_shape("gated mlp backward", "x", x, -1, gate.in());
    if (keeps_bf16(pass))
      expect_shape("gated mlp backward", "the cache", c.gate_kept, x.rows(), gate.out());
    else
      expect_shape("gated mlp backward", "the cache", c.gate_out, x.rows(), gate.out());
    expect_shape("gated mlp backward", "dy", dy, x.rows(), down.out());
    expect_shape("gated mlp backward", "dx", dx, x.rows(), x.cols());
    Scratch& s = detail::scratch_of(c);
    const Outputs out = outputs(pass, c, s);
    reshape(out.gate, x.rows(), gate.out());
    reshape(out.up, x.rows(), up.out());
    const auto& ops = operations<S>(pass);
    const Matrix<S>& down_in = make_down_in(pass, out, c, s, attached, [&](Index begin, Index end) {
      ops.widen_bf16(end - begin, c.gate_kept.data() + begin, out.gate.data() + begin);
      ops.widen_bf16(end - begin, c.up_kept.data() + begin, out.up.data() + begin);
    });
    copy_rows<S>(pass, dy, s.dy);
    zeros_like(pass, s.product, s.dproduct);
    if (sub_norm) {
      zeros_like(pass, s.normed, s.dnormed);
      detail::backward_at(Site::down, down, pass, down_in, cache_of(c.down_cache, s), s.dy, s.dnormed, gradients,
                          attached);
      detail::backward_at(Site::mlp_sub_norm, *sub_norm, pass, s.product, c.sub_norm_cache, s.dnormed, s.dproduct,
                          gradients, attached);
    } else {
      detail::backward_at(Site::down, down, pass, down_in, cache_of(c.down_cache, s), s.dy, s.dproduct, gradients,
                          attached);
    }
    // Gate's and up's outputs, where they are scratch, make room for their gradients.
    Matrix<S>&dgate_out = keeps_bf16(pass) ? out.gate : s.dgate_out, &dup_out = keeps_bf16(pass) ? out.up : s.dup_out;
    reshape(dgate_out, x.rows(), gate.out());
    reshape(dup_out, x.rows(), up.out());
    pass.parallel.ranges(out.gate.size(), 4096, [&](Index begin, Index end) {
      constexpr Index most = 1024;
      S dgate[most], dup[most];
      for (Index n; begin < end; begin += n) {
        n = std::min(end - begin, most);
        std::fill_n(dgate, n, S(0));
        std::fill_n(dup, n, S(0));
        ops.gate_backward(kind, n, out.gate.data() + begin, out.up.data() + begin, s.dproduct.data() + begin, dgate, dup);
        std::copy_n(dgate, n, dgate_out.data() + begin);
        std::copy_n(dup, n, dup_out.data() + begin);
      }
    });
    detail::backward_at(Site::gate, gate, pass, x, cache_of(c.gate_cache, s), dgate_out, dx, gradients, attached);
    detail::backward_at(Site::up, up, pass, x, cache_of(c.up_cache, s), dup_out, dx, gradients, attached);
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

  /// Where gate's and up's outputs are while they are worked on.
  struct Outputs {
    Matrix<S>&gate, &up;
  };
  static bool keeps_bf16(const Pass& pass) { return detail::keeps_bf16<S>(pass); }
  static Outputs outputs(const Pass& pass, Cache& c, Scratch& s) {
    return keeps_bf16(pass) ? Outputs{s.gate_out, s.up_out} : Outputs{c.gate_out, c.up_out};
  }
  /// Makes room for what forward keeps; what was kept in another precision goes, so that backward notices.
  static void make_room(const Pass& pass, const Outputs& out, Cache& c) {
    const bool narrow = keeps_bf16(pass);
    const Index rows = narrow ? out.gate.rows() : 0, columns = narrow ? out.gate.cols() : 0;
    c.gate_kept.resize(rows, columns), c.up_kept.resize(rows, columns);
    if (narrow) c.gate_out.resize(0, 0), c.up_out.resize(0, 0);
  }

  /// before(begin, end) works on some of the outputs while they are near.
  template <class At, class Before>
  const Matrix<S>& make_down_in(const Pass& pass, const Outputs& out, Cache& c, Scratch& s, const At& attached,
                                Before&& before) const {
    reshape(s.product, out.gate.rows(), out.gate.cols());
    const auto& ops = operations<S>(pass);
    pass.parallel.ranges(out.gate.size(), 4096, [&](Index begin, Index end) {
      if (keeps_bf16(pass)) before(begin, end);
      ops.gate(kind, end - begin, out.gate.data() + begin, out.up.data() + begin, s.product.data() + begin);
    });
    if (!sub_norm) return s.product;
    reshape(s.normed, s.product.rows(), s.product.cols());
    detail::forward_at(Site::mlp_sub_norm, *sub_norm, pass, s.product, c.sub_norm_cache, s.normed, attached);
    return s.normed;
  }
};
static_assert(Layer<GatedMlp<float>>);

}  // namespace tern
