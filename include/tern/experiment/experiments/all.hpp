#pragma once
/// The experiments, in the protocol's order. A new one is a file and a row.
#include <vector>

#include "tern/experiment/experiments/budget.hpp"
#include "tern/experiment/experiments/confusion.hpp"
#include "tern/experiment/experiments/contenders.hpp"
#include "tern/experiment/experiments/data_size.hpp"
#include "tern/experiment/experiments/four_bit_base.hpp"
#include "tern/experiment/experiments/heterogeneity.hpp"
#include "tern/experiment/experiments/noise_floor.hpp"
#include "tern/experiment/experiments/precision.hpp"
#include "tern/experiment/experiments/replication.hpp"
#include "tern/experiment/experiments/robustness.hpp"
#include "tern/experiment/experiments/sharing.hpp"
#include "tern/experiment/experiments/storage.hpp"
#include "tern/experiment/experiments/ternary_base.hpp"

namespace tern::experiments {

inline const std::vector<Experiment>& all() {
  static const std::vector<Experiment> table = {
      contenders::experiment,    replication::experiment, noise_floor::experiment, confusion::experiment, robustness::experiment,
      ternary_base::experiment,  precision::experiment,   sharing::experiment,     storage::experiment,   four_bit_base::experiment,
      heterogeneity::experiment, budget::experiment,      data_size::experiment,
  };
  return table;
}

}  // namespace tern::experiments
