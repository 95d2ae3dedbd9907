#pragma once
/// Seconds of a step, so that a budget of seconds becomes a number of steps once for a contender and a machine: a
/// neighbour's load then costs time and never quality, and results repeat bit for bit.
#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "tern/experiment/run/trainer.hpp"

namespace tern {

struct CalibrationOptions {
  Index rounds = 7;            ///< each contender takes one step a round, in turns
  double most_seconds = 60;    ///< no further round begins after that; every contender has at least two
};

/// The median seconds of one training step of each contender, measured in turns so that a change of the machine meets
/// all alike; the first step of each, which pays for its caches, is not counted. Each round trains on another of `users`,
/// spread over all of them: whoever writes short documents has short windows, and cheap steps. Keeps nothing. A full
/// fine-tune's copy is made anew each round, outside the measurement.
inline std::map<std::string, double> calibrate(Trainer& trainer, const std::vector<Contender>& contenders,
                                               const std::vector<std::string>& users,
                                               const CalibrationOptions& options = {}) {
  std::map<std::string, std::vector<double>> seconds;
  const auto rounds = static_cast<std::size_t>(std::max<Index>(2, options.rounds));
  const Stopwatch watch;
  for (std::size_t round = 0; round < rounds; ++round) {
    if (round >= 2 && watch.seconds() > options.most_seconds) break;
    const Setting s{.contender = {}, .user = users[round * users.size() / rounds]};
    for (const Contender& contender : contenders) {
      TrainedAdapter adapter = trainer.fresh(contender, s);
      trainer.train(adapter, s, {.steps = 1, .rate = 1e-9}, nullptr);
      seconds[contender.name].push_back(trainer.train(adapter, s, {.steps = 2, .rate = 1e-9}, nullptr).seconds / 2);
    }
  }
  std::map<std::string, double> medians;
  for (auto& [name, all] : seconds) {
    std::sort(all.begin(), all.end());
    medians[name] = all[all.size() / 2];
  }
  return medians;
}

/// Steps of a budget; at least one, at most 10^12.
inline Index steps_of(const Budget& budget, double seconds_a_step) {
  if (budget.steps != Budget::any_steps) return budget.steps;
  return static_cast<Index>(std::clamp(std::floor(budget.seconds / seconds_a_step), 1.0, 1e12));
}

}  // namespace tern
