#pragma once
#include "tern/layers/gated_mlp.hpp"
#include "tern/layers/rows.hpp"
#include "tern/layers/self_attention.hpp"

namespace tern {

/// One transformer block:
///   h = x + attention_post_norm(attention(attention_norm(x))),  y = h + mlp_post_norm(mlp(mlp_norm(h)))
/// Shapes: x, y [tokens x hidden]. A norm that the architecture lacks passes its input on. Every norm and linear is a
/// site; the block never knows who is attached.
template <std::floating_point S, class W = Dense<S>>
class Block {
 public:
  using Scalar = S;
  /// Working memory of a call; the blocks of a model share one.
  struct Scratch {
    typename SelfAttention<S, W>::Scratch attention;
    typename GatedMlp<S, W>::Scratch mlp;
    Matrix<S> attention_in, mlp_in;  // after the norms
    Matrix<S> dresidual, dbranch, dnormed;
    std::size_t bytes() const {
      return detail::bytes_of(attention, mlp, attention_in, mlp_in, dresidual, dbranch, dnormed);
    }
  };
  /// What backward needs and is costly to compute again.
  struct Cache {
    typename RmsNorm<S>::Cache attention_norm_cache, attention_post_norm_cache, mlp_norm_cache, mlp_post_norm_cache;
    typename SelfAttention<S, W>::Cache attention;
    typename GatedMlp<S, W>::Cache mlp;
    Matrix<S> residual;                    // h
    Matrix<S> attention_branch, mlp_branch;  // inputs of the post norms, where there are any
    std::shared_ptr<Scratch> scratch;
    std::size_t bytes() const {
      return detail::bytes_of(attention_norm_cache, attention_post_norm_cache, mlp_norm_cache, mlp_post_norm_cache,
                              attention, mlp, residual, attention_branch, mlp_branch);
    }
  };

  /// Overwrites y. `stores`: see CausalAttention. Throws ShapeError or ValueError before it writes to y or a store.
  template <class At = NothingAttached>
  void forward(const Pass& pass, In<S> x, Cache& c, Out<S> y, const At& attached = {},
               std::span<KeyValues<S>> stores = {}) const {
    detail::expect_pass("block forward", pass, x.rows(), attached);
    attention.attention.check("forward", pass, x.rows(), stores);
    expect_shape("block forward", "x", x, -1, attention.query.in());
    expect_shape("block forward", "y", y, x.rows(), x.cols());
    Scratch& s = lend_scratch(c);
    reshape(c.residual, x.rows(), x.cols());
    const In<S> attention_in =
        normed(Site::attention_norm, attention_norm, pass, x, c.attention_norm_cache, s.attention_in, attached);
    add_branch(Site::attention_post_norm, attention_post_norm, pass, x, c.attention_branch,
               c.attention_post_norm_cache, c.residual, attached, [&](Out<S> out) {
                 attention.forward(pass, attention_in, c.attention, out, attached, stores);
               });
    const In<S> mlp_in = normed(Site::mlp_norm, mlp_norm, pass, c.residual, c.mlp_norm_cache, s.mlp_in, attached);
    add_branch(Site::mlp_post_norm, mlp_post_norm, pass, c.residual, c.mlp_branch, c.mlp_post_norm_cache, y, attached,
               [&](Out<S> out) { mlp.forward(pass, mlp_in, c.mlp, out, attached); });
  }

  /// Adds dL/dx to dx, and the gradients of whatever trains, adapters included. Throws before it writes to either.
  template <class At = NothingAttached>
  void backward(const Pass& pass, In<S> x, Cache& c, In<S> dy, Out<S> dx, Gradients<S>& gradients,
                const At& attached = {}) const {
    detail::expect_pass("block backward", pass, x.rows(), attached);
    attention.attention.check("backward", pass, x.rows());
    expect_shape("block backward", "x", x, -1, attention.query.in());
    expect_shape("block backward", "the cache", c.residual, x.rows(), x.cols());
    expect_shape("block backward", "dy", dy, x.rows(), x.cols());
    expect_shape("block backward", "dx", dx, x.rows(), x.cols());
    Scratch& s = lend_scratch(c);
    copy_rows<S>(pass, dy, s.dresidual);
    {
      const In<S> mlp_in = normed(Site::mlp_norm, mlp_norm, pass, c.residual, c.mlp_norm_cache, s.mlp_in, attached);
      const Matrix<S>& dbranch = branch_gradient(Site::mlp_post_norm, mlp_post_norm, pass, c.mlp_branch,
                                                 c.mlp_post_norm_cache, s, gradients, attached);
      zeros_like(pass, c.residual, s.dnormed);
      mlp.backward(pass, mlp_in, c.mlp, dbranch, s.dnormed, gradients, attached);
      back_through_norm(Site::mlp_norm, mlp_norm, pass, c.residual, c.mlp_norm_cache, s.dnormed, s.dresidual, gradients,
                        attached);
    }
    add_rows<S>(pass, s.dresidual, dx);
    const In<S> attention_in =
        normed(Site::attention_norm, attention_norm, pass, x, c.attention_norm_cache, s.attention_in, attached);
    const Matrix<S>& dbranch = branch_gradient(Site::attention_post_norm, attention_post_norm, pass, c.attention_branch,
                                               c.attention_post_norm_cache, s, gradients, attached);
    zeros_like(pass, c.residual, s.dnormed);
    attention.backward(pass, attention_in, c.attention, dbranch, s.dnormed, gradients, attached);
    back_through_norm(Site::attention_norm, attention_norm, pass, x, c.attention_norm_cache, s.dnormed, dx, gradients,
                      attached);
  }

  /// Calls f(site, member) for each linear, and each norm or its absence: the one list that construction, names, sites,
  /// loading and saving walk.
  template <class Self, class F>
  static void members(Self& self, F&& f) {
    f(Site::attention_norm, self.attention_norm);
    SelfAttention<S, W>::members(self.attention, f);
    f(Site::attention_post_norm, self.attention_post_norm);
    f(Site::mlp_norm, self.mlp_norm);
    GatedMlp<S, W>::members(self.mlp, f);
    f(Site::mlp_post_norm, self.mlp_post_norm);
  }
  template <class Self, class F>
  static void fields(Self& self, F&& f) {
    members(self, [&](Site site, auto& member) { f(name(site), member); });
  }

  std::optional<RmsNorm<S>> attention_norm, attention_post_norm, mlp_norm, mlp_post_norm;
  SelfAttention<S, W> attention;
  GatedMlp<S, W> mlp;

 private:
  using Norm = std::optional<RmsNorm<S>>;
  using NormCache = typename RmsNorm<S>::Cache;

  static Scratch& lend_scratch(Cache& c) {
    Scratch& s = detail::scratch_of(c);
    detail::lend(c.scratch, s.attention, c.attention);
    detail::lend(c.scratch, s.mlp, c.mlp);
    return s;
  }

  template <class At>
  static In<S> normed(Site site, const Norm& norm, const Pass& pass, In<S> x, NormCache& cache, Matrix<S>& to,
                      const At& attached) {
    if (!norm) return x;
    reshape(to, x.rows(), x.cols());
    detail::forward_at(site, *norm, pass, x, cache, to, attached);
    return to;
  }

  /// y = x + norm(run()); what run() gives stays in `branch` where there is a norm.
  template <class At, class Run>
  static void add_branch(Site site, const Norm& norm, const Pass& pass, In<S> x, Matrix<S>& branch, NormCache& cache,
                         Out<S> y, const At& attached, Run&& run) {
    if (norm) {
      reshape(branch, x.rows(), x.cols());
      run(branch);
      detail::forward_at(site, *norm, pass, branch, cache, y, attached);
    } else {
      run(y);
    }
    add_rows<S>(pass, x, y);
  }

  /// dL/d(run()) from s.dresidual.
  template <class At>
  static const Matrix<S>& branch_gradient(Site site, const Norm& norm, const Pass& pass, Matrix<S>& branch,
                                          NormCache& cache, Scratch& s, Gradients<S>& gradients, const At& attached) {
    if (!norm) return s.dresidual;
    copy_rows<S>(pass, s.dresidual, s.dnormed);
    zeros_like(pass, branch, s.dbranch);
    detail::backward_at(site, *norm, pass, branch, cache, s.dnormed, s.dbranch, gradients, attached);
    return s.dbranch;
  }

  template <class At>
  static void back_through_norm(Site site, const Norm& norm, const Pass& pass, In<S> x, NormCache& cache, Matrix<S>& dy,
                                Out<S> dx, Gradients<S>& gradients, const At& attached) {
    if (norm)
      detail::backward_at(site, *norm, pass, x, cache, dy, dx, gradients, attached);
    else
      add_rows<S>(pass, dy, dx);
  }
};
static_assert(Layer<Block<float>>);

}  // namespace tern
