#pragma once
/// The experiments, in the protocol's order. A new one is a file and a row.
#include "tern/experiment/experiments/contenders.hpp"

namespace tern::experiments {

inline constexpr Experiment all[] = {
    contenders::experiment,
};

}  // namespace tern::experiments
