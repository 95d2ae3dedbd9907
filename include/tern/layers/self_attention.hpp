#pragma once
#include <optional>
#include <span>
#include <vector>

#include "tern/layers/attached.hpp"
#include "tern/layers/causal_attention.hpp"
#include "tern/layers/kept.hpp"
#include "tern/layers/linear.hpp"
#include "tern/layers/rms_norm.hpp"
#include "tern/layers/rope.hpp"
#include "tern/layers/rows.hpp"
#include "tern/layers/scratch.hpp"

namespace tern {

/// Projections around causal attention, each linear and norm a site:
///   y = output(sub_norm(attention(rope(query_norm(Q x)), rope(key_norm(K x)), V x)))
/// Shapes: x, y [tokens x hidden]. Norms are there where the architecture has them: query_norm and key_norm of each
/// head (Qwen 3, Gemma 3), whose rows are tokens x heads, and sub_norm of output's input (BitNet).
template <std::floating_point S, class W = Dense<S>>
class SelfAttention {
 public:
  using Scalar = S;
  /// What backward needs: q and k as projected, v, and attention's output.
  template <class M>
  struct Outputs {
    M q, k, v, attention;
    std::size_t bytes() const { return detail::bytes_of(q, k, v, attention); }
  };
  /// Working memory of a call; layers that run one after another may share one.
  struct Scratch {
    typename Linear<S, W>::Cache linear;
    typename Rope<S>::Tables ropes;
    typename CausalAttention<S>::Scratch attention;
    Outputs<Matrix<S>> outputs;  // where the cache keeps them in bf16
    Matrix<S> q, k, normed;      // normed and rotated q and k; attention's output after sub_norm
    Matrix<S> dy, dq, dk, dv, dq_in, dk_in, dattention_out, dnormed;
    std::vector<Index> head_users;
    std::size_t bytes() const {
      return detail::bytes_of(linear, ropes, attention, outputs, q, k, normed, dy, dq, dk, dv, dq_in, dk_in,
                              dattention_out, dnormed, head_users);
    }
  };
  struct Cache {
    typename Linear<S, W>::Cache query_cache, key_cache, value_cache, output_cache;
    typename RmsNorm<S>::Cache query_norm_cache, key_norm_cache, sub_norm_cache;
    Outputs<Matrix<S>> outputs;  // or else
    Outputs<Bf16Matrix> kept;    // the same in bf16; the others are empty
    std::shared_ptr<Scratch> scratch;
    std::size_t bytes() const {
      return detail::bytes_of(query_cache, key_cache, value_cache, output_cache, query_norm_cache, key_norm_cache,
                              sub_norm_cache, outputs, kept);
    }
  };

  /// Overwrites y. `stores`: see CausalAttention. Throws ShapeError or ValueError before it writes to y or a store.
  template <class At = NothingAttached>
  void forward(const Pass& pass, In<S> x, Cache& c, Out<S> y, const At& attached = {},
               std::span<KeyValues<S>> stores = {}) const {
    detail::expect_pass("self attention forward", pass, x.rows(), attached);
    attention.check("forward", pass, x.rows(), stores);
    expect_shape("self attention forward", "x", x, -1, query.in());
    expect_shape("self attention forward", "y", y, x.rows(), output.out());
    Scratch& s = detail::scratch_of(c);
    const Index tokens = x.rows();
    Outputs<Matrix<S>>& o = detail::keeps_bf16<S>(pass) ? s.outputs : c.outputs;
    reshape(o.q, tokens, query.out());
    reshape(o.k, tokens, key.out());
    reshape(o.v, tokens, value.out());
    reshape(o.attention, tokens, query.out());
    detail::forward_at(Site::query, query, pass, x, cache_of(c.query_cache, s), o.q, attached);
    detail::forward_at(Site::key, key, pass, x, cache_of(c.key_cache, s), o.k, attached);
    detail::forward_at(Site::value, value, pass, x, cache_of(c.value_cache, s), o.v, attached);
    norm_and_rotate(pass, o, c, s, attached);
    attention.forward(pass, s.q, s.k, o.v, s.attention, o.attention, stores);
    keep(pass, o, c);
    const Matrix<S>& output_in = make_output_in(pass, o, c, s, attached);
    detail::forward_at(Site::attention_output, output, pass, output_in, cache_of(c.output_cache, s), y, attached);
  }

  /// Adds dL/dx to dx, and the gradients of whatever trains. Norms and rotations are computed again. Throws before it
  /// writes to either.
  template <class At = NothingAttached>
  void backward(const Pass& pass, In<S> x, Cache& c, In<S> dy, Out<S> dx, Gradients<S>& gradients,
                const At& attached = {}) const {
    detail::expect_pass("self attention backward", pass, x.rows(), attached);
    attention.check("backward", pass, x.rows());
    expect_shape("self attention backward", "x", x, -1, query.in());
    if (detail::keeps_bf16<S>(pass))
      expect_shape("self attention backward", "the cache", c.kept.q, x.rows(), query.out());
    else
      expect_shape("self attention backward", "the cache", c.outputs.q, x.rows(), query.out());
    expect_shape("self attention backward", "dy", dy, x.rows(), output.out());
    expect_shape("self attention backward", "dx", dx, x.rows(), x.cols());
    Scratch& s = detail::scratch_of(c);
    Outputs<Matrix<S>>& o = recall(pass, c, s);
    copy_rows<S>(pass, dy, s.dy);
    const Matrix<S>& output_in = make_output_in(pass, o, c, s, attached);
    zeros_like(pass, o.attention, s.dattention_out);
    if (sub_norm) {
      zeros_like(pass, s.normed, s.dnormed);
      detail::backward_at(Site::attention_output, output, pass, output_in, cache_of(c.output_cache, s), s.dy, s.dnormed,
                          gradients, attached);
      detail::backward_at(Site::attention_sub_norm, *sub_norm, pass, o.attention, c.sub_norm_cache, s.dnormed,
                          s.dattention_out, gradients, attached);
    } else {
      detail::backward_at(Site::attention_output, output, pass, output_in, cache_of(c.output_cache, s), s.dy,
                          s.dattention_out, gradients, attached);
    }
    const auto& angles = norm_and_rotate(pass, o, c, s, attached);
    zeros_like(pass, o.q, s.dq);
    zeros_like(pass, o.k, s.dk);
    zeros_like(pass, o.v, s.dv);
    attention.backward(pass, s.q, s.k, o.v, s.attention, s.dattention_out, s.dq, s.dk, s.dv);
    rope.apply(pass, angles, S(-1), s.dq);
    rope.apply(pass, angles, S(-1), s.dk);
    Matrix<S>& dq = back_through_norm(Site::query_norm, query_norm, pass, o.q, c.query_norm_cache, s.dq, s.dq_in, s,
                                      gradients, attached);
    Matrix<S>& dk =
        back_through_norm(Site::key_norm, key_norm, pass, o.k, c.key_norm_cache, s.dk, s.dk_in, s, gradients, attached);
    detail::backward_at(Site::query, query, pass, x, cache_of(c.query_cache, s), dq, dx, gradients, attached);
    detail::backward_at(Site::key, key, pass, x, cache_of(c.key_cache, s), dk, dx, gradients, attached);
    detail::backward_at(Site::value, value, pass, x, cache_of(c.value_cache, s), s.dv, dx, gradients, attached);
  }

  /// Calls f(site, member) for each linear, and each norm or its absence.
  template <class Self, class F>
  static void members(Self& self, F&& f) {
    f(Site::query, self.query);
    f(Site::key, self.key);
    f(Site::value, self.value);
    f(Site::query_norm, self.query_norm);
    f(Site::key_norm, self.key_norm);
    f(Site::attention_sub_norm, self.sub_norm);
    f(Site::attention_output, self.output);
  }
  template <class Self, class F>
  static void fields(Self& self, F&& f) {
    members(self, [&](Site site, auto& member) { f(name(site), member); });
  }

  Linear<S, W> query, key, value, output;
  std::optional<RmsNorm<S>> query_norm, key_norm, sub_norm;
  Rope<S> rope;
  CausalAttention<S> attention;

 private:
  using LinearCache = typename Linear<S, W>::Cache;
  static LinearCache& cache_of(LinearCache& own, Scratch& s) { return detail::storage_cache<W>(own, s.linear); }

  /// [tokens x heads*head_dim] as [tokens*heads x head_dim].
  Eigen::Map<Matrix<S>> by_head(Matrix<S>& m) const {
    const Index width = attention.head_dim();
    return {m.data(), m.size() / width, width};
  }
  /// The pass of those rows: each head is its token's user's.
  static Pass pass_by_head(const Pass& pass, Index heads, Scratch& s) {
    Pass p = pass;
    p.sequences = {};
    if (!pass.user.empty()) {
      s.head_users.clear();
      for (const Index user : pass.user) s.head_users.insert(s.head_users.end(), static_cast<std::size_t>(heads), user);
      p.user = s.head_users;
    }
    return p;
  }

  template <class At>
  void norm_heads(Site site, const std::optional<RmsNorm<S>>& norm, const Pass& pass, Matrix<S>& from,
                  typename RmsNorm<S>::Cache& cache, Matrix<S>& to, Scratch& s, const At& attached) const {
    reshape(to, from.rows(), from.cols());
    if (!norm) {
      to = from;
      return;
    }
    const Pass heads = pass_by_head(pass, from.cols() / attention.head_dim(), s);
    detail::forward_at(site, *norm, heads, by_head(from), cache, by_head(to), attached);
  }

  /// Keeps in bf16 what is in the scratch, where that is so; what was kept in another precision goes, so that backward
  /// notices.
  static void keep(const Pass& pass, const Outputs<Matrix<S>>& o, Cache& c) {
    if (!detail::keeps_bf16<S>(pass)) {
      c.kept = {};
      return;
    }
    c.outputs = {};
    detail::narrow(pass, o.q, c.kept.q);
    detail::narrow(pass, o.k, c.kept.k);
    detail::narrow(pass, o.v, c.kept.v);
    detail::narrow(pass, o.attention, c.kept.attention);
  }
  static Outputs<Matrix<S>>& recall(const Pass& pass, Cache& c, Scratch& s) {
    if (!detail::keeps_bf16<S>(pass)) return c.outputs;
    detail::widen(pass, c.kept.q, s.outputs.q);
    detail::widen(pass, c.kept.k, s.outputs.k);
    detail::widen(pass, c.kept.v, s.outputs.v);
    detail::widen(pass, c.kept.attention, s.outputs.attention);
    return s.outputs;
  }

  /// s.q and s.k from o.q and o.k.
  template <class At>
  const typename Rope<S>::Table& norm_and_rotate(const Pass& pass, Outputs<Matrix<S>>& o, Cache& c, Scratch& s,
                                                 const At& attached) const {
    norm_heads(Site::query_norm, query_norm, pass, o.q, c.query_norm_cache, s.q, s, attached);
    norm_heads(Site::key_norm, key_norm, pass, o.k, c.key_norm_cache, s.k, s, attached);
    const auto& angles = rope.table(pass.sequences, o.q.rows(), s.ropes);
    rope.apply(pass, angles, S(1), s.q);
    rope.apply(pass, angles, S(1), s.k);
    return angles;
  }

  /// The gradient of what the projection gave, from that of what was rotated.
  template <class At>
  Matrix<S>& back_through_norm(Site site, const std::optional<RmsNorm<S>>& norm, const Pass& pass, Matrix<S>& x,
                               typename RmsNorm<S>::Cache& cache, Matrix<S>& dy, Matrix<S>& dx, Scratch& s,
                               Gradients<S>& gradients, const At& attached) const {
    if (!norm) return dy;
    zeros_like(pass, x, dx);
    const Pass heads = pass_by_head(pass, x.cols() / attention.head_dim(), s);
    detail::backward_at(site, *norm, heads, by_head(x), cache, by_head(dy), by_head(dx), gradients, attached);
    return dx;
  }

  template <class At>
  const Matrix<S>& make_output_in(const Pass& pass, Outputs<Matrix<S>>& o, Cache& c, Scratch& s,
                                  const At& attached) const {
    if (!sub_norm) return o.attention;
    reshape(s.normed, o.attention.rows(), o.attention.cols());
    detail::forward_at(Site::attention_sub_norm, *sub_norm, pass, o.attention, c.sub_norm_cache, s.normed, attached);
    return s.normed;
  }
};
static_assert(Layer<SelfAttention<float>>);

}  // namespace tern
