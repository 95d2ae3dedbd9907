#pragma once
#include <algorithm>
#include <cmath>
#include <numbers>

#include "tern/core/matrix.hpp"

namespace tern {

/// Where a run stands when a step begins.
struct Progress {
  Index step = 0;       ///< steps taken before it
  double fraction = 0;  ///< share of the budget spent, 0 to 1
};

/// A schedule maps progress to a learning rate: any callable double(Progress). The simplest is the same rate always.
struct ConstantRate {
  double rate = 0;
  double operator()(const Progress&) const { return rate; }
};

/// Linear warm-up over `warmup` steps, times half a cosine over the budget from 1 down to `floor`:
///   rate = peak * min(1, (step + 1) / warmup) * (floor + (1 - floor) * (1 + cos(pi * fraction)) / 2)
/// The cosine follows the budget and not a count of steps, so that it also ends in time where seconds are the budget.
struct WarmupCosine {
  double peak = 0;
  Index warmup = 0;  ///< steps; 0: none
  double floor = 0;  ///< share of the peak that remains at the end

  double operator()(const Progress& at) const {
    const double rise = at.step + 1 >= warmup ? 1.0 : static_cast<double>(at.step + 1) / static_cast<double>(warmup);
    const double fraction = std::clamp(at.fraction, 0.0, 1.0);
    return peak * rise * (floor + (1 - floor) * (1 + std::cos(std::numbers::pi * fraction)) / 2);
  }
};

}  // namespace tern
