#pragma once
#include <vector>

#include "tern/core/concepts.hpp"
#include "tern/weights/operations.hpp"

namespace tern::benchmark {

/// Dense, frozen weights whose gradients go back as Pass::gradients says, as they do through packed ternary ones: what
/// int8 does to the gradients of any base can be measured with it. Slow: rounded codes are multiplied in float.
template <std::floating_point S>
class RoundedGradient {
 public:
  using Scalar = S;
  struct Cache {
    std::vector<std::int8_t> codes;
    std::vector<S> scales;
    Matrix<S> rounded;
  };

  RoundedGradient() = default;
  explicit RoundedGradient(Matrix<S> weights) : weights_(std::move(weights)) {}

  Index rows() const { return weights_.rows(); }
  Index columns() const { return weights_.cols(); }

  void multiply(const Pass& pass, In<S> x, Cache&, Out<S> y) const { tern::multiply<S>(pass, x, weights_, y); }

  void multiply_transposed(const Pass& pass, In<S> dy, Cache& cache, Out<S> dx) const {
    if (pass.gradients == GradientRounding::none) return add_multiply_transposed<S>(pass, dy, weights_, dx);
    const Index tokens = dy.rows(), n = dy.cols();
    cache.codes.resize(static_cast<std::size_t>(tokens * n));
    cache.scales.resize(static_cast<std::size_t>(tokens));
    operations<S>(pass).quantize_gradient(tokens, n, dy.data(), dy.outerStride(), nullptr,
                                          pass.gradients == GradientRounding::stochastic, cache.codes.data(), n,
                                          cache.scales.data());
    reshape(cache.rounded, tokens, n);
    for (Index t = 0; t < tokens; ++t)
      for (Index r = 0; r < n; ++r)
        cache.rounded(t, r) =
            cache.scales[static_cast<std::size_t>(t)] * static_cast<S>(cache.codes[static_cast<std::size_t>(t * n + r)]);
    Pass exact = pass;
    exact.precision = Precision::full;
    add_multiply_transposed<S>(exact, cache.rounded, weights_, dx);
  }

 private:
  Matrix<S> weights_;
};
static_assert(WeightStorage<RoundedGradient<float>, float>);

}  // namespace tern::benchmark
