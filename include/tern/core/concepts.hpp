#pragma once
/// What a template may ask for. Each type that claims a concept says so with a static_assert beside it.
#include <concepts>
#include <string_view>

#include "tern/core/fields.hpp"
#include "tern/core/gradients.hpp"
#include "tern/core/matrix.hpp"
#include "tern/core/pass.hpp"
#include "tern/core/site.hpp"

namespace tern {

/// A differentiable map of rows. forward overwrites y; backward adds dL/dx to dx, and dL/dp to the gradient of each
/// parameter that has one. Outputs never alias inputs. Everything that changes during a call lies in the caller's Cache
/// and Gradients, so one const layer serves many threads.
template <class L>
concept Layer = requires(const L l, L m, const Pass& p, In<typename L::Scalar> x, Out<typename L::Scalar> y,
                         typename L::Cache& c, Gradients<typename L::Scalar>& g) {
  requires std::floating_point<typename L::Scalar>;
  l.forward(p, x, c, y);
  l.backward(p, x, c, x, y, g);
  L::fields(m, detail::IgnoreField{});
};

/// An edit of a site's output. forward changes y, which holds the site's output for input x, in place.
/// backward turns dy of the edited output, in place, into dy of the unedited one, adds its own share to dx, and its
/// parameters' gradients.
template <class A>
concept Adapter = requires(const A a, A m, const Pass& p, In<typename A::Scalar> x, Out<typename A::Scalar> y,
                           typename A::Cache& c, Gradients<typename A::Scalar>& g) {
  requires std::floating_point<typename A::Scalar>;
  a.forward(p, x, c, y);
  a.backward(p, x, c, y, y, g);
  A::fields(m, detail::IgnoreField{});
};

/// How a linear keeps its weights W [rows x columns]. The cache is the caller's working memory; a storage whose backward
/// needs what its forward left there says so with `static constexpr bool keeps = true`.
///   multiply:             y  = x * W^T
///   multiply_transposed:  dx += dy * W
/// A storage that can train also has accumulate(p, x, cache, dy, gradients): dW += dy^T * x.
template <class W, class S>
concept WeightStorage = requires(const W w, const Pass& p, In<S> x, Out<S> y, typename W::Cache& c) {
  { w.rows() } -> std::same_as<Index>;
  { w.columns() } -> std::same_as<Index>;
  w.multiply(p, x, c, y);
  w.multiply_transposed(p, x, c, y);
};

namespace detail {
template <class W>
constexpr bool keeps_for_backward() {
  if constexpr (requires { W::keeps; })
    return W::keeps;
  else
    return false;
}
}  // namespace detail

/// A storage that can also be read row by row, as embeddings are:
///   row(r, to): to[k] = W[r, k], of columns() numbers.
template <class T, class S>
concept TableStorage = WeightStorage<T, S> && requires(const T t, S* to) { t.row(Index(), to); };

/// What hangs at a model's sites: forward edits a site's output, backward undoes the edit in dy, sites() lists where, and
/// users() says how many users everything there serves: a pass may name those in [0, users()).
template <class A>
concept SiteAdapters = requires(const A a, SiteId id, const Pass& p, In<typename A::Scalar> x,
                                Out<typename A::Scalar> y, typename A::Cache& c, Gradients<typename A::Scalar>& g) {
  a.forward(id, p, x, c, y);
  a.backward(id, p, x, c, y, y, g);
  { *a.sites().begin() } -> std::convertible_to<SiteId>;
  { a.users() } -> std::convertible_to<Index>;
};

}  // namespace tern
