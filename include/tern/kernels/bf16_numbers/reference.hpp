#pragma once
#include "tern/kernels/bf16.hpp"
#include "tern/kernels/types.hpp"

namespace tern::kernels::reference {

using kernels::narrow_bf16;
using kernels::widen_bf16;

/// See Operations::add_to_bf16.
template <class S>
void add_to_bf16(Index n, const S* x, std::uint16_t* y) noexcept {
  for (Index i = 0; i < n; ++i) y[i] = to_bf16(static_cast<float>(static_cast<S>(to_float(Bf16{y[i]})) + x[i])).bits;
}

}  // namespace tern::kernels::reference
