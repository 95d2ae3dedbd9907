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

/// Forward overwrites, backward adds; gradients match finite differences (in double); freezing changes nothing else;
/// second calls allocate nothing; 1, 2 and 5 threads give the same bits.
template <Layer L>
void check_layer_contract(L layer, ContractOptions o) {
  using S = typename L::Scalar;
  Random random(o.seed);
  Gradients<S> gradients(layer);
  Matrix<S> x = random_matrix<S>(o.tokens, o.in, random);
  const Matrix<S> weight = random_matrix<S>(o.tokens, o.out, random);  // the loss is sum(weight * y)
  Matrix<S> y(o.tokens, o.out), dx = Matrix<S>::Ones(o.tokens, o.in);
  fill_with_nan(y);
  Pass pass;
  typename L::Cache cache;
  layer.forward(pass, x, cache, y);
  CHECK(y.allFinite());
  layer.backward(pass, x, cache, weight, dx, gradients);

  if constexpr (std::is_same_v<S, double>) {
    if (o.differentiable) {
      const auto loss = [&] {
        Matrix<S> out(o.tokens, o.out);
        typename L::Cache c;
        layer.forward(pass, x, c, out);
        return (out.array() * weight.array()).sum();
      };
      check_gradient("dx", x, dx.array() - 1, loss);
      check_parameter_gradients(layer, gradients, loss);
    }
  }

  // Backward adds: a second call doubles every gradient.
  const Matrix<S> once = dx.array() - 1;
  layer.forward(pass, x, cache, y);
  {
    const NoAllocation guard;
    layer.forward(pass, x, cache, y);
    layer.backward(pass, x, cache, weight, dx, gradients);
  }
  CHECK((dx.array() - 1 - 2 * once.array()).abs().maxCoeff() <= S(1e-4) * (1 + once.array().abs().maxCoeff()));

  // Any number of threads, the same bits; frozen, nothing changes.
  Matrix<S> first_y, first_dx;
  std::vector<Matrix<S>> first_gradients;
  for (const Index threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    Pass threaded;
    threaded.parallel = pool.parallel();
    gradients.set_zero();
    Matrix<S> dxt = Matrix<S>::Zero(o.tokens, o.in);
    typename L::Cache c;
    layer.forward(threaded, x, c, y);
    layer.backward(threaded, x, c, weight, dxt, gradients);
    if (threads == 1) {
      first_y = y;
      first_dx = dxt;
      for (std::size_t i = 0; i < gradients.size(); ++i) first_gradients.push_back(gradients[i]);
    }
    CHECK(y == first_y);
    CHECK(dxt == first_dx);
    for (std::size_t i = 0; i < gradients.size(); ++i) CHECK(gradients[i] == first_gradients[i]);
    Matrix<S> dxf = Matrix<S>::Zero(o.tokens, o.in);
    Gradients<S> none;
    layer.backward(threaded, x, c, weight, dxf, none);
    CHECK(dxf == first_dx);
  }
}

/// The same for an adapter at a site whose unedited output is `site(x)`, a fixed linear map of x.
template <Adapter A>
void check_adapter_contract(A adapter, ContractOptions o, Pass pass = {}, Matrix<typename A::Scalar> site = {}) {
  using S = typename A::Scalar;
  Random random(o.seed);
  Gradients<S> gradients(adapter);
  for_each_parameter(adapter, [&](std::string_view, auto& p) { p.value += random_matrix<S>(p.value.rows(), p.value.cols(), random, 0.1); });
  Matrix<S> x = random_matrix<S>(o.tokens, o.in, random);
  Matrix<S> unedited = site.size() > 0 ? site : random_matrix<S>(o.tokens, o.out, random);
  const Matrix<S> weight = random_matrix<S>(o.tokens, o.out, random);
  Matrix<S> y = unedited, dy = weight, dx = Matrix<S>::Ones(o.tokens, o.in);
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
    check_gradient("dx", x, dx.array() - 1, loss);
    check_gradient("dy of the unedited output", unedited, dy, loss);
    check_parameter_gradients(adapter, gradients, loss);
  }

  const Matrix<S> once_dy = dy;
  y = unedited;
  {
    const NoAllocation guard;
    adapter.forward(pass, x, cache, y);
    dy = weight;
    adapter.backward(pass, x, cache, dy, dx, gradients);
  }
  Matrix<S> first;
  for (const Index threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    Pass threaded = pass;
    threaded.parallel = pool.parallel();
    gradients.set_zero();
    typename A::Cache c;
    y = unedited;
    dy = weight;
    adapter.forward(threaded, x, c, y);
    adapter.backward(threaded, x, c, dy, dx, gradients);
    if (threads == 1) first = y;
    CHECK(y == first);
    CHECK(dy == once_dy);
  }
}

}  // namespace tern::test
