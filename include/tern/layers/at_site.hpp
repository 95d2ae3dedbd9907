#pragma once
/// Runs a layer together with what is attached to its output.
#include "tern/core/concepts.hpp"
#include "tern/core/site.hpp"

namespace tern {

/// Gives d the shape of m and fills it with zeros.
template <std::floating_point S>
void zeros_like(const Matrix<S>& m, Matrix<S>& d) {
  reshape(d, m.rows(), m.cols());
  d.setZero();
}

namespace detail {

template <class L, class Adapters>
void forward_at(SiteId id, const L& layer, const Pass& pass, In<typename L::Scalar> x, typename L::Cache& cache,
                Out<typename L::Scalar> y, const Adapters& adapters, typename Adapters::Cache* adapter_cache) {
  layer.forward(pass, x, cache, y);
  if constexpr (!std::is_same_v<Adapters, NoAdapters>) adapters.forward(id, pass, x, *adapter_cache, y);
}

/// dy becomes the gradient of the unedited output.
template <class L, class Adapters>
void backward_at(SiteId id, L& layer, const Pass& pass, In<typename L::Scalar> x, typename L::Cache& cache,
                 Out<typename L::Scalar> dy, Out<typename L::Scalar> dx, Adapters& adapters,
                 typename std::remove_cvref_t<Adapters>::Cache* adapter_cache) {
  if constexpr (!std::is_same_v<std::remove_cvref_t<Adapters>, NoAdapters>)
    adapters.backward(id, pass, x, *adapter_cache, dy, dx);
  layer.backward(pass, x, cache, dy, dx);
}

}  // namespace detail
}  // namespace tern
