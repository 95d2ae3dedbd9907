#pragma once
#include <algorithm>
#include <cassert>
#include <span>
#include <string>
#include <vector>

#include "tern/core/concepts.hpp"
#include "tern/core/error.hpp"
#include "tern/kernels/quantize/absmean.hpp"
#include "tern/weights/int8_cache.hpp"
#include "tern/weights/large_array.hpp"
#include "tern/weights/operations.hpp"

namespace tern {

/// Ternary weights, 2 or 1.6 bits each: W[r,k] = scale(r,k) * {-1, 0, +1}, packed as kernels/formats/ternary2.hpp or
/// ternary1_6.hpp says. Both give the same products to the bit.
/// forward quantises each token to int8 with one scale and sums integers exactly (BitLinear, arXiv 2402.17764). Scales
/// for groups of columns are not BitLinear's but those of plain models in ternary files (TQ1_0, TQ2_0, Q2_0): under
/// Precision::full their activations stay as they are. backward passes the gradient straight through both roundings: dx
/// += dy * W, with dy rounded as Pass::gradients says. Frozen by type: it cannot accumulate.
template <std::floating_point S>
class Ternary {
 public:
  using Scalar = S;
  using Granularity = kernels::TernaryScale;
  using Format = kernels::TernaryFormat;
  using Cache = Int8Cache<S>;                                 // of x or dy, with one scale a token
  static constexpr Index strip_rows = kernels::ternary_tile;  ///< see fill

  Ternary() = default;

  /// Without content: every row and its scales are to be filled.
  Ternary(Index rows, Index columns, Granularity granularity, Format format = Format::two_bits)
      : rows_(rows),
        columns_(columns),
        granularity_(granularity),
        format_(format),
        packed_(LargeArray<std::uint8_t>::unfilled(
            static_cast<std::size_t>(kernels::ternary_packed_bytes(rows, columns, format)))),
        scales_(static_cast<std::size_t>(kernels::ternary_scales(rows, columns, granularity))) {}

  /// Quantises dense weights by absmean, one scale a tensor, a row, or a group of 128 or 64 columns.
  static Ternary quantize(In<S> w, Granularity granularity, Format format = Format::two_bits) {
    Ternary t(w.rows(), w.cols(), granularity, format);
    std::vector<std::int8_t> codes(static_cast<std::size_t>(w.size()));
    std::vector<S> scales(t.scales_.size());
    kernels::quantize_absmean(w.rows(), w.cols(), w.data(), w.outerStride(), granularity, codes.data(), scales.data());
    t.scales_.assign(scales.begin(), scales.end());
    t.fill(0, w.rows(), codes.data());
    return t;
  }

  /// Takes codes in {-1, 0, +1}, row-major, and their scales as `granularity` counts them.
  static Ternary from_codes(Index rows, Index columns, std::span<const std::int8_t> codes, std::vector<float> scales,
                            Granularity granularity, Format format = Format::two_bits) {
    if (static_cast<Index>(codes.size()) != rows * columns ||
        static_cast<Index>(scales.size()) != kernels::ternary_scales(rows, columns, granularity))
      throw ShapeError("Ternary: expected " + std::to_string(rows * columns) + " codes and " +
                       std::to_string(kernels::ternary_scales(rows, columns, granularity)) + " scales, got " +
                       std::to_string(codes.size()) + " and " + std::to_string(scales.size()));
    Ternary t(rows, columns, granularity, format);
    t.scales_ = std::move(scales);
    t.fill(0, rows, codes.data());
    return t;
  }

  /// Rows from `first` on, a multiple of 16, get codes, row-major. All but the last are filled 16, or a multiple of it,
  /// at a time; threads may fill different ones.
  void fill(Index first, Index rows, const std::int8_t* codes) {
    assert(first % strip_rows == 0 && first + rows <= rows_);
    kernels::pack_ternary(rows, columns_, codes,
                          packed_.data() + first / strip_rows * kernels::ternary_tile_bytes(columns_, format_),
                          format_);
  }
  /// The scales, to be filled, as `granularity` counts them.
  std::span<float> scales() { return scales_; }

  Index rows() const { return rows_; }
  Index columns() const { return columns_; }
  std::size_t bytes() const { return packed_.size() + scales_.size() * sizeof(float); }
  kernels::TernaryView view() const { return {packed_.data(), scales_.data(), rows_, columns_, granularity_, format_}; }

  void row(Index r, S* to) const {
    const kernels::TernaryView w = view();
    for (Index k = 0; k < columns_; ++k)
      to[k] = static_cast<S>(w.scale(r, w.group(k))) * static_cast<S>(w.weight(r, k));
  }
  void multiply(const Pass& pass, In<S> x, Cache& cache, Out<S> y) const {
    const auto& ops = operations<S>(pass);
    const bool grouped = granularity_ == Granularity::group || granularity_ == Granularity::group64;
    if (grouped && pass.precision == Precision::full) {
      pass.parallel.ranges(rows_, float_strip, [&](Index begin, Index end) {
        ops.ternary_matmul_float(view(), begin, end, x.rows(), x.data(), x.outerStride(), y.data(), y.outerStride());
      });
      return;
    }
    const Index tokens = x.rows();
    cache.codes.resize(static_cast<std::size_t>(tokens * columns_));
    cache.scales.resize(static_cast<std::size_t>(tokens));
    pass.parallel.ranges(tokens, 1, [&](Index begin, Index end) {
      ops.quantize_int8(end - begin, columns_, x.data() + begin * x.outerStride(), x.outerStride(),
                        cache.codes.data() + begin * columns_, columns_, cache.scales.data() + begin);
    });
    pass.parallel.ranges(rows_, 16, wide_piece, [&](Index begin, Index end) {
      ops.ternary_matmul(view(), begin, end, tokens, cache.codes.data(), columns_, cache.scales.data(), y.data(),
                         y.outerStride());
    });
  }

  void multiply_transposed(const Pass& pass, In<S> dy, Cache& cache, Out<S> dx) const {
    if (pass.gradients != GradientRounding::none) return multiply_transposed_int8(pass, dy, cache, dx);
    const auto& ops = operations<S>(pass);
    pass.parallel.ranges(columns_, 32, wide_piece, [&](Index begin, Index end) {
      ops.ternary_matmul_transposed(view(), begin, end, dy.rows(), dy.data(), dy.outerStride(), dx.data(),
                                    dx.outerStride());
    });
  }

 private:
  /// Group by group of columns: dy meets the weights' scales before it is rounded, or after where there is but one.
  void multiply_transposed_int8(const Pass& pass, In<S> dy, Cache& cache, Out<S> dx) const {
    const auto& ops = operations<S>(pass);
    const Index tokens = dy.rows();
    const bool one = granularity_ == Granularity::tensor;
    cache.codes.resize(static_cast<std::size_t>(tokens * rows_));
    cache.scales.resize(static_cast<std::size_t>(tokens));
    cache.factors.resize(one ? 0 : static_cast<std::size_t>(rows_));
    const Index width = kernels::ternary_span(columns_, granularity_);
    for (Index k = 0; k < columns_; k += width) {
      for (Index r = 0; !one && r < rows_; ++r)
        cache.factors[static_cast<std::size_t>(r)] = static_cast<S>(view().scale(r, k / width));
      pass.parallel.ranges(tokens, 1, [&](Index begin, Index end) {
        ops.quantize_gradient(end - begin, rows_, dy.data() + begin * dy.outerStride(), dy.outerStride(),
                              one ? nullptr : cache.factors.data(), pass.gradients == GradientRounding::stochastic,
                              cache.codes.data() + begin * rows_, rows_, cache.scales.data() + begin);
        for (Index t = begin; one && t < end; ++t)
          cache.scales[static_cast<std::size_t>(t)] *= static_cast<S>(scales_[0]);
      });
      pass.parallel.ranges(std::min(columns_ - k, width), 64, wide_piece, [&](Index begin, Index end) {
        ops.ternary_matmul_transposed_int8(view(), k + begin, k + end, tokens, cache.codes.data(), rows_,
                                           cache.scales.data(), dx.data(), dx.outerStride());
      });
    }
  }

  Index rows_ = 0, columns_ = 0;
  Granularity granularity_ = Granularity::tensor;
  Format format_ = Format::two_bits;
  LargeArray<std::uint8_t> packed_;
  std::vector<float> scales_;
};
static_assert(TableStorage<Ternary<float>, float>);

}  // namespace tern
