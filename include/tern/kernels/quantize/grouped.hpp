#pragma once
#include <cstring>

#include "tern/kernels/grouped_matmul/turned_weight.hpp"
#include "tern/kernels/quantize/round_group.hpp"
#include "tern/kernels/table.hpp"

namespace tern::kernels {

/// Activations for GroupedProducts::matmul: as Operations::quantize_int8, with a scale for every 128 columns.
/// x [rows x columns], q [rows x columns], scale [rows x activation_groups(columns)], each with its own stride.
template <class S>
void quantize_activations(const Operations<S>& ops, Index rows, Index columns, const S* x, Index x_row, std::int8_t* q,
                          Index q_row, S* scale, Index scale_row) noexcept {
  const Index whole = columns / activation_columns, left = columns % activation_columns;
  for (Index t = 0; t < rows; ++t, x += x_row, q += q_row, scale += scale_row) {
    ops.quantize_int8(whole, activation_columns, x, activation_columns, q, activation_columns, scale);
    if (left > 0) ops.quantize_int8(1, left, x + columns - left, left, q + columns - left, left, scale + whole);
  }
}

/// Gradients for GroupedProducts::matmul_transposed_int8, a scale for every 128 rows: as Operations::quantize_gradient of
/// sizes[r] / 63 * dy[t,r], so that q * scale meets integers -63..63 in the weights' places. dy and q [tokens x rows],
/// sizes [rows], scale [tokens x turned_groups(rows)], all but sizes with their own strides.
template <class S>
void quantize_gradients(const Operations<S>& ops, Index tokens, Index rows, const S* dy, Index dy_row, const S* sizes,
                        bool stochastic, std::int8_t* q, Index q_row, S* scale, Index scale_row) noexcept {
  for (Index t = 0; t < tokens; ++t, dy += dy_row, q += q_row, scale += scale_row)
    for (Index r = 0; r < rows; r += turned_rows) {
      S& of = scale[r / turned_rows];
      ops.quantize_gradient(1, least(rows - r, turned_rows), dy + r, 0, sizes + r, stochastic, q + r, 0, &of);
      of /= S(turned_most);
    }
}

/// max_k |weight(r,k)| of one row, given as codes with its groups' scales and minimums (not read in a format without).
template <class F>
float largest_in_row(Index columns, const typename F::Code* codes, const Half* scales, const Half* minimums) noexcept {
  float largest = 0;
  for (Index g = 0; g < groups_of(columns); ++g) {
    const Index first = g * group_columns, count = least(columns - first, group_columns);
    int low = codes[first], high = low;
    for (Index k = 0; k < count; ++k) {
      const int code = codes[first + k];
      low = code < low ? code : low;
      high = code > high ? code : high;
    }
    const float scale = to_float(scales[g]), minimum = F::has_minimum ? to_float(minimums[g]) : 0;
    for (const int code : {low, high}) {
      const float weight = scale * static_cast<float>(code + code_offset<F> - F::zero_code) + minimum;
      const float magnitude = weight < 0 ? -weight : weight;
      largest = magnitude > largest ? magnitude : largest;
    }
  }
  return largest;
}

/// Rounds weights to format F, group by group of a row, as F::quantize says.
/// w [rows x columns], its rows w_row apart, of magnitude F::greatest at most; codes [rows x columns], scales and
/// minimums (not touched in a format without) [rows x groups_of(columns)] contiguous.
template <class F, class S>
void quantize_grouped(Index rows, Index columns, const S* w, Index w_row, typename F::Code* codes, Half* scales,
                      Half* minimums) noexcept {
  for (Index r = 0; r < rows; ++r, w += w_row)
    for (Index first = 0; first < columns; first += group_columns) {
      const Index count = least(columns - first, group_columns);
      GroupScales to;
      if (count == group_columns) {
        to = F::quantize(w + first, codes);
      } else {  // a row's last group is filled up with its last weight
        S x[group_columns];
        typename F::Code room[group_columns];
        for (Index k = 0; k < group_columns; ++k) x[k] = w[first + (k < count ? k : count - 1)];
        to = F::quantize(x, room);
        std::memcpy(codes, room, static_cast<std::size_t>(count));
      }
      codes += count;
      *scales++ = to.scale;
      if constexpr (F::has_minimum) *minimums++ = to.minimum;
    }
}

}  // namespace tern::kernels
