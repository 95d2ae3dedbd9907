#pragma once
#include <cmath>
#include <string>

#include "tern/core/error.hpp"
#include "tern/train/trainable.hpp"

namespace tern {

/// Shrinks all gradients by one factor so that their joint norm is at most `limit`, and returns the norm from before:
///   g *= min(1, limit / (norm + 1e-6))        (torch.nn.utils.clip_grad_norm_)
/// A norm that is not finite changes nothing: the caller looks at what is returned. An infinite limit only measures.
/// Throws ValueError unless the limit is positive.
template <std::floating_point S>
double clip_gradients(Trainable<S>& trainable, double limit, const Parallel& parallel = {}) {
  if (!(limit > 0)) throw ValueError("clip: expected a limit above 0, got " + std::to_string(limit));
  const double norm = trainable.gradient_norm(parallel);
  const double factor = limit / (norm + 1e-6);
  if (std::isfinite(norm) && factor < 1) trainable.scale_gradients(static_cast<S>(factor), parallel);
  return norm;
}

}  // namespace tern
