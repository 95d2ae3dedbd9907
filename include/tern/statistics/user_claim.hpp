#pragma once
/// Is a better than b for one user? The user's documents are the units.
#include <cmath>
#include <limits>

#include "tern/statistics/distributions.hpp"
#include "tern/statistics/margin.hpp"

namespace tern::statistics {

struct UserClaimRules {
  Index least_chunks = 12, least_documents = 3;  ///< fewer are not testable
  double level = 0.95;
};

/// About one user's text alone; several users' p go through benjamini_hochberg.
struct UserClaim {
  bool testable = false;
  Interval difference;  ///< d_u, nats per token; without ends where not testable
  double p = 1;         ///< two-sided
};

/// t test over documents, each weighing its share w of the tokens, r its distance from d_u:
///   variance of d_u = sum w^2 r^2 * S / sum w^2 (1 - 2w + S),  S = sum w^2,  degrees of freedom = 1/S - 1.
/// The second factor makes it unbiased for documents that spread alike; equal ones give the ordinary t test over
/// documents. Chunks enter through their document only: they resemble each other. Documents without chunks do not
/// count. Throws ValueError as user_difference.
inline UserClaim user_claim(const UserDifferences& user, const UserClaimRules& rules = {}) {
  detail::expect_share("user claim", "level", rules.level);
  const double infinity = std::numeric_limits<double>::infinity();
  UserClaim claim{false, {user_difference(user), -infinity, infinity}, 1};
  Index chunks = 0, documents = 0;
  double all = 0;
  for (const DocumentDifferences& document : user) {
    documents += !document.empty();
    chunks += static_cast<Index>(document.size());
    for (const ChunkDifference& chunk : document) all += static_cast<double>(chunk.tokens);
  }
  if (chunks < rules.least_chunks || documents < std::max<Index>(rules.least_documents, 2)) return claim;

  double squares = 0, cubes = 0, spread = 0;
  for (const DocumentDifferences& document : user) {
    double nats = 0, tokens = 0;
    for (const ChunkDifference& chunk : document) {
      nats += chunk.nats;
      tokens += static_cast<double>(chunk.tokens);
    }
    const double w = tokens / all, away = nats / all - w * claim.difference.point;  // w r
    squares += w * w;
    cubes += w * w * w;
    spread += away * away;
  }
  const double expected = squares - 2 * cubes + squares * squares;  // of spread, in variances of a document
  const double error = std::sqrt(spread * squares / expected), freedom = 1 / squares - 1;
  const double reach = error * t_quantile(0.5 + rules.level / 2, freedom), point = claim.difference.point;
  claim.testable = true;
  claim.difference = {point, point - reach, point + reach};
  claim.p = point == 0 ? 1 : t_two_sided(point / error, freedom);
  return claim;
}

}  // namespace tern::statistics
