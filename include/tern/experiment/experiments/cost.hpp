#pragma once
/// What contenders cost: seconds of training, runs of tuning, bytes a user.
#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "tern/experiment/experiments/evidence.hpp"
#include "tern/experiment/finding.hpp"
#include "tern/experiment/words.hpp"

namespace tern::experiments {

/// Seconds that a contender's steps stand for: by calibration, so that a busy machine changes nothing.
inline std::optional<double> seconds_of(const Evidence& evidence, const std::string& contender, Index steps) {
  const auto found = evidence.protocol().calibration.find(contender);
  if (found == evidence.protocol().calibration.end()) return std::nullopt;
  return found->second.seconds_a_step * static_cast<double>(steps);
}

/// Of a run: by calibration, else as measured.
inline double seconds_of(const Evidence& evidence, const AdapterRecord& run) {
  return seconds_of(evidence, run.setting.contender, run.steps).value_or(run.seconds);
}

/// Runs that the pilots took for its rates; those of candidates that were not chosen are not recorded one by one.
inline Index pilot_runs(const PilotRecord& pilot) {
  std::size_t runs = 0;
  for (const RateTrial& trial : pilot.rates) runs += trial.loss.size();
  return static_cast<Index>(runs);
}

/// Bytes of a user's adapter as stored: the largest of its ordinary runs; none where none finished.
inline std::optional<double> stored_bytes(const Evidence& evidence, const std::string& contender) {
  std::optional<double> bytes;
  for (const UserRecord& u : evidence.users())
    if (const AdapterRecord* run = evidence.run({.contender = contender, .user = u.name}); run != nullptr && run->ok)
      bytes = std::max(bytes.value_or(0), static_cast<double>(run->bytes));
  return bytes;
}

namespace detail {

/// Mean pilot loss at a rate; none where it was not tried or diverged for somebody.
inline std::optional<double> pilot_loss(const PilotRecord& pilot, double rate) {
  for (const RateTrial& trial : pilot.rates) {
    if (trial.loss.empty() || std::abs(trial.rate / rate - 1) > 0.01) continue;
    double sum = 0;
    for (const auto& loss : trial.loss) {
      if (!loss) return std::nullopt;
      sum += *loss;
    }
    return sum / static_cast<double>(trial.loss.size());
  }
  return std::nullopt;
}

/// What a wrong rate would cost, in nats per token: "+0.012".
inline std::string regret(const PilotRecord& pilot, double factor) {
  const auto chosen = pilot_loss(pilot, pilot.chosen), other = pilot_loss(pilot, pilot.chosen * factor);
  if (!chosen || !other) return std::string(words::missing);
  return (*other > *chosen ? "+" : "") + words::fixed(*other - *chosen, 3);
}

}  // namespace detail

/// Steps and what they stand for, and what a wrong rate would cost.
inline Table training_table(const Evidence& evidence) {
  Table table{.title = "Steps at the same budget",
              .columns = {"", "steps", "seconds a step", "seconds", "regret at a third of the rate", "at three times"}};
  const std::string none(words::missing);
  for (const std::string& name : evidence.contenders()) {
    Index steps = 0;
    double seconds = 0;
    for (const UserRecord& u : evidence.users())
      if (const AdapterRecord* run = evidence.run({.contender = name, .user = u.name}); run != nullptr && run->ok) {
        steps = std::max(steps, run->steps);
        seconds = std::max(seconds, seconds_of(evidence, *run));
      }
    const auto pilot = evidence.protocol().pilots.find(name);
    const bool piloted = pilot != evidence.protocol().pilots.end();
    table.rows.push_back({evidence.title(name), words::grouped(static_cast<double>(steps)),
                          words::general(steps > 0 ? seconds / static_cast<double>(steps) : 0), words::seconds(seconds),
                          piloted ? detail::regret(pilot->second, 1.0 / 3) : none,
                          piloted ? detail::regret(pilot->second, 3) : none});
  }
  table.note = "Seconds of the machine that was calibrated. Regret: nats per token that the pilots lose at another rate.";
  return table;
}

}  // namespace tern::experiments
