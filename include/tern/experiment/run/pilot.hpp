#pragma once
/// How a contender's learning rate is found: on a few users at the full budget, before any test run.
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tern/experiment/results.hpp"

namespace tern {

/// A grid of rates a factor 3 apart, extended on either side until nobody's choice lies at an end. Whoever is piloted
/// gets what the *other* pilots chose, so that nobody's own text picks their rate; everyone else gets what all pilots
/// chose. The choice of some pilots is the rate of the lowest mean loss over them; a rate at which one of them diverged
/// is never chosen, of equals the smallest is. One pilot alone cannot be cross-fitted: for_pilot is then `chosen`.
class RateSearch {
 public:
  /// `start` ascending and not empty; at most `most` rates are tried.
  RateSearch(std::vector<std::string> users, const std::vector<double>& start, Index most)
      : users_(std::move(users)), most_(std::max<Index>(most, static_cast<Index>(start.size()))) {
    for (const double rate : start) {
      trials_.push_back({rate, std::vector<std::optional<double>>(users_.size())});
      done_.emplace_back(users_.size());
    }
  }

  struct Question {
    double rate;
    std::size_t pilot;  ///< index into the users
  };
  /// The run to do next, or nothing once the search is over. The same until record().
  std::optional<Question> next() {
    for (std::size_t r = 0; r < trials_.size(); ++r)
      for (std::size_t u = 0; u < users_.size(); ++u)
        if (!done_[r][u]) return Question{trials_[r].rate, u};
    if (!extend()) return std::nullopt;
    return next();
  }
  /// All the runs that may be done now, in any order; none once the search is over.
  std::vector<Question> open() {
    std::vector<Question> questions;
    if (next())
      for (std::size_t r = 0; r < trials_.size(); ++r)
        for (std::size_t u = 0; u < users_.size(); ++u)
          if (!done_[r][u]) questions.push_back({trials_[r].rate, u});
    return questions;
  }
  /// The validation loss that such a run came to; nothing: it diverged.
  void record(const Question& q, std::optional<double> loss) {
    for (std::size_t r = 0; r < trials_.size(); ++r)
      if (trials_[r].rate == q.rate) {
        trials_[r].loss[q.pilot] = loss;
        done_[r][q.pilot] = true;
      }
  }

  /// How many runs are known to be needed, after next(): of the rates in the grid as it stands.
  Index least_left() const {
    Index open = 0;
    for (const auto& of_rate : done_) open += static_cast<Index>(std::count(of_rate.begin(), of_rate.end(), false));
    return open;
  }
  /// How many there are at most, should the grid be extended as far as it may.
  Index most_left() const {
    const Index open = least_left(), beyond = most_ - static_cast<Index>(trials_.size());
    return open == 0 ? 0 : open + beyond * static_cast<Index>(users_.size());
  }

  const std::vector<std::string>& users() const { return users_; }

  /// What was found so far.
  PilotRecord result() const {
    PilotRecord found;
    found.users = users_;
    found.rates = trials_;
    const std::size_t all = choice(std::nullopt);
    found.chosen = trials_[all].rate;
    found.interior = interior(all);
    for (std::size_t u = 0; u < users_.size(); ++u) {
      const std::size_t others = users_.size() > 1 ? choice(u) : all;
      found.for_pilot.push_back(trials_[others].rate);
      found.interior = found.interior && interior(others);
    }
    return found;
  }

  /// The lowest mean loss over all pilots; nothing where every rate diverged for somebody.
  std::optional<double> best_loss() const { return mean_loss(choice(std::nullopt), std::nullopt); }

 private:
  std::optional<double> mean_loss(std::size_t rate, std::optional<std::size_t> without) const {
    double sum = 0, n = 0;
    for (std::size_t u = 0; u < users_.size(); ++u) {
      if (u == without) continue;
      if (!trials_[rate].loss[u]) return std::nullopt;
      sum += *trials_[rate].loss[u], ++n;
    }
    return sum / n;
  }
  std::size_t choice(std::optional<std::size_t> without) const {
    std::size_t best = 0;
    double lowest = std::numeric_limits<double>::infinity();
    for (std::size_t r = 0; r < trials_.size(); ++r)
      if (const auto loss = mean_loss(r, without); loss && *loss < lowest) best = r, lowest = *loss;
    return best;
  }
  bool interior(std::size_t rate) const { return rate > 0 && rate + 1 < trials_.size(); }

  /// One more rate beyond an end at which somebody's choice lies. False where none is needed or allowed.
  bool extend() {
    if (static_cast<Index>(trials_.size()) >= most_) return false;
    bool below = false, above = false;
    for (std::size_t u = 0; u <= users_.size(); ++u) {
      if (u < users_.size() && users_.size() == 1) continue;
      const std::size_t at = choice(u < users_.size() ? std::optional(u) : std::nullopt);
      below = below || at == 0;
      above = above || at + 1 == trials_.size();
    }
    if (!below && !above) return false;
    // Below first: a rate too high does more harm than one too low.
    const double rate = below ? trials_.front().rate / 3 : trials_.back().rate * 3;
    const auto at = below ? trials_.begin() : trials_.end();
    done_.insert(below ? done_.begin() : done_.end(), std::vector<bool>(users_.size()));
    trials_.insert(at, {rate, std::vector<std::optional<double>>(users_.size())});
    return true;
  }

  std::vector<std::string> users_;
  Index most_;
  std::vector<RateTrial> trials_;          // ascending
  std::vector<std::vector<bool>> done_;    // [rate][pilot]
};

/// A user's rate.
inline double rate_for(const PilotRecord& pilots, const std::string& user) {
  for (std::size_t u = 0; u < pilots.users.size(); ++u)
    if (pilots.users[u] == user) return pilots.for_pilot[u];
  return pilots.chosen;
}

}  // namespace tern
