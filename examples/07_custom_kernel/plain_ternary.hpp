#pragma once
/// A kernel of one's own: tern's ternary product in plain C++, which compilers make what they can of.
#include "tern/kernels/table.hpp"

namespace example {

using tern::kernels::Index;

/// See Operations::ternary_matmul. 16 rows by up to 128 columns of weights are decoded for 32 tokens, and sums of 128
/// products run in integers, rows side by side.
inline void ternary_matmul(const tern::kernels::TernaryView& w, Index row_begin, Index row_end, Index tokens,
                           const std::int8_t* q, Index q_row, const float* scale, float* y, Index y_row) noexcept {
  constexpr Index height = tern::kernels::ternary_tile, depth = tern::kernels::ternary_group, batch = 32;
  const Index step = tern::kernels::least(depth, w.span());
  std::int8_t weights[depth][height];
  for (Index r = row_begin; r < row_end; r += height) {
    const Index rows = row_end - r < height ? row_end - r : height;
    for (Index t = 0; t < tokens; t += batch) {
      const Index count = tokens - t < batch ? tokens - t : batch;
      double sums[batch][height] = {};
      for (Index k = 0; k < w.columns; k += step) {
        const Index columns = tern::kernels::least(w.columns - k, step);
        for (Index c = 0; c < columns; ++c)
          for (Index i = 0; i < height; ++i)
            weights[c][i] = static_cast<std::int8_t>(i < rows ? w.weight(r + i, k + c) : 0);
        const Index group = w.group(k);
        for (Index j = 0; j < count; ++j) {
          std::int32_t integers[height] = {};
          for (Index c = 0; c < columns; ++c)
            for (Index i = 0; i < height; ++i) integers[i] += q[(t + j) * q_row + k + c] * weights[c][i];
          for (Index i = 0; i < rows; ++i) sums[j][i] += static_cast<double>(w.scale(r + i, group)) * integers[i];
        }
      }
      for (Index j = 0; j < count; ++j)
        for (Index i = 0; i < rows; ++i)
          y[(t + j) * y_row + r + i] = static_cast<float>(static_cast<double>(scale[t + j]) * sums[j][i]);
    }
  }
}

}  // namespace example
