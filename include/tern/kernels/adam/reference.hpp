#pragma once
#include <cmath>

#include "tern/kernels/adam/step.hpp"
#include "tern/kernels/bf16.hpp"
#include "tern/kernels/types.hpp"

namespace tern::kernels::reference {

/// See Operations::sqrt.
template <class S>
void sqrt(Index n, S* x) noexcept {
  for (Index i = 0; i < n; ++i) x[i] = std::sqrt(x[i]);
}

/// See Operations::adam_bf16.
template <class S>
void adam_bf16(const AdamStep<S>& by, Index n, const std::uint16_t* grad, S* value, std::uint16_t* m, std::uint16_t* v,
               std::uint32_t noise) noexcept {
  for (Index i = 0; i < n; ++i) {
    const S g = static_cast<S>(to_float(Bf16{grad[i]})) + by.pull * value[i];
    const S old_m = static_cast<S>(to_float(Bf16{m[i]})), old_v = static_cast<S>(to_float(Bf16{v[i]}));
    const S new_m = old_m + by.fresh1 * (g - old_m), new_v = by.beta2 * old_v + by.fresh2 * g * g;
    value[i] = by.keep * value[i] - by.step * new_m / (std::sqrt(new_v) * by.root_scale + by.epsilon);
    const std::uint32_t word = noise_word(noise, i);
    m[i] = to_bf16_at_random(static_cast<float>(new_m), word).bits;
    v[i] = to_bf16_at_random(static_cast<float>(new_v), word >> 16).bits;
  }
}

}  // namespace tern::kernels::reference
