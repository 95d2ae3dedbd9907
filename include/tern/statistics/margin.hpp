#pragma once
/// From losses to what is compared: differences in nats per token, one a user, and the margins that people read.
///
/// A difference is b less a: positive where a predicts the text better.
///   difference d = nats per token of b - nats per token of a = log(ppl(b) / ppl(a))
///   margin of a over b = 1 - ppl(a)/ppl(b) = 1 - exp(-d)
#include <cmath>
#include <numbers>
#include <span>
#include <string>
#include <vector>

#include "tern/statistics/intervals.hpp"

namespace tern::statistics {

/// 1 - exp(-difference): 0.05 where a's perplexity is 5% below b's.
inline double margin(double difference) { return -std::expm1(-difference); }

/// The margins of an interval of differences, end by end: the map is monotonic, so the interval covers as often.
inline Interval margin(const Interval& difference) {
  return {margin(difference.point), margin(difference.low), margin(difference.high)};
}

/// The difference behind a margin below 1: -log(1 - margin).
inline double difference_of(double margin) { return -std::log1p(-margin); }

/// `nats` over a text of `bytes` bytes, in bits a byte: comparable across tokenizers and languages.
inline double bits_per_byte(double nats, double bytes) { return nats / (bytes * std::numbers::ln2); }

/// A chunk of scored tokens: the nats of b less those of a, summed over the tokens. With several seeds, the mean of
/// that over the seeds.
struct ChunkDifference {
  double nats = 0;
  Index tokens = 0;
};
using DocumentDifferences = std::vector<ChunkDifference>;
using UserDifferences = std::vector<DocumentDifferences>;

namespace detail {

[[noreturn]] inline void wrong_chunk(std::size_t document, std::size_t chunk, const std::string& finding) {
  throw ValueError("user's difference: document " + std::to_string(document) + ", chunk " + std::to_string(chunk) +
                   ": expected " + finding);
}

}  // namespace detail

/// d_u = sum of nats / sum of tokens over all chunks of a user. Throws ValueError where there is no chunk, a chunk
/// without tokens, or a sum that is not finite.
inline double user_difference(const UserDifferences& documents) {
  double nats = 0, tokens = 0;
  for (std::size_t i = 0; i < documents.size(); ++i)
    for (std::size_t j = 0; j < documents[i].size(); ++j) {
      const ChunkDifference& chunk = documents[i][j];
      if (chunk.tokens < 1) detail::wrong_chunk(i, j, "at least 1 token, got " + std::to_string(chunk.tokens));
      if (!std::isfinite(chunk.nats)) detail::wrong_chunk(i, j, "finite nats, got " + std::to_string(chunk.nats));
      nats += chunk.nats;
      tokens += static_cast<double>(chunk.tokens);
    }
  if (tokens == 0) throw ValueError("user's difference: expected at least 1 chunk, got 0");
  return nats / tokens;
}

/// One d_u a user, in their order. Throws as user_difference does, and names the user.
inline std::vector<double> user_differences(std::span<const UserDifferences> users) {
  std::vector<double> differences;
  differences.reserve(users.size());
  for (std::size_t u = 0; u < users.size(); ++u) try {
      differences.push_back(user_difference(users[u]));
    } catch (const ValueError& error) {
      throw ValueError("user " + std::to_string(u) + ": " + error.what());
    }
  return differences;
}

}  // namespace tern::statistics
