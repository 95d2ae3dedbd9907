#pragma once
/// What every layer and adapter must keep, whatever it computes.
#include <doctest/doctest.h>

#include <limits>

#include "support/gradient_check.hpp"
#include "support/no_allocation.hpp"
#include "tern/core/concepts.hpp"
#include "tern/core/parallel.hpp"

namespace tern::test {

struct ContractOptions {
  Index tokens = 5, in = 8, out = 8;
  std::uint64_t seed = 1;
  bool differentiable = true;  ///< false where rounding makes finite differences meaningless
};

template <class M>
void fill_with_nan(M& m) {
  m.setConstant(std::numeric_limits<typename M::Scalar>::quiet_NaN());
}

/// The gradients of every parameter of `layer`, each starting at 1.
template <class L>
Gradients<typename L::Scalar> ones_everywhere(const L& layer) {
  Gradients<typename L::Scalar> gradients(layer);
  for (std::size_t i = 0; i < gradients.size(); ++i) gradients[i].setOnes();
  return gradients;
}

/// What backward added to gradients that started at 1.
template <std::floating_point S>
Gradients<S> less_one(Gradients<S> gradients) {
  for (std::size_t i = 0; i < gradients.size(); ++i) gradients[i].array() -= S(1);
  return gradients;
}

template <std::floating_point S>
bool same_bits(const Gradients<S>& a, const Gradients<S>& b) {
  bool same = a.size() == b.size();
  for (std::size_t i = 0; same && i < a.size(); ++i) same = a[i] == b[i];
  return same;
}

/// Forward overwrites, backward adds; gradients match finite differences (in double); what is frozen changes nothing for
/// the rest; second calls allocate nothing; 1, 2 and 5 threads give the same bits.
template <Layer L>
void check_layer_contract(L layer, ContractOptions o) {
  using S = typename L::Scalar;
  Random random(o.seed);
  Matrix<S> x = random_matrix<S>(o.tokens, o.in, random);
  const Matrix<S> weight = random_matrix<S>(o.tokens, o.out, random);  // the loss is sum(weight * y)
  Matrix<S> y(o.tokens, o.out), dx = Matrix<S>::Ones(o.tokens, o.in);
  fill_with_nan(y);
  Gradients<S> gradients = ones_everywhere(layer);
  Pass pass;
  typename L::Cache cache;
  layer.forward(pass, x, cache, y);
  CHECK(y.allFinite());
  layer.backward(pass, x, cache, weight, dx, gradients);
  const Matrix<S> dx_once = dx.array() - S(1);
  const Gradients<S> gradients_once = less_one(gradients);

  if constexpr (std::is_same_v<S, double>) {
    if (o.differentiable) {
      const auto loss = [&] {
        Matrix<S> out(o.tokens, o.out);
        typename L::Cache c;
        layer.forward(pass, x, c, out);
        return (out.array() * weight.array()).sum();
      };
      check_gradient("dx", x, dx_once, loss);
      check_parameter_gradients(layer, gradients_once, loss);
    }
  }

  // Backward adds: a second call doubles every gradient.
  layer.forward(pass, x, cache, y);
  {
    const NoAllocation guard;
    layer.forward(pass, x, cache, y);
    layer.backward(pass, x, cache, weight, dx, gradients);
  }
  const auto doubled = [](const Matrix<S>& sum, const Matrix<S>& once) {
    return (sum.array() - S(1) - S(2) * once.array()).abs().maxCoeff() <= S(1e-4) * (S(1) + once.array().abs().maxCoeff());
  };
  CHECK(doubled(dx, dx_once));
  for (std::size_t i = 0; i < gradients.size(); ++i) CHECK(doubled(gradients[i], gradients_once[i]));

  // Any number of threads, the same bits; where nothing trains, the same dx.
  Matrix<S> first_y, first_dx;
  Gradients<S> first;
  for (const Index threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    Pass threaded;
    threaded.parallel = pool.parallel();
    Matrix<S> dxt = Matrix<S>::Zero(o.tokens, o.in);
    Gradients<S> found(layer), frozen;
    typename L::Cache c;
    layer.forward(threaded, x, c, y);
    layer.backward(threaded, x, c, weight, dxt, found);
    if (threads == 1) {
      first_y = y;
      first_dx = dxt;
      first = found;
    }
    CHECK(y == first_y);
    CHECK(dxt == first_dx);
    CHECK(same_bits(found, first));
    Matrix<S> dxf = Matrix<S>::Zero(o.tokens, o.in);
    layer.backward(threaded, x, c, weight, dxf, frozen);
    CHECK(dxf == first_dx);
  }
}

/// The same for an adapter at a site whose unedited output is `site(x)`, anything if there is none.
template <Adapter A>
void check_adapter_contract(
    A adapter, ContractOptions o, Pass pass = {},
    const std::function<Matrix<typename A::Scalar>(const Matrix<typename A::Scalar>&)>& site = {}) {
  using S = typename A::Scalar;
  Random random(o.seed);
  for_each_parameter(adapter, [&](std::string_view, auto& p) {
    p.value += random_matrix<S>(p.value.rows(), p.value.cols(), random, 0.1);
  });
  Matrix<S> x = random_matrix<S>(o.tokens, o.in, random);
  Matrix<S> unedited = site ? site(x) : random_matrix<S>(o.tokens, o.out, random);
  const Matrix<S> weight = random_matrix<S>(o.tokens, o.out, random);
  Matrix<S> y = unedited, dy = weight, dx = Matrix<S>::Ones(o.tokens, o.in);
  Gradients<S> gradients = ones_everywhere(adapter);
  typename A::Cache cache;
  adapter.forward(pass, x, cache, y);
  CHECK(y.allFinite());
  adapter.backward(pass, x, cache, dy, dx, gradients);

  if constexpr (std::is_same_v<S, double>) {
    const auto loss = [&] {
      Matrix<S> out = unedited;
      typename A::Cache c;
      adapter.forward(pass, x, c, out);
      return (out.array() * weight.array()).sum();
    };
    check_gradient("dx", x, dx.array() - S(1), loss);
    check_gradient("dy of the unedited output", unedited, dy, loss);
    check_parameter_gradients(adapter, less_one(gradients), loss);
  }

  const Matrix<S> once_dy = dy;
  y = unedited;
  {
    const NoAllocation guard;
    adapter.forward(pass, x, cache, y);
    dy = weight;
    adapter.backward(pass, x, cache, dy, dx, gradients);
  }
  Matrix<S> first, first_dx;
  Gradients<S> first_gradients;
  for (const Index threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    Pass threaded = pass;
    threaded.parallel = pool.parallel();
    Gradients<S> found(adapter), frozen;
    typename A::Cache c;
    Matrix<S> dxt = Matrix<S>::Zero(o.tokens, o.in), dxf = dxt;
    y = unedited;
    dy = weight;
    adapter.forward(threaded, x, c, y);
    adapter.backward(threaded, x, c, dy, dxt, found);
    if (threads == 1) {
      first = y;
      first_dx = dxt;
      first_gradients = found;
    }
    CHECK(y == first);
    CHECK(dy == once_dy);
    CHECK(dxt == first_dx);
    CHECK(same_bits(found, first_gradients));
    dy = weight;
    adapter.backward(threaded, x, c, dy, dxf, frozen);
    CHECK(dy == once_dy);
    CHECK(dxf == first_dx);
  }
}

}  // namespace tern::test
