#pragma once
#include <cmath>

#include "tern/kernels/types.hpp"

namespace tern::kernels::reference {

/// y = gain * x * rstd. See Operations::rms_norm.
template <class S>
void rms_norm(Index rows, Index channels, S eps, const S* x, Index x_row, const S* gain, S* y, Index y_row,
              S* rstd) noexcept {
  for (Index t = 0; t < rows; ++t, x += x_row, y += y_row) {
    S squares = 0;
    for (Index c = 0; c < channels; ++c) squares += x[c] * x[c];
    rstd[t] = S(1) / std::sqrt(squares / static_cast<S>(channels) + eps);
    for (Index c = 0; c < channels; ++c) y[c] = (gain != nullptr ? gain[c] : S(1)) * (x[c] * rstd[t]);
  }
}

/// dx += rstd * (g*dy - x * rstd^2 * mean(g*dy*x)). See Operations::rms_norm_backward.
template <class S>
void rms_norm_backward(Index rows, Index channels, const S* x, Index x_row, const S* gain, const S* rstd, const S* dy,
                       Index dy_row, S* dx, Index dx_row) noexcept {
  for (Index t = 0; t < rows; ++t, x += x_row, dy += dy_row, dx += dx_row) {
    S sum = 0;
    for (Index c = 0; c < channels; ++c) sum += (gain != nullptr ? gain[c] : S(1)) * dy[c] * x[c];
    const S pull = rstd[t] * rstd[t] * sum / static_cast<S>(channels);
    for (Index c = 0; c < channels; ++c) dx[c] += rstd[t] * ((gain != nullptr ? gain[c] : S(1)) * dy[c] - x[c] * pull);
  }
}

/// dgain += sum_t dy * x * rstd. See Operations::rms_norm_backward_gain.
template <class S>
void rms_norm_backward_gain(Index rows, Index channels, const S* x, Index x_row, const S* rstd, const S* dy,
                            Index dy_row, S* dgain) noexcept {
  for (Index t = 0; t < rows; ++t, x += x_row, dy += dy_row)
    for (Index c = 0; c < channels; ++c) dgain[c] += dy[c] * (x[c] * rstd[t]);
}

}  // namespace tern::kernels::reference
