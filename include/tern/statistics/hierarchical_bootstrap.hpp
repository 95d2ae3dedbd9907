#pragma once
/// The hierarchical studentised bootstrap: users, their documents and the documents' chunks are all drawn anew.
#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "tern/core/random.hpp"
#include "tern/statistics/margin.hpp"

namespace tern::statistics {

struct BootstrapOptions {
  Index resamples = 10'000;
  double level = 0.95;
};

namespace detail {

/// d_u of documents and chunks drawn with replacement, as many of each as there are.
inline double redrawn_difference(const UserDifferences& documents, Random& random) {
  double nats = 0, tokens = 0;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    const DocumentDifferences& document = documents[random.below(static_cast<Index>(documents.size()))];
    for (std::size_t j = 0; j < document.size(); ++j) {
      const ChunkDifference& chunk = document[random.below(static_cast<Index>(document.size()))];
      nats += chunk.nats;
      tokens += static_cast<double>(chunk.tokens);
    }
  }
  return nats / tokens;
}

}  // namespace detail

/// The mean of d_u over users, in nats per token, with an interval from resampling at every level (Davison, Hinkley
/// 1997, sections 2.4 and 3.8). With m and e the mean over the n users and its standard error, and m*, e* the same of a
/// resample: t* = (m* - m) / e*, and the interval is [m - q_high e, m - q_low e] with q the order statistics
/// (resamples + 1) (1 -+ level) / 2 of t*. It follows skewed differences, which the t interval does not; for few users
/// it is wide. A resample that drew one user n times has no spread: its t* is infinite, and where that happens in more
/// than the tails (two or three users) so is the interval. No spread at all gives an interval of no width. Memory:
/// resamples + users numbers, once. Throws ValueError on fewer than two users, a user or a document without chunks,
/// what user_difference refuses, or options outside their range.
inline Interval hierarchical_bootstrap(std::span<const UserDifferences> users, Random& random,
                                       const BootstrapOptions& options = {}) {
  detail::expect_share("hierarchical bootstrap", "level", options.level);
  const double tail = (1 - options.level) / 2;
  // The small addition keeps 250 from becoming 249.999 by rounding.
  const auto outside = static_cast<Index>(tail * static_cast<double>(options.resamples + 1) + 1e-9);
  if (options.resamples < 1 || outside < 1)
    throw ValueError("hierarchical bootstrap: expected at least " +
                     std::to_string(static_cast<Index>(std::ceil(1 / tail - 1e-9)) - 1) +
                     " resamples for this level, got " + std::to_string(options.resamples));
  for (std::size_t u = 0; u < users.size(); ++u)
    for (std::size_t i = 0; i < users[u].size(); ++i)
      if (users[u][i].empty())
        throw ValueError("hierarchical bootstrap: user " + std::to_string(u) + ", document " + std::to_string(i) +
                         ": expected at least 1 chunk, got 0");
  std::vector<double> drawn = user_differences(users);
  const Moments measured = moments(drawn);
  const double error = measured.standard_error();

  std::vector<double> ratios;
  ratios.reserve(static_cast<std::size_t>(options.resamples));
  for (Index r = 0; r < options.resamples; ++r) {
    for (double& difference : drawn)
      difference = detail::redrawn_difference(users[random.below(static_cast<Index>(users.size()))], random);
    const Moments m = moments(drawn);
    const double away = m.mean - measured.mean;
    // 0/0: the resample stands where the measurement does.
    ratios.push_back(away == 0 ? 0 : away / m.standard_error());
  }
  if (error == 0) return {measured.mean, measured.mean, measured.mean};
  std::sort(ratios.begin(), ratios.end());
  const double low = ratios[outside - 1], high = ratios[options.resamples - outside];
  return {measured.mean, measured.mean - high * error, measured.mean - low * error};
}

}  // namespace tern::statistics
