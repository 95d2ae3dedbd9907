#pragma once
#include <cassert>

#include "tern/core/concepts.hpp"
#include "tern/kernels/matmul/tiled.hpp"
#include "tern/weights/large_array.hpp"
#include "tern/weights/operations.hpp"

namespace tern {

/// Weights as they are, W [rows x columns] in S, in tiles that products read as they lie (kernels/formats/tiled.hpp):
/// forward in the bits of Dense under Precision::full, which is what it is under any; of few tokens two to three times
/// as fast. Frozen by type: it cannot accumulate.
template <std::floating_point S>
class Tiled {
 public:
  using Scalar = S;
  struct Cache {};
  static constexpr Index strip_rows = kernels::float_tile;  ///< see fill

  Tiled() = default;

  /// Without content: every row is to be filled.
  Tiled(Index rows, Index columns)
      : rows_(rows),
        columns_(columns),
        packed_(LargeArray<S>::unfilled(static_cast<std::size_t>(kernels::tiled_size(rows, columns)))) {}

  /// Packs dense weights. Rounds nothing, and is called as the other formats' is.
  static Tiled quantize(In<S> w) {
    Tiled t(w.rows(), w.cols());
    t.fill(0, w);
    return t;
  }

  /// Rows from `first` on, a multiple of 32, become w. All but the last are filled 32, or a multiple of it, at a time;
  /// threads may fill different ones.
  void fill(Index first, In<S> w) {
    assert(first % strip_rows == 0 && w.cols() == columns_);
    kernels::pack_tiled(w.rows(), columns_, w.data(), w.outerStride(), packed_.data() + first * columns_);
  }

  Index rows() const { return rows_; }
  Index columns() const { return columns_; }
  std::size_t bytes() const { return packed_.size() * sizeof(S); }
  kernels::TiledView<S> view() const { return {packed_.data(), rows_, columns_}; }

  void row(Index r, S* to) const {
    const kernels::TiledView<S> w = view();
    for (Index k = 0; k < columns_; ++k) to[k] = w.weight(r, k);
  }
  void multiply(const Pass& pass, In<S> x, Cache&, Out<S> y) const {
    const auto& ops = operations<S>(pass);
    pass.parallel.ranges(rows_, strip_rows, wide_piece, [&](Index begin, Index end) {
      kernels::tiled_matmul(ops, view(), begin, end, x.rows(), x.data(), x.outerStride(), y.data(), y.outerStride());
    });
  }
  void multiply_transposed(const Pass& pass, In<S> dy, Cache&, Out<S> dx) const {
    const auto& ops = operations<S>(pass);
    pass.parallel.ranges(columns_, 32, wide_piece, [&](Index begin, Index end) {
      kernels::tiled_matmul_transposed(ops, view(), begin, end, dy.rows(), dy.data(), dy.outerStride(), dx.data(),
                                       dx.outerStride());
    });
  }

 private:
  Index rows_ = 0, columns_ = 0;
  LargeArray<S> packed_;
};
static_assert(TableStorage<Tiled<float>, float>);

}  // namespace tern
