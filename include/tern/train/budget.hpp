#pragma once
#include <algorithm>
#include <chrono>
#include <limits>
#include <string>

#include "tern/core/error.hpp"
#include "tern/core/matrix.hpp"

namespace tern {

/// How much training is allowed: steps, seconds of training time, or whichever ends first. Also an interval: every so
/// many steps or seconds.
struct Budget {
  static constexpr Index any_steps = std::numeric_limits<Index>::max();
  static constexpr double any_seconds = std::numeric_limits<double>::infinity();

  Index steps = any_steps;
  double seconds = any_seconds;

  static Budget of_steps(Index n) { return {n, any_seconds}; }
  static Budget of_seconds(double s) { return {any_steps, s}; }

  /// Neither limit is set.
  bool unlimited() const { return steps == any_steps && seconds == any_seconds; }

  /// The share spent, at most 1.
  double fraction(Index steps_taken, double seconds_taken) const {
    const double by_steps = static_cast<double>(steps_taken) / static_cast<double>(steps);
    return std::clamp(std::max(by_steps, seconds_taken / seconds), 0.0, 1.0);
  }
  bool spent(Index steps_taken, double seconds_taken) const { return steps_taken >= steps || seconds_taken >= seconds; }
};

/// Throws ValueError unless both limits are positive. `what` names the budget in the message.
inline void expect_positive(const std::string& what, const Budget& budget) {
  if (budget.steps <= 0) throw ValueError(what + ": expected at least 1 step, got " + std::to_string(budget.steps));
  if (!(budget.seconds > 0))
    throw ValueError(what + ": expected more than 0 seconds, got " + std::to_string(budget.seconds));
}

/// Measures a run's own time: runs from construction on, except while paused. Pauses nest.
template <class Clock = std::chrono::steady_clock>
class BasicStopwatch {
 public:
  /// Stands still while it lives.
  class Pause {
   public:
    explicit Pause(BasicStopwatch& watch) : watch_(watch) { watch_.hold(); }
    ~Pause() { watch_.go_on(); }
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;

   private:
    BasicStopwatch& watch_;
  };

  /// Starts at `seconds`, those of an earlier part of the run.
  explicit BasicStopwatch(double seconds = 0) : gathered_(seconds), since_(Clock::now()) {}

  double seconds() const { return pauses_ > 0 ? gathered_ : gathered_ + running(); }

  [[nodiscard]] Pause pause() { return Pause(*this); }

 private:
  double running() const { return std::chrono::duration<double>(Clock::now() - since_).count(); }
  void hold() {
    if (pauses_++ == 0) gathered_ += running();
  }
  void go_on() {
    if (--pauses_ == 0) since_ = Clock::now();
  }

  double gathered_;
  typename Clock::time_point since_;
  int pauses_ = 0;
};
using Stopwatch = BasicStopwatch<>;

}  // namespace tern
