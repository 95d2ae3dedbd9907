#pragma once
#include "tern/kernels/types.hpp"

namespace tern::kernels::reference {

/// Rotates the pairs (i, i + head_dim/2) of each head. See Operations::rope.
template <class S>
void rope(Index heads, Index head_dim, const S* cos, const S* sin, S direction, S* x) noexcept {
  const Index half = head_dim / 2;
  for (Index head = 0; head < heads; ++head, x += head_dim)
    for (Index i = 0; i < half; ++i) {
      const S s = direction * sin[i], low = x[i], high = x[i + half];
      x[i] = low * cos[i] - high * s;
      x[i + half] = high * cos[i] + low * s;
    }
}

}  // namespace tern::kernels::reference
