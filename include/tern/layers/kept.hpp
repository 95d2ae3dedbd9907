#pragma once
#include <concepts>

#include "tern/core/bf16_matrix.hpp"
#include "tern/core/pass.hpp"

namespace tern::detail {

/// Whether layers keep what their backward pass needs in bf16, rounded to nearest: in mixed precision, where products
/// round their activations anyway.
template <std::floating_point S>
bool keeps_bf16(const Pass& pass) {
  return std::same_as<S, float> && pass.precision == Precision::mixed;
}

/// kept = from, rounded.
template <std::floating_point S>
void narrow(const Pass& pass, const Matrix<S>& from, Bf16Matrix& kept) {
  kept.resize(from.rows(), from.cols());
  const auto& ops = operations<S>(pass);
  pass.parallel.ranges(from.size(), 16384, [&](Index begin, Index end) {
    ops.narrow_bf16(end - begin, from.data() + begin, kept.data() + begin);
  });
}

/// to = kept.
template <std::floating_point S>
void widen(const Pass& pass, const Bf16Matrix& kept, Matrix<S>& to) {
  reshape(to, kept.rows(), kept.cols());
  const auto& ops = operations<S>(pass);
  pass.parallel.ranges(to.size(), 16384, [&](Index begin, Index end) {
    ops.widen_bf16(end - begin, kept.data() + begin, to.data() + begin);
  });
}

}  // namespace tern::detail
