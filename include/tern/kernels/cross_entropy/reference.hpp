#pragma once
#include <cassert>
#include <cmath>

#include "tern/kernels/types.hpp"

namespace tern::kernels::reference {

/// -log softmax(logits)[target], and its gradient. See Operations::cross_entropy.
template <class S>
double cross_entropy(Index n, const S* logits, Index target, S scale, S* gradient) noexcept {
  assert(target >= 0 && target < n);
  S top = logits[0];
  for (Index i = 1; i < n; ++i) top = logits[i] > top ? logits[i] : top;
  double sum = 0;
  for (Index i = 0; i < n; ++i) sum += std::exp(static_cast<double>(logits[i] - top));
  const double nll = static_cast<double>(top - logits[target]) + std::log(sum);
  if (gradient != nullptr) {
    for (Index i = 0; i < n; ++i)
      gradient[i] = static_cast<S>(static_cast<double>(scale) * std::exp(static_cast<double>(logits[i] - top)) / sum);
    gradient[target] -= scale;
  }
  return nll;
}

}  // namespace tern::kernels::reference
