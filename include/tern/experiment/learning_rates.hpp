#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "tern/core/matrix.hpp"

namespace tern {

/// A search for a learning rate in a fixed number of trials. The rates to start from come first. Each further trial then
/// depends on where the lowest loss lies: at an end, it goes beyond that end by as much again (so that no format is held
/// back by where its rates start); inside, halfway (in log) to the better neighbour.
class LearningRateSearch {
 public:
  /// `start` must not be empty, `trials` at least its size; then exactly `trials` rates are asked for.
  LearningRateSearch(std::vector<double> start, Index trials) : start_(std::move(start)), trials_(trials) {}

  /// The rate to try next; nothing once all trials are done. Until record() it stays the same.
  std::optional<double> next() const {
    if (tried_ >= trials_) return std::nullopt;
    if (tried_ < static_cast<Index>(start_.size())) return start_[static_cast<std::size_t>(tried_)];
    const auto best = lowest();
    if (loss_.size() == 1) return best->first / 3;
    if (best == loss_.begin()) {
      const auto above = std::next(best);
      return best->first * best->first / above->first;
    }
    const auto below = std::prev(best), above = std::next(best);
    if (above == loss_.end()) return best->first * best->first / below->first;
    return std::sqrt(best->first * (above->second < below->second ? above : below)->first);
  }

  /// The loss that next() came to; infinity where it diverged.
  void record(double rate, double loss) {
    loss_[rate] = loss;
    ++tried_;
  }

  /// The rate of the lowest loss; of several (all diverged), the smallest.
  double best() const { return lowest()->first; }

 private:
  std::map<double, double>::const_iterator lowest() const {
    return std::min_element(loss_.begin(), loss_.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  }

  std::vector<double> start_;
  Index trials_, tried_ = 0;
  std::map<double, double> loss_;
};

}  // namespace tern
