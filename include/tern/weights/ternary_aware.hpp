#pragma once
#include <algorithm>
#include <vector>

#include "tern/core/concepts.hpp"
#include "tern/core/error.hpp"
#include "tern/kernels/quantize/absmean.hpp"
#include "tern/weights/operations.hpp"

namespace tern {

/// Full-precision weights that act ternary: quantisation-aware training (BitNet b1.58, arXiv 2402.17764).
///   y = q8(x) * t(W)^T,  t = absmean ternary rounding of W, q8 = int8 rounding of each token
/// Gradients pass straight through both roundings: dx += dy * t(W), dW += dy^T * q8(x).
/// What it learns is what Ternary::quantize(W) computes, up to the rounding of float sums.
template <std::floating_point S>
class TernaryAware {
 public:
  using Scalar = S;
  static constexpr bool keeps = true;
  struct Cache {
    Matrix<S> weights;  // t(W)
    Matrix<S> x;        // q8(x)
    std::vector<std::int8_t> codes;
    std::vector<S> scales;

    std::size_t bytes() const {
      return static_cast<std::size_t>(weights.size() + x.size()) * sizeof(S) + codes.capacity() +
             scales.capacity() * sizeof(S);
    }
  };

  TernaryAware() = default;
  explicit TernaryAware(Matrix<S> w, kernels::TernaryScale granularity = kernels::TernaryScale::tensor)
      : parameter(std::move(w)), granularity_(granularity) {}

  Index rows() const { return parameter.value.rows(); }
  Index columns() const { return parameter.value.cols(); }
  kernels::TernaryScale granularity() const { return granularity_; }

  /// t(W), as a model that is done training keeps it.
  Matrix<S> quantized() const {
    Cache cache;
    quantize_weights(cache);
    return cache.weights;
  }

  void multiply(const Pass& pass, In<S> x, Cache& cache, Out<S> y) const {
    quantize_weights(cache);
    quantize_input(pass, x, cache);
    tern::multiply<S>(pass, cache.x, cache.weights, y);
  }
  void multiply_transposed(const Pass& pass, In<S> dy, Cache& cache, Out<S> dx) const {
    add_multiply_transposed<S>(pass, dy, cache.weights, dx);
  }
  /// Throws ShapeError where the cache is not that of multiply for as many rows.
  void accumulate(const Pass& pass, In<S>, Cache& cache, In<S> dy, Gradients<S>& gradients) const {
    expect_shape("ternary-aware backward", "the cache", cache.x, dy.rows(), columns());
    if (Matrix<S>* dw = gradients.find(parameter)) add_outer<S>(pass, dy, cache.x, *dw);
  }

  template <class Self, class F>
  static void fields(Self& self, F&& f) {
    f("", self.parameter);
  }

  Parameter<S> parameter;

 private:
  void quantize_weights(Cache& cache) const {
    const auto size = static_cast<std::size_t>(rows() * columns());
    cache.codes.resize(std::max(size, cache.codes.size()));
    const auto scales = static_cast<std::size_t>(kernels::ternary_scales(rows(), columns(), granularity_));
    cache.scales.resize(std::max(scales, cache.scales.size()));
    kernels::quantize_absmean(rows(), columns(), parameter.value.data(), columns(), granularity_, cache.codes.data(),
                              cache.scales.data());
    reshape(cache.weights, rows(), columns());
    const Index groups = kernels::ternary_groups(columns(), granularity_);
    const Index span = kernels::ternary_span(columns(), granularity_);
    const bool one = granularity_ == kernels::TernaryScale::tensor;
    const std::int8_t* code = cache.codes.data();
    for (Index r = 0; r < rows(); ++r)
      for (Index g = 0; g < groups; ++g) {
        const S scale = cache.scales[one ? 0 : static_cast<std::size_t>(r * groups + g)];
        const Index begin = g * span, end = g + 1 < groups ? begin + span : columns();
        for (Index k = begin; k < end; ++k) cache.weights(r, k) = static_cast<S>(*code++) * scale;
      }
  }
  void quantize_input(const Pass& pass, In<S> x, Cache& cache) const {
    const auto& ops = operations<S>(pass);
    const Index columns = x.cols();
    cache.codes.resize(std::max(static_cast<std::size_t>(x.size()), cache.codes.size()));
    cache.scales.resize(std::max(static_cast<std::size_t>(x.rows()), cache.scales.size()));
    reshape(cache.x, x.rows(), columns);
    pass.parallel.ranges(x.rows(), 16, [&](Index begin, Index end) {
      ops.quantize_int8(end - begin, columns, x.data() + begin * x.outerStride(), x.outerStride(),
                        cache.codes.data() + begin * columns, columns, cache.scales.data() + begin);
      for (Index t = begin; t < end; ++t)
        for (Index k = 0; k < columns; ++k)
          cache.x(t, k) = static_cast<S>(cache.codes[static_cast<std::size_t>(t * columns + k)]) *
                          cache.scales[static_cast<std::size_t>(t)];
    });
  }

  kernels::TernaryScale granularity_ = kernels::TernaryScale::tensor;
};
static_assert(WeightStorage<TernaryAware<float>, float>);

}  // namespace tern
