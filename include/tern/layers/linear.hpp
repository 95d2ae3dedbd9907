#pragma once
#include <optional>
#include <string>

#include "tern/core/error.hpp"
#include "tern/weights/dense.hpp"

namespace tern {

/// A linear map of rows, generic in how its weights are stored.
///   y[t,o] = sum_i W[o,i] * x[t,i] + bias[o]
/// Shapes: x [tokens x in], y [tokens x out], bias [1 x out]. Throws ShapeError on a wrong width.
template <std::floating_point S, WeightStorage<S> W = Dense<S>>
class Linear {
 public:
  using Scalar = S;
  using Weights = W;
  using Cache = typename W::Cache;

  Linear() = default;
  explicit Linear(W w) : weight(std::move(w)) {}

  Index in() const { return weight.columns(); }
  Index out() const { return weight.rows(); }

  /// Overwrites y.
  void forward(const Pass& pass, In<S> x, Cache& cache, Out<S> y) const {
    check("forward", x, y);
    weight.multiply(pass, x, cache, y);
    if (bias) y.rowwise() += bias->value.row(0);
  }

  /// Adds dL/dx to dx, and the gradients of whatever trains.
  void backward(const Pass& pass, In<S> x, Cache& cache, In<S> dy, Out<S> dx, Gradients<S>& gradients) const {
    check("backward", x, dy);
    if (dx.rows() != x.rows() || dx.cols() != in()) expect_shape(place("backward"), "dx", dx, x.rows(), in());
    if constexpr (requires { weight.accumulate(pass, x, cache, dy, gradients); })
      weight.accumulate(pass, x, cache, dy, gradients);
    if (bias)
      if (Matrix<S>* db = gradients.find(*bias)) db->row(0) += dy.colwise().sum();
    weight.multiply_transposed(pass, dy, cache, dx);
  }

  template <class Self, class F>
  static void fields(Self& self, F&& f) {
    f("weight", self.weight);
    f("bias", self.bias);
  }

  W weight;
  std::optional<Parameter<S>> bias;
  std::string name;  ///< for error messages: "blocks.3.query"

 private:
  std::string place(const char* call) const { return "linear '" + name + "' " + call; }
  template <class X, class Y>
  void check(const char* call, const X& x, const Y& y) const {
    if (x.cols() != in()) expect_shape(place(call), "x", x, -1, in());
    if (y.rows() != x.rows() || y.cols() != out()) expect_shape(place(call), "y", y, x.rows(), out());
    if (bias && bias->value.cols() != out()) expect_shape(place(call), "bias", bias->value, 1, out());
  }
};
static_assert(Layer<Linear<float>>);

}  // namespace tern
