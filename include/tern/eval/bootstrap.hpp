#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "tern/core/error.hpp"
#include "tern/core/random.hpp"
#include "tern/eval/perplexity.hpp"

namespace tern {

/// A measured value and the interval that resampling gives it.
struct Interval {
  double point = 0, low = 0, high = 0;
};

struct BootstrapOptions {
  Index resamples = 2000;
  double level = 0.95;  ///< share of the resamples inside the interval
};

namespace detail {

/// 1 - ppl(a)/ppl(b), with every chunk counted once.
struct MarginSum {
  double a = 0, b = 0;
  Index tokens = 0;
  void add(const ChunkNll& of_a, const ChunkNll& of_b) {
    a += of_a.nll;
    b += of_b.nll;
    tokens += of_a.tokens;
  }
  double margin() const { return -std::expm1((a - b) / static_cast<double>(tokens)); }
};

/// The q-quantile of sorted values, interpolated linearly between neighbours.
inline double quantile(std::span<const double> sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const auto above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace detail

/// The margin of a over b, 1 - ppl(a)/ppl(b), on the same chunks of text, with its percentile bootstrap interval:
/// chunks are drawn with replacement, always the same ones for a and b (Efron, Tibshirani 1993, chapter 13). One chunk
/// says nothing of its spread: the interval is then all a margin can be, -infinity to 1. Throws ValueError where the
/// chunks of a and b do not match or hold no token, or on options outside their range.
inline Interval paired_bootstrap(std::span<const ChunkNll> a, std::span<const ChunkNll> b, Random& random,
                                 const BootstrapOptions& options = {}) {
  if (a.size() != b.size() || a.empty())
    throw ValueError("bootstrap: expected as many chunks of a as of b, at least 1, got " + std::to_string(a.size()) +
                     " and " + std::to_string(b.size()));
  if (options.resamples < 1)
    throw ValueError("bootstrap: expected at least 1 resample, got " + std::to_string(options.resamples));
  if (!(options.level > 0 && options.level < 1))
    throw ValueError("bootstrap: expected a level between 0 and 1, got " + std::to_string(options.level));
  detail::MarginSum all;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].tokens != b[i].tokens || a[i].tokens < 1)
      throw ValueError("bootstrap: expected the same tokens in chunk " + std::to_string(i) + ", at least 1, got " +
                       std::to_string(a[i].tokens) + " and " + std::to_string(b[i].tokens));
    if (!std::isfinite(a[i].nll) || !std::isfinite(b[i].nll))
      throw ValueError("bootstrap: expected finite nll in chunk " + std::to_string(i) + ", got " +
                       std::to_string(a[i].nll) + " and " + std::to_string(b[i].nll));
    all.add(a[i], b[i]);
  }
  if (a.size() == 1) return {all.margin(), -std::numeric_limits<double>::infinity(), 1};

  std::vector<double> margins;
  margins.reserve(static_cast<std::size_t>(options.resamples));
  for (Index r = 0; r < options.resamples; ++r) {
    detail::MarginSum drawn;
    for (std::size_t i = 0; i < a.size(); ++i) {
      const auto chunk = static_cast<std::size_t>(random.below(static_cast<Index>(a.size())));
      drawn.add(a[chunk], b[chunk]);
    }
    margins.push_back(drawn.margin());
  }
  std::sort(margins.begin(), margins.end());
  const double tail = (1 - options.level) / 2;
  return {all.margin(), detail::quantile(margins, tail), detail::quantile(margins, 1 - tail)};
}

}  // namespace tern
