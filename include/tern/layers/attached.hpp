#pragma once
/// What is attached to a model, and how a layer runs with what is attached to its output.
#include "tern/core/concepts.hpp"
#include "tern/core/expect_rows.hpp"
#include "tern/core/site.hpp"

namespace tern {

/// A set of adapters for one pass, with the cache of what they compute and the layer that is running: one value, so that
/// none of the three can be passed without the others. Borrows set and cache.
template <SiteAdapters A>
class Attached {
 public:
  using Scalar = typename A::Scalar;

  Attached(const A& set, typename A::Cache& cache) : set_(&set), cache_(&cache) {}

  /// The same at the sites of a layer; -1: outside the blocks.
  Attached at(Index layer) const {
    Attached there = *this;
    there.layer_ = layer;
    return there;
  }

  const A& set() const { return *set_; }

  void forward(Site site, const Pass& pass, In<Scalar> x, Out<Scalar> y) const {
    set_->forward({layer_, site}, pass, x, *cache_, y);
  }
  void backward(Site site, const Pass& pass, In<Scalar> x, Out<Scalar> dy, Out<Scalar> dx,
                Gradients<Scalar>& gradients) const {
    set_->backward({layer_, site}, pass, x, *cache_, dy, dx, gradients);
  }

 private:
  const A* set_;
  typename A::Cache* cache_;
  Index layer_ = -1;
};

/// Nothing attached; compiles to nothing.
struct NothingAttached {
  NothingAttached at(Index) const { return {}; }
  template <class X, class Y>
  void forward(Site, const Pass&, const X&, Y&&) const {}
  template <class X, class DY, class DX, class G>
  void backward(Site, const Pass&, const X&, DY&&, DX&&, G&) const {}
};

namespace detail {

/// Throws ShapeError or ValueError unless the pass is one of `rows` rows, of users that all adapters know. Layers ask
/// before they write anything.
template <class At>
void expect_pass(std::string_view place, const Pass& pass, Index rows, const At& attached) {
  expect_rows(place, pass, rows);
  if constexpr (requires { attached.set().users(); }) expect_users(place, pass, attached.set().users());
}

template <class L, class At>
void forward_at(Site site, const L& layer, const Pass& pass, In<typename L::Scalar> x, typename L::Cache& cache,
                Out<typename L::Scalar> y, const At& attached) {
  layer.forward(pass, x, cache, y);
  attached.forward(site, pass, x, y);
}

/// dy becomes the gradient of the unedited output.
template <class L, class At>
void backward_at(Site site, const L& layer, const Pass& pass, In<typename L::Scalar> x, typename L::Cache& cache,
                 Out<typename L::Scalar> dy, Out<typename L::Scalar> dx, Gradients<typename L::Scalar>& gradients,
                 const At& attached) {
  attached.backward(site, pass, x, dy, dx, gradients);
  layer.backward(pass, x, cache, dy, dx, gradients);
}

/// Bytes that matrices and arrays of numbers fill, and caches, which are empty where they do not say.
template <class... Parts>
std::size_t bytes_of(const Parts&... parts) {
  const auto bytes = [](const auto& part) -> std::size_t {
    if constexpr (requires { part.bytes(); })
      return part.bytes();
    else if constexpr (requires { *part.data(); })
      return static_cast<std::size_t>(part.size()) * sizeof(*part.data());
    else
      static_assert(std::is_empty_v<std::remove_cvref_t<decltype(part)>>);
    return 0;
  };
  return (std::size_t{0} + ... + bytes(parts));
}

}  // namespace detail
}  // namespace tern
