#pragma once
#include <cmath>

#include "tern/core/concepts.hpp"
#include "tern/core/error.hpp"
#include "tern/core/random.hpp"
#include "tern/weights/operations.hpp"

namespace tern {

/// Low-rank update of a linear site (Hu et al., arXiv 2106.09685): y += scale * (x * down^T) * up^T, scale = alpha/rank.
/// Shapes: down [rank x in] (PEFT's lora_A), up [out x rank] (lora_B). Starts as no change: up = 0. No dropout.
template <std::floating_point S>
class Lora {
 public:
  using Scalar = S;
  struct Cache {
    Matrix<S> scaled, dh;  // scale * x * down^T, and the gradient of x * down^T: at least [tokens x rank]
  };

  Lora() = default;

  /// down is uniform in +-1/sqrt(in), as PEFT draws it (Kaiming with a = sqrt 5). Throws ValueError unless rank > 0.
  Lora(Index in, Index out, Index rank, S alpha, Random& random) : alpha_(alpha) {
    if (rank <= 0) throw ValueError("lora: expected a rank > 0, got " + std::to_string(rank));
    Matrix<S> a(rank, in);
    const double bound = 1.0 / std::sqrt(static_cast<double>(in));
    for (Index i = 0; i < a.size(); ++i) a.data()[i] = static_cast<S>(bound * (2.0 * random.uniform() - 1.0));
    down = Parameter<S>(std::move(a));
    up = Parameter<S>(Matrix<S>(Matrix<S>::Zero(out, rank)));
  }

  Index rank() const { return down.value.rows(); }
  S alpha() const { return alpha_; }
  S scale() const { return alpha_ / static_cast<S>(rank()); }

  void forward(const Pass& pass, In<S> x, Cache& cache, Out<S> y) const {
    check(x, y);
    Out<S> scaled = first_rows(cache.scaled, x.rows(), rank());
    multiply<S>(pass, x, down.value, scaled);
    scaled *= scale();
    multiply<S>(pass, scaled, up.value, y, true);
  }

  /// dy passes unchanged. dh = scale * dy * up; dx += dh * down; dup += scale * dy^T * x * down^T; ddown += dh^T * x.
  void backward(const Pass& pass, In<S> x, Cache& cache, Out<S> dy, Out<S> dx) {
    check(x, dy);
    Out<S> dh = first_rows(cache.dh, x.rows(), rank());
    dh.setZero();
    add_multiply_transposed<S>(pass, dy, up.value, dh);
    dh *= scale();
    add_multiply_transposed<S>(pass, dh, down.value, dx);
    if (up.trainable()) add_outer<S>(pass, dy, first_rows(cache.scaled, x.rows(), rank()), up.grad);
    if (down.trainable()) add_outer<S>(pass, dh, x, down.grad);
  }

  template <class Self, class F>
  static void fields(Self& self, F&& f) {
    f("down", self.down);
    f("up", self.up);
  }

  Parameter<S> down, up;

 private:
  template <class X, class Y>
  void check(const X& x, const Y& y) const {
    if (x.cols() != down.value.cols()) expect_shape("lora", "x", x, -1, down.value.cols());
    if (y.cols() != up.value.rows() || y.rows() != x.rows()) expect_shape("lora", "y", y, x.rows(), up.value.rows());
  }

  S alpha_ = S(1);
};
static_assert(Adapter<Lora<float>>);

}  // namespace tern
