#pragma once
#include <algorithm>
#include <cassert>
#include <span>
#include <string>
#include <vector>

#include "tern/core/concepts.hpp"
#include "tern/core/error.hpp"
#include "tern/kernels/quantize/grouped.hpp"
#include "tern/weights/int8_cache.hpp"
#include "tern/weights/large_array.hpp"
#include "tern/weights/operations.hpp"

namespace tern {

/// Weights of few bits with a scale for every 32 columns of a row, in a format F of kernels/formats/list.hpp.
/// forward under Precision::full multiplies activations as they are; under Precision::mixed it quantises tokens to int8
/// with a scale for every 128 columns and sums integers exactly within groups. backward passes the gradient straight
/// through that rounding: dx += dy * W, where Pass::gradients says so with dy rounded to int8 and W once more, to 7
/// bits under one scale a row. Frozen by type: it cannot accumulate.
template <std::floating_point S, class F>
class Grouped {
 public:
  using Scalar = S;
  using Format = F;
  using Code = typename F::Code;
  using Cache = Int8Cache<S>;                               // of x or dy, a scale for every 128 numbers
  static constexpr Index strip_rows = kernels::group_rows;  ///< see fill

  Grouped() = default;

  /// Without content: every row is to be filled.
  Grouped(Index rows, Index columns)
      : rows_(rows),
        columns_(columns),
        blocks_(
            LargeArray<std::uint8_t>::unfilled(static_cast<std::size_t>(kernels::grouped_bytes<F>(rows, columns)))),
        row_sizes_(static_cast<std::size_t>(rows)) {}

  /// Rounds dense weights: see Strip::quantize.
  static Grouped quantize(In<S> w) {
    Grouped g(w.rows(), w.cols());
    Strip strip(std::min(strip_rows, w.rows()), w.cols());
    for (Index r = 0; r < w.rows(); r += strip_rows) {
      const Index rows = std::min(strip_rows, w.rows() - r);
      strip.quantize(w.middleRows(r, rows));
      g.fill(r, rows, strip);
    }
    return g;
  }

  /// Takes codes, row-major, in the format's range, with the scales (and minimums, if the format has them) of each
  /// row's groups. Throws ShapeError on a wrong number of them.
  static Grouped from_codes(Index rows, Index columns, std::span<const Code> codes,
                            std::span<const kernels::Half> scales, std::span<const kernels::Half> minimums = {}) {
    const Index groups = rows * kernels::groups_of(columns);
    const auto expect = [](const char* what, std::size_t got, Index expected) {
      if (static_cast<Index>(got) != expected)
        throw ShapeError(std::string("grouped weights: expected ") + std::to_string(expected) + " " + what + ", got " +
                         std::to_string(got));
    };
    expect("codes", codes.size(), rows * columns);
    expect("scales", scales.size(), groups);
    expect("minimums", minimums.size(), F::has_minimum ? groups : 0);
    Grouped g(rows, columns);
    g.fill(0, rows, codes.data(), scales.data(), minimums.data());
    return g;
  }

  /// Some rows' codes, row-major, with the scales and minimums (if the format has them) of each row's groups.
  struct Strip {
    Strip() = default;
    Strip(Index rows, Index columns)
        : codes(static_cast<std::size_t>(rows * columns)),
          scales(static_cast<std::size_t>(rows * kernels::groups_of(columns))),
          minimums(F::has_minimum ? scales.size() : 0) {}

    /// Rounds dense rows, no more than there is room for: see F::quantize.
    void quantize(In<S> w) {
      kernels::quantize_grouped<F>(w.rows(), w.cols(), w.data(), w.outerStride(), codes.data(), scales.data(),
                                   minimums.data());
    }

    std::vector<Code> codes;
    std::vector<kernels::Half> scales, minimums;
  };

  /// `rows` rows from `first` on, a multiple of 16, become the strip's. All but the last are filled 16, or a multiple
  /// of it, at a time; threads may fill different ones.
  void fill(Index first, Index rows, const Strip& strip) {
    fill(first, rows, strip.codes.data(), strip.scales.data(), strip.minimums.data());
  }

  Index rows() const { return rows_; }
  Index columns() const { return columns_; }
  std::size_t bytes() const { return blocks_.size() + row_sizes_.size() * sizeof(S); }
  kernels::GroupedView<F> view() const { return {blocks_.data(), rows_, columns_}; }

  void row(Index r, S* to) const {
    const auto w = view();
    for (Index k = 0; k < columns_; ++k) to[k] = w.template weight<S>(r, k);
  }

  void multiply(const Pass& pass, In<S> x, Cache& cache, Out<S> y) const {
    const auto& ops = operations<S>(pass);
    if (pass.precision == Precision::full) {
      pass.parallel.ranges(rows_, float_strip, [&](Index begin, Index end) {
        ops.template grouped<F>().matmul_float(view(), begin, end, x.rows(), x.data(), x.outerStride(), y.data(),
                                               y.outerStride());
      });
      return;
    }
    const Index tokens = x.rows(), groups = kernels::activation_groups(columns_);
    cache.codes.resize(static_cast<std::size_t>(tokens * columns_));
    cache.scales.resize(static_cast<std::size_t>(tokens * groups));
    pass.parallel.ranges(tokens, 1, [&](Index begin, Index end) {
      kernels::quantize_activations(ops, end - begin, columns_, x.data() + begin * x.outerStride(), x.outerStride(),
                                    cache.codes.data() + begin * columns_, columns_,
                                    cache.scales.data() + begin * groups, groups);
    });
    pass.parallel.ranges(rows_, kernels::group_rows, wide_piece, [&](Index begin, Index end) {
      ops.template grouped<F>().matmul(view(), begin, end, tokens, cache.codes.data(), columns_, cache.scales.data(),
                                       groups, y.data(), y.outerStride());
    });
  }

  void multiply_transposed(const Pass& pass, In<S> dy, Cache& cache, Out<S> dx) const {
    if (pass.gradients != GradientRounding::none) return multiply_transposed_int8(pass, dy, cache, dx);
    const auto& ops = operations<S>(pass);
    pass.parallel.ranges(columns_, kernels::group_columns, wide_piece, [&](Index begin, Index end) {
      ops.template grouped<F>().matmul_transposed(view(), begin, end, dy.rows(), dy.data(), dy.outerStride(), dx.data(),
                                                  dx.outerStride());
    });
  }

 private:
  /// What a row's weights are rounded under goes into dy before that is rounded.
  void multiply_transposed_int8(const Pass& pass, In<S> dy, Cache& cache, Out<S> dx) const {
    const auto& ops = operations<S>(pass);
    const Index tokens = dy.rows(), groups = kernels::turned_groups(rows_);
    cache.codes.resize(static_cast<std::size_t>(tokens * rows_));
    cache.scales.resize(static_cast<std::size_t>(tokens * groups));
    pass.parallel.ranges(tokens, 1, [&](Index begin, Index end) {
      kernels::quantize_gradients(ops, end - begin, rows_, dy.data() + begin * dy.outerStride(), dy.outerStride(),
                                  row_sizes_.data(), pass.gradients == GradientRounding::stochastic,
                                  cache.codes.data() + begin * rows_, rows_, cache.scales.data() + begin * groups, groups);
    });
    pass.parallel.ranges(columns_, 64, wide_piece, [&](Index begin, Index end) {
      ops.template grouped<F>().matmul_transposed_int8(view(), row_sizes_.data(), begin, end, tokens,
                                                       cache.codes.data(), rows_, cache.scales.data(), groups,
                                                       dx.data(), dx.outerStride());
    });
  }

  void fill(Index first, Index rows, const Code* codes, const kernels::Half* scales, const kernels::Half* minimums) {
    assert(first % strip_rows == 0 && first + rows <= rows_);
    kernels::pack_grouped<F>(rows, columns_, codes, scales, minimums,
                             blocks_.data() + kernels::grouped_bytes<F>(first, columns_));
    const Index groups = kernels::groups_of(columns_);
    for (Index r = 0; r < rows; ++r)
      row_sizes_[static_cast<std::size_t>(first + r)] = static_cast<S>(
          kernels::largest_in_row<F>(columns_, codes + r * columns_, scales + r * groups,
                                     F::has_minimum ? minimums + r * groups : nullptr));
  }

  Index rows_ = 0, columns_ = 0;
  LargeArray<std::uint8_t> blocks_;
  std::vector<S> row_sizes_;  // the largest magnitude of each row's weights
};

template <std::floating_point S>
using Q8 = Grouped<S, kernels::Q8>;
template <std::floating_point S>
using Q4 = Grouped<S, kernels::Q4>;
template <std::floating_point S>
using Q4_0 = Grouped<S, kernels::Q4_0>;
static_assert(TableStorage<Q8<float>, float> && TableStorage<Q4<float>, float> && TableStorage<Q4_0<float>, float>);

}  // namespace tern
