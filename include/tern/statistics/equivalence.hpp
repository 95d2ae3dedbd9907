#pragma once
/// Equivalence of two perplexities: two one-sided t tests (Schuirmann 1987).
#include <algorithm>
#include <cmath>
#include <string>

#include "tern/statistics/distributions.hpp"
#include "tern/statistics/moments.hpp"

namespace tern::statistics {

/// How far apart two perplexities may lie and still be called equal, in nats per token:
///   ppl(a) < (1 + share) ppl(b)  and  ppl(b) < (1 + share) ppl(a)   <=>   |difference| < log(1 + share).
/// For 5%: 0.0488 nats, margins of a over b between -5% and +4.76%. Whoever is called a, the answer is the same.
inline double equivalence_margin(double share = 0.05) {
  detail::expect_share("equivalence", "share", share);
  return std::log1p(share);
}

/// The p of each side; equivalence needs both.
struct Equivalence {
  double not_worse = 1;   ///< against "a is worse by the margin or more": difference <= -margin
  double not_better = 1;  ///< against "a is better by the margin or more": difference >= margin

  double p() const { return std::max(not_worse, not_better); }
};

/// With e the standard error over users:
///   not_worse = P(T >= (mean + margin) / e),  not_better = P(T >= (margin - mean) / e),  T of n - 1 degrees of
///   freedom.
/// p() <= alpha says the same as: the t interval of level 1 - 2 alpha lies within -+margin. Without spread a side is
/// certain: 0 or 1. Throws ValueError unless there are two users and margin > 0.
inline Equivalence equivalence(const Moments& users, double margin) {
  if (users.count < 2) throw ValueError("equivalence: expected at least 2 users, got " + std::to_string(users.count));
  if (!(margin > 0 && std::isfinite(margin)))
    throw ValueError("equivalence: expected a margin > 0, got " + std::to_string(margin));
  const double error = users.standard_error(), freedom = static_cast<double>(users.count - 1);
  const auto side = [&](double distance) {
    if (error == 0) return distance > 0 ? 0.0 : 1.0;
    return t_upper(distance / error, freedom);
  };
  return {side(margin + users.mean), side(margin - users.mean)};
}

}  // namespace tern::statistics
