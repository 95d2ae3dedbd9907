#pragma once
#include <string>

#include "tern/core/concepts.hpp"
#include "tern/core/error.hpp"
#include "tern/weights/operations.hpp"

namespace tern {

/// Root-mean-square normalisation of each row (Zhang and Sennrich, arXiv 1910.07467).
///   y[t,c] = gain[c] * x[t,c] * rstd[t],  rstd[t] = 1/sqrt(mean_c x[t,c]^2 + eps)
/// Shapes: x, y [tokens x channels]; gain [1 x channels]. Throws ShapeError on a wrong width.
template <std::floating_point S>
class RmsNorm {
 public:
  using Scalar = S;
  struct Cache {
    Column<S> rstd;  // [tokens]
    std::size_t bytes() const { return static_cast<std::size_t>(rstd.size()) * sizeof(S); }
  };

  RmsNorm() = default;
  explicit RmsNorm(Index channels, S epsilon = S(1e-6)) : gain(Matrix<S>::Ones(1, channels)), eps(epsilon) {}

  Index channels() const { return gain.value.cols(); }

  /// Overwrites y.
  void forward(const Pass& pass, In<S> x, Cache& cache, Out<S> y) const {
    check("forward", x, y);
    if (cache.rstd.rows() != x.rows()) cache.rstd.resize(x.rows());
    const auto& ops = operations<S>(pass);
    pass.parallel.ranges(x.rows(), 16, [&](Index begin, Index end) {
      ops.rms_norm(end - begin, channels(), eps, x.data() + begin * x.outerStride(), x.outerStride(),
                   gain.value.data(), y.data() + begin * y.outerStride(), y.outerStride(), cache.rstd.data() + begin);
    });
  }

  /// Adds dL/dx to dx, and dL/dgain to the gain's gradient if it trains.
  void backward(const Pass& pass, In<S> x, const Cache& cache, In<S> dy, Out<S> dx, Gradients<S>& gradients) const {
    check("backward", x, dy);
    if (dx.rows() != x.rows() || dx.cols() != channels())
      expect_shape(place("backward"), "dx", dx, x.rows(), channels());
    if (cache.rstd.rows() != x.rows()) expect_shape(place("backward"), "the cache", cache.rstd, x.rows(), 1);
    const auto& ops = operations<S>(pass);
    pass.parallel.ranges(x.rows(), 16, [&](Index begin, Index end) {
      ops.rms_norm_backward(end - begin, channels(), x.data() + begin * x.outerStride(), x.outerStride(),
                            gain.value.data(), cache.rstd.data() + begin, dy.data() + begin * dy.outerStride(),
                            dy.outerStride(), dx.data() + begin * dx.outerStride(), dx.outerStride());
    });
    if (Matrix<S>* dgain = gradients.find(gain))
      pass.parallel.ranges(channels(), 64, [&](Index begin, Index end) {
        ops.rms_norm_backward_gain(x.rows(), end - begin, x.data() + begin, x.outerStride(), cache.rstd.data(),
                                   dy.data() + begin, dy.outerStride(), dgain->data() + begin);
      });
  }

  template <class Self, class F>
  static void fields(Self& self, F&& f) {
    f("gain", self.gain);
  }

  Parameter<S> gain;
  S eps = S(1e-6);
  std::string name;  ///< for error messages

 private:
  std::string place(const char* call) const { return "rms_norm '" + name + "' " + call; }
  template <class X, class Y>
  void check(const char* call, const X& x, const Y& y) const {
    if (x.cols() != channels()) expect_shape(place(call), "x", x, -1, channels());
    if (y.rows() != x.rows() || y.cols() != channels()) expect_shape(place(call), "y", y, x.rows(), channels());
  }
};
static_assert(Layer<RmsNorm<float>>);

}  // namespace tern
