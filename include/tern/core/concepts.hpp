#pragma once
/// What a template may ask for. Each type that claims a concept says so with a static_assert beside it.
#include <concepts>
#include <string_view>

#include "tern/core/fields.hpp"
#include "tern/core/matrix.hpp"
#include "tern/core/pass.hpp"
#include "tern/core/site.hpp"

namespace tern {

/// A differentiable map of rows. forward overwrites y; backward adds dL/dx to dx and dL/dp to each trainable p.grad.
/// Outputs never alias inputs. Everything that changes during a call lies in the caller's Cache.
template <class L>
concept Layer = requires(const L l, L m, const Pass& p, In<typename L::Scalar> x, Out<typename L::Scalar> y,
                         typename L::Cache& c) {
  requires std::floating_point<typename L::Scalar>;
  l.forward(p, x, c, y);
  m.backward(p, x, c, x, y);
  L::fields(m, detail::IgnoreField{});
};

/// An edit of a site's output. forward changes y, which holds the site's output for input x, in place.
/// backward turns dy of the edited output, in place, into dy of the unedited one, adds its own share to dx, and its
/// gradients to its parameters.
template <class A>
concept Adapter = requires(const A a, A m, const Pass& p, In<typename A::Scalar> x, Out<typename A::Scalar> y,
                           typename A::Cache& c) {
  requires std::floating_point<typename A::Scalar>;
  a.forward(p, x, c, y);
  m.backward(p, x, c, y, y);
  A::fields(m, detail::IgnoreField{});
};

/// How a linear keeps its weights W [rows x columns]. The cache carries what one call leaves for its backward
/// (quantised activations, say); it is the caller's.
///   multiply:             y  = x * W^T
///   multiply_transposed:  dx += dy * W
/// A storage that can train also has accumulate(p, x, cache, dy): dW += dy^T * x.
template <class W, class S>
concept WeightStorage = requires(const W w, const Pass& p, In<S> x, Out<S> y, typename W::Cache& c) {
  { w.rows() } -> std::same_as<Index>;
  { w.columns() } -> std::same_as<Index>;
  w.multiply(p, x, c, y);
  w.multiply_transposed(p, x, c, y);
};

/// A storage that can also be read row by row, as embeddings are:
///   row(r, to): to[k] = W[r, k], of columns() numbers.
template <class T, class S>
concept TableStorage = WeightStorage<T, S> && requires(const T t, S* to) { t.row(Index(), to); };

/// What hangs at a model's sites: forward(site, pass, x, cache, y) edits the site's output, backward undoes the edit in dy.
template <class A>
concept SiteAdapters = requires(typename A::Cache& c) { typename A::Cache; };

/// Nothing attached; compiles to nothing.
struct NoAdapters {
  struct Cache {};
  template <class X, class Y>
  void forward(SiteId, const Pass&, const X&, Cache&, Y&&) const {}
  template <class X, class DY, class DX>
  void backward(SiteId, const Pass&, const X&, Cache&, DY&&, DX&&) {}
};
static_assert(SiteAdapters<NoAdapters>);

}  // namespace tern
