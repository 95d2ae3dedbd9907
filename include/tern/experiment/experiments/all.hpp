#pragma once
/// The experiments, in the protocol's order. A new one is a file and a row.
#include "tern/experiment/experiments/confusion.hpp"
#include "tern/experiment/experiments/contenders.hpp"
#include "tern/experiment/experiments/noise_floor.hpp"
#include "tern/experiment/experiments/replication.hpp"

namespace tern::experiments {

inline constexpr Experiment all[] = {
    contenders::experiment,
    replication::experiment,
    noise_floor::experiment,
    confusion::experiment,
};

}  // namespace tern::experiments
