#pragma once
#include <vector>

#include "tern/core/concepts.hpp"
#include "tern/weights/operations.hpp"

namespace tern {

/// Weights in bfloat16, row-major: half the memory of float, and the values that mixed precision would round them to.
/// Products run on bf16 units where there are any, whatever Pass::precision says; in full precision activations are
/// not rounded elsewhere. Frozen by type: it cannot accumulate.
template <std::floating_point S>
class Bf16 {
 public:
  using Scalar = S;
  struct Cache {};

  Bf16() = default;

  /// Rounds dense weights to nearest.
  static Bf16 quantize(In<S> w) {
    Bf16 b;
    b.rows_ = w.rows();
    b.columns_ = w.cols();
    b.values_.reserve(static_cast<std::size_t>(w.size()));
    for (Index r = 0; r < w.rows(); ++r)
      for (Index k = 0; k < w.cols(); ++k) b.values_.push_back(kernels::to_bf16(static_cast<float>(w(r, k))));
    return b;
  }

  Index rows() const { return rows_; }
  Index columns() const { return columns_; }
  std::size_t bytes() const { return values_.size() * sizeof(kernels::Bf16); }
  const kernels::Bf16* data() const { return values_.data(); }

  void multiply(const Pass& pass, In<S> x, Cache&, Out<S> y) const {
    product(pass, x, rows_, columns_, {values_.data(), 1, columns_}, y, false);
  }
  void multiply_transposed(const Pass& pass, In<S> dy, Cache&, Out<S> dx) const {
    product(pass, dy, columns_, rows_, {values_.data(), columns_, 1}, dx, true);
  }

 private:
  /// y (+)= x * B, B [k x n].
  static void product(const Pass& pass, In<S> x, Index n, Index k, kernels::Strided<const kernels::Bf16> b, Out<S> y,
                      bool accumulate) {
    const auto& ops = operations<S>(pass);
    pass.parallel.ranges(n, 32, [&](Index begin, Index end) {
      ops.matmul_bf16(x.rows(), end - begin, k, {x.data(), x.outerStride(), 1},
                      {b.data + begin * b.column, b.row, b.column}, y.data() + begin, y.outerStride(), accumulate);
    });
  }

  Index rows_ = 0, columns_ = 0;
  std::vector<kernels::Bf16> values_;
};
static_assert(WeightStorage<Bf16<float>, float>);

}  // namespace tern
