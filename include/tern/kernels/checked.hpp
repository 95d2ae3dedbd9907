#pragma once
/// The safe door to packed weights: quantise, pack and multiply, every argument checked before anything is read or
/// written. Kernels themselves trust their caller; this costs a look at shapes for each call, and at each number where
/// weights are made. Needs no library; throws std::invalid_argument, which names the argument, what was expected and what
/// was found, and std::bad_alloc.
///
///   const auto w = tern::kernels::checked::TernaryWeights::quantize(rows, columns, weights);
///   tern::kernels::checked::matmul(w, tokens, x, y);      // y [tokens x rows] = x [tokens x columns] * w^T
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/kernels/native.hpp"
#include "tern/kernels/quantize/absmean.hpp"
#include "tern/kernels/quantize/grouped.hpp"

namespace tern::kernels::checked {

namespace detail {

[[noreturn]] inline void refuse(std::string_view argument, const std::string& expected, const std::string& got) {
  throw std::invalid_argument(std::string(argument) + ": expected " + expected + ", got " + got);
}

inline void expect_count(std::string_view argument, Index expected, std::size_t got) {
  if (static_cast<std::size_t>(expected) != got)
    refuse(argument, std::to_string(expected) + " elements", std::to_string(got));
}

/// Both at least 0, and their product, of which a kernel takes a multiple, far from the end of Index.
inline void expect_shape(Index rows, Index columns) {
  constexpr Index most = Index(1) << 48;
  if (rows < 0 || columns < 0 || (columns > 0 && rows > most / columns))
    refuse("shape", "rows and columns of at least 0, and no more than 2^48 elements",
           std::to_string(rows) + " x " + std::to_string(columns));
}

/// Of numbers, each finite and no larger than `greatest`.
inline void expect_finite(std::string_view argument, std::span<const float> x, float greatest) {
  for (std::size_t i = 0; i < x.size(); ++i)
    if (!(std::abs(x[i]) <= greatest))
      refuse(std::string(argument) + "[" + std::to_string(i) + "]", "a number of magnitude " + std::to_string(greatest) + " at most",
             std::to_string(x[i]));
}

inline const Operations<float>& best() { return native::best_table().f32; }

}  // namespace detail

/// Tokens rounded to int8. Which scales they have depends on the weights that they are to meet.
class Activations {
 public:
  /// For ternary weights: one scale a token (Operations::quantize_int8). x [tokens x columns], contiguous.
  static Activations of_rows(Index tokens, Index columns, std::span<const float> x) {
    Activations a(tokens, columns, x, 1);
    detail::best().quantize_int8(tokens, columns, x.data(), columns, a.q_.data(), columns, a.scale_.data());
    return a;
  }
  /// For weights in groups: a scale for every 128 columns of a token (quantize_activations). x as above.
  static Activations of_groups(Index tokens, Index columns, std::span<const float> x) {
    Activations a(tokens, columns, x, activation_groups(columns));
    quantize_activations(detail::best(), tokens, columns, x.data(), columns, a.q_.data(), columns, a.scale_.data(), a.scales_);
    a.in_groups_ = true;
    return a;
  }

  Index tokens() const { return tokens_; }
  Index columns() const { return columns_; }
  bool in_groups() const { return in_groups_; }
  const std::int8_t* q() const { return q_.data(); }
  const float* scale() const { return scale_.data(); }
  Index scales() const { return scales_; }  ///< of a token

 private:
  Activations(Index tokens, Index columns, std::span<const float> x, Index scales)
      : tokens_(tokens), columns_(columns), scales_(scales) {
    detail::expect_shape(tokens, columns);
    detail::expect_count("x", tokens * columns, x.size());
    q_.resize(x.size());
    scale_.resize(static_cast<std::size_t>(tokens * scales));
  }

  Index tokens_, columns_, scales_;
  bool in_groups_ = false;
  std::vector<std::int8_t> q_;
  std::vector<float> scale_;
};

/// Ternary weights [rows x columns], packed; owns them.
class TernaryWeights {
 public:
  /// Rounds finite weights, row-major and contiguous, by their mean magnitude (quantize_absmean).
  static TernaryWeights quantize(Index rows, Index columns, std::span<const float> weights,
                                 TernaryScale granularity = TernaryScale::row, TernaryFormat format = TernaryFormat::two_bits) {
    TernaryWeights w(rows, columns, granularity, format);
    detail::expect_count("weights", rows * columns, weights.size());
    detail::expect_finite("weights", weights, 3.4028234e38f);
    std::vector<std::int8_t> codes(weights.size());
    quantize_absmean(rows, columns, weights.data(), columns, granularity, codes.data(), w.scales_.data());
    pack_ternary(rows, columns, codes.data(), w.codes_.data(), format);
    return w;
  }
  /// Packs codes in -1, 0, 1, row-major and contiguous, with finite scales: ternary_scales(rows, columns, granularity) of
  /// them.
  static TernaryWeights pack(Index rows, Index columns, std::span<const std::int8_t> codes, std::span<const float> scales,
                             TernaryScale granularity, TernaryFormat format = TernaryFormat::two_bits) {
    TernaryWeights w(rows, columns, granularity, format);
    detail::expect_count("codes", rows * columns, codes.size());
    detail::expect_count("scales", static_cast<Index>(w.scales_.size()), scales.size());
    detail::expect_finite("scales", scales, 3.4028234e38f);
    for (std::size_t i = 0; i < codes.size(); ++i)
      if (codes[i] < -1 || codes[i] > 1) detail::refuse("codes[" + std::to_string(i) + "]", "-1, 0 or 1", std::to_string(codes[i]));
    w.scales_.assign(scales.begin(), scales.end());
    pack_ternary(rows, columns, codes.data(), w.codes_.data(), format);
    return w;
  }

  Index rows() const { return rows_; }
  Index columns() const { return columns_; }
  TernaryView view() const { return {codes_.data(), scales_.data(), rows_, columns_, granularity_, format_}; }

 private:
  TernaryWeights(Index rows, Index columns, TernaryScale granularity, TernaryFormat format)
      : rows_(rows), columns_(columns), granularity_(granularity), format_(format) {
    detail::expect_shape(rows, columns);
    if (columns > ternary_max_columns)
      detail::refuse("columns", std::to_string(ternary_max_columns) + " at most", std::to_string(columns));
    codes_.resize(static_cast<std::size_t>(ternary_packed_bytes(rows, columns, format)));
    scales_.resize(static_cast<std::size_t>(ternary_scales(rows, columns, granularity)));
  }

  Index rows_, columns_;
  TernaryScale granularity_;
  TernaryFormat format_;
  std::vector<std::uint8_t> codes_;
  std::vector<float> scales_;
};

/// Weights [rows x columns] of a format in groups (formats/list.hpp: Q8, Q4, Q4_0), packed; owns them.
template <class F>
class GroupedWeights {
 public:
  /// Rounds weights, row-major and contiguous, of magnitude F::greatest at most (quantize_grouped).
  static GroupedWeights quantize(Index rows, Index columns, std::span<const float> weights) {
    GroupedWeights w(rows, columns);
    detail::expect_count("weights", rows * columns, weights.size());
    detail::expect_finite("weights", weights, F::greatest);
    std::vector<typename F::Code> codes(weights.size());
    std::vector<Half> scales(w.groups()), minimums(F::has_minimum ? w.groups() : 0);
    quantize_grouped<F>(rows, columns, weights.data(), columns, codes.data(), scales.data(), minimums.data());
    pack_grouped<F>(rows, columns, codes.data(), scales.data(), minimums.data(), w.blocks_.data());
    return w;
  }
  /// Packs codes, row-major and contiguous, with finite scales and, in a format that has them, minimums: one for every 32
  /// columns of a row.
  static GroupedWeights pack(Index rows, Index columns, std::span<const typename F::Code> codes, std::span<const Half> scales,
                             std::span<const Half> minimums = {}) {
    GroupedWeights w(rows, columns);
    detail::expect_count("codes", rows * columns, codes.size());
    detail::expect_count("scales", static_cast<Index>(w.groups()), scales.size());
    detail::expect_count("minimums", F::has_minimum ? static_cast<Index>(w.groups()) : 0, minimums.size());
    if constexpr (F::bits < 8)
      for (std::size_t i = 0; i < codes.size(); ++i)
        if (codes[i] >> F::bits != 0)
          detail::refuse("codes[" + std::to_string(i) + "]", "at most " + std::to_string((1 << F::bits) - 1), std::to_string(codes[i]));
    for (const auto& [name, halves] : {std::pair{"scales", scales}, {"minimums", minimums}})
      for (std::size_t i = 0; i < halves.size(); ++i)
        if (const float value = to_float(halves[i]); !std::isfinite(value))
          detail::refuse(std::string(name) + "[" + std::to_string(i) + "]", "a finite number", std::to_string(value));
    pack_grouped<F>(rows, columns, codes.data(), scales.data(), minimums.data(), w.blocks_.data());
    return w;
  }

  Index rows() const { return rows_; }
  Index columns() const { return columns_; }
  GroupedView<F> view() const { return {blocks_.data(), rows_, columns_}; }

 private:
  GroupedWeights(Index rows, Index columns) : rows_(rows), columns_(columns) {
    detail::expect_shape(rows, columns);
    blocks_.resize(static_cast<std::size_t>(grouped_bytes<F>(rows, columns)));
  }
  std::size_t groups() const { return static_cast<std::size_t>(rows_ * groups_of(columns_)); }

  Index rows_, columns_;
  std::vector<std::uint8_t> blocks_;
};

/// Which rows of the weights a call computes, so that callers may cut the work among threads. `begin` is a multiple of 16.
struct RowRange {
  Index begin, end;
};

namespace detail {

template <class W>
void expect_product(const W& w, const Activations& x, std::span<float> y, RowRange rows, bool in_groups) {
  if (x.columns() != w.columns())
    refuse("x", std::to_string(w.columns()) + " columns, as the weights have", std::to_string(x.columns()));
  if (x.in_groups() != in_groups)
    refuse("x", in_groups ? "a scale for every 128 columns (Activations::of_groups)" : "one scale a token (Activations::of_rows)",
           in_groups ? "one a token" : "one for every 128 columns");
  expect_count("y", x.tokens() * w.rows(), y.size());
  if (rows.begin < 0 || rows.begin > rows.end || rows.end > w.rows() || rows.begin % 16 != 0)
    refuse("rows", "a range within 0 to " + std::to_string(w.rows()) + " that begins at a multiple of 16",
           std::to_string(rows.begin) + " to " + std::to_string(rows.end));
}

}  // namespace detail

/// y [tokens x rows], contiguous: those of `rows`; what lies outside of them is not touched. See Operations::ternary_matmul.
inline void matmul(const TernaryWeights& w, const Activations& x, std::span<float> y, RowRange rows) {
  detail::expect_product(w, x, y, rows, false);
  detail::best().ternary_matmul(w.view(), rows.begin, rows.end, x.tokens(), x.q(), x.columns(), x.scale(), y.data(), w.rows());
}
/// See GroupedProducts::matmul.
template <class F>
void matmul(const GroupedWeights<F>& w, const Activations& x, std::span<float> y, RowRange rows) {
  detail::expect_product(w, x, y, rows, true);
  detail::best().template grouped<F>().matmul(w.view(), rows.begin, rows.end, x.tokens(), x.q(), x.columns(), x.scale(),
                                              x.scales(), y.data(), w.rows());
}

/// All rows, of tokens that are floats: y [tokens x rows] = x [tokens x columns] * w^T, x rounded to int8 on the way.
inline void matmul(const TernaryWeights& w, Index tokens, std::span<const float> x, std::span<float> y) {
  matmul(w, Activations::of_rows(tokens, w.columns(), x), y, {0, w.rows()});
}
template <class F>
void matmul(const GroupedWeights<F>& w, Index tokens, std::span<const float> x, std::span<float> y) {
  matmul(w, Activations::of_groups(tokens, w.columns(), x), y, {0, w.rows()});
}

}  // namespace tern::kernels::checked
