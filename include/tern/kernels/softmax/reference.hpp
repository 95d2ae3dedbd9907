#pragma once
#include <cassert>
#include <cmath>

#include "tern/kernels/types.hpp"

namespace tern::kernels::reference {

/// x = softmax(scale * x) in place. See Operations::softmax.
template <class S>
void softmax(Index n, S scale, S* x) noexcept {
  assert(n > 0);
  S top = scale * x[0];
  for (Index i = 1; i < n; ++i) top = scale * x[i] > top ? scale * x[i] : top;
  S sum = 0;
  for (Index i = 0; i < n; ++i) sum += x[i] = std::exp(scale * x[i] - top);
  for (Index i = 0; i < n; ++i) x[i] /= sum;
}

/// d = scale * y * (d - y.d) in place. See Operations::softmax_backward.
template <class S>
void softmax_backward(Index n, S scale, const S* y, S* d) noexcept {
  S dot = 0;
  for (Index i = 0; i < n; ++i) dot += y[i] * d[i];
  for (Index i = 0; i < n; ++i) d[i] = scale * y[i] * (d[i] - dot);
}

}  // namespace tern::kernels::reference
