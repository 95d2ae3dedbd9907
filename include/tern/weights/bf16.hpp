#pragma once
#include <cassert>

#include "tern/core/concepts.hpp"
#include "tern/weights/large_array.hpp"
#include "tern/weights/operations.hpp"

namespace tern {

/// Weights in bfloat16: half the memory of float, and the values that mixed precision would round them to; packed as
/// kernels/formats/bf16.hpp says. Products run on bf16 units where there are any, whatever Pass::precision says;
/// elsewhere activations are not rounded. Frozen by type: it cannot accumulate.
template <std::floating_point S>
class Bf16 {
 public:
  using Scalar = S;
  struct Cache {};
  static constexpr Index strip_rows = kernels::bf16_tile;  ///< see fill

  Bf16() = default;

  /// Without content: every row is to be filled.
  Bf16(Index rows, Index columns)
      : rows_(rows),
        columns_(columns),
        packed_(
            LargeArray<kernels::Bf16>::unfilled(static_cast<std::size_t>(kernels::bf16_packed_size(rows, columns)))) {}

  /// Rounds dense weights to nearest.
  static Bf16 quantize(In<S> w) {
    Bf16 b(w.rows(), w.cols());
    b.fill(0, w);
    return b;
  }

  /// Rows from `first` on, a multiple of 32, become w, rounded to nearest. All but the last are filled 32, or a
  /// multiple of it, at a time; threads may fill different ones.
  void fill(Index first, In<S> w) {
    assert(first % strip_rows == 0 && w.cols() == columns_);
    kernels::pack_bf16(w.rows(), columns_, w.data(), w.outerStride(),
                       packed_.data() + first / strip_rows * kernels::bf16_tile_size(columns_));
  }

  Index rows() const { return rows_; }
  Index columns() const { return columns_; }
  std::size_t bytes() const { return packed_.size() * sizeof(kernels::Bf16); }
  kernels::Bf16View view() const { return {packed_.data(), rows_, columns_}; }

  void row(Index r, S* to) const {
    const kernels::Bf16View w = view();
    for (Index k = 0; k < columns_; ++k) to[k] = static_cast<S>(w.weight(r, k));
  }
  void multiply(const Pass& pass, In<S> x, Cache&, Out<S> y) const {
    const auto& ops = operations<S>(pass);
    pass.parallel.ranges(rows_, kernels::bf16_tile, wide_piece, [&](Index begin, Index end) {
      ops.bf16.matmul(view(), begin, end, x.rows(), x.data(), x.outerStride(), y.data(), y.outerStride());
    });
  }
  void multiply_transposed(const Pass& pass, In<S> dy, Cache&, Out<S> dx) const {
    const auto& ops = operations<S>(pass);
    pass.parallel.ranges(columns_, 32, wide_piece, [&](Index begin, Index end) {
      ops.bf16.matmul_transposed(view(), begin, end, dy.rows(), dy.data(), dy.outerStride(), dx.data(),
                                 dx.outerStride());
    });
  }

 private:
  Index rows_ = 0, columns_ = 0;
  LargeArray<kernels::Bf16> packed_;
};
static_assert(TableStorage<Bf16<float>, float>);

}  // namespace tern
