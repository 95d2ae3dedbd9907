#pragma once

namespace tern {

/// How expectations have come true so far.
class Pace {
 public:
  /// Work of which nothing was expected (0) tells nothing of other work.
  void finished(double expected, double seconds) {
    if (expected > 0) expected_ += expected, taken_ += seconds;
  }
  /// What work takes that is expected to take `expected` seconds.
  double of(double expected) const { return expected_ > 0 ? expected * taken_ / expected_ : expected; }

 private:
  double expected_ = 0, taken_ = 0;
};

}  // namespace tern
