#include "tern/train/budget.hpp"

#include <doctest/doctest.h>

using namespace tern;
using doctest::Approx;

namespace {

/// A clock that the test moves.
struct Clock {
  using duration = std::chrono::milliseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Clock>;
  static time_point now() { return time_point(duration(milliseconds)); }
  static inline rep milliseconds = 0;
};

}  // namespace

TEST_CASE("budget: whichever limit comes first") {
  const auto steps = Budget::of_steps(4);
  CHECK(steps.fraction(1, 1e9) == 0.25);
  CHECK_FALSE(steps.spent(3, 1e9));
  CHECK(steps.spent(4, 0));
  const auto seconds = Budget::of_seconds(10);
  CHECK(seconds.fraction(1000, 5) == 0.5);
  CHECK(seconds.fraction(1000, 20) == 1);
  CHECK(seconds.spent(0, 10));
  const Budget both{4, 10};
  CHECK(both.fraction(1, 9) == 0.9);
  CHECK(both.spent(4, 1));
  CHECK(both.spent(1, 10));
  CHECK(Budget{}.unlimited());
  CHECK(Budget{}.fraction(1'000'000, 1e6) < 1e-9);
}

TEST_CASE("budget: nothing to spend is refused") {
  CHECK_THROWS_WITH_AS(expect_positive("fit budget", Budget::of_steps(0)),
                       "fit budget: expected at least 1 step, got 0", ValueError);
  CHECK_THROWS_WITH_AS(expect_positive("fit budget", Budget::of_seconds(0)),
                       "fit budget: expected more than 0 seconds, got 0.000000", ValueError);
  CHECK_THROWS_AS(expect_positive("fit budget", Budget::of_seconds(std::numeric_limits<double>::quiet_NaN())),
                  ValueError);
}

TEST_CASE("stopwatch: stands still while paused, pauses nest") {
  BasicStopwatch<Clock> watch(100);
  Clock::milliseconds += 1500;
  CHECK(watch.seconds() == Approx(101.5));
  {
    const auto outer = watch.pause();
    Clock::milliseconds += 1000;
    {
      const auto inner = watch.pause();
      Clock::milliseconds += 1000;
    }
    Clock::milliseconds += 1000;
    CHECK(watch.seconds() == Approx(101.5));
  }
  Clock::milliseconds += 500;
  CHECK(watch.seconds() == Approx(102));
}
