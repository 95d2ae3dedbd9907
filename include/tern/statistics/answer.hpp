#pragma once
/// The four answers to "is a better than b?".
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <span>

#include "tern/statistics/equivalence.hpp"
#include "tern/statistics/intervals.hpp"
#include "tern/statistics/power.hpp"
#include "tern/statistics/sign_flip.hpp"

namespace tern::statistics {

enum class Answer { better, worse, equivalent, undecided };

/// Why an answer is undecided.
enum class Reason { none, too_few_users, not_tuned, control_void };

/// Fixed before the experiment.
struct Rules {
  double alpha = 0.05;             ///< of every test; the interval has level 1 - alpha
  double share = 0.05;             ///< of perplexity, within which two are equivalent
  double power = 0.8;              ///< what "enough users" means
  Index least_users = 6;           ///< fewer never decide: a sign-flip p of five cannot be below 1/16
  SignFlipOptions sign_flip = {};  ///< how p is computed
};

/// What the users say, before anything is decided.
struct Comparison {
  Index users = 0;
  Interval difference;      ///< mean and t interval over users, nats per token; positive: a is better
  double deviation = 0;     ///< between users
  double p = 1;             ///< sign flips, two-sided, this comparison by itself
  Equivalence equivalence;  ///< at the rules' share
};

/// Compares by one difference a user (margin.hpp). One user has no spread to measure: the interval is then without ends
/// and every p is 1. Throws ValueError where differences are missing or not finite, or rules are outside their range.
inline Comparison compare(std::span<const double> differences, Random& random, const Rules& rules = {}) {
  const double edge = equivalence_margin(rules.share);
  detail::expect_share("compare", "alpha", rules.alpha);
  detail::expect_values("compare", differences, 1);
  const double infinity = std::numeric_limits<double>::infinity();
  if (differences.size() == 1) return {1, {differences[0], -infinity, infinity}, infinity, 1, {}};
  const Moments users = moments(differences);
  return {users.count, t_interval(users, 1 - rules.alpha), users.deviation,
          sign_flip(differences, random, rules.sign_flip).p, equivalence(users, edge)};
}

struct Judgement {
  Answer answer = Answer::undecided;
  Reason reason = Reason::none;       ///< none unless undecided
  bool within_margin = false;         ///< equivalent as well: a difference that is real, and too small to matter
  std::optional<Index> users_needed;  ///< where too few: enough for both claims; none where a million are not
};

/// Decides. `p` is the comparison's p, adjusted for the family it stands in (multiplicity.hpp); `obstacle` is what
/// voids the comparison whatever it measured.
///   undecided    where there is an obstacle, or fewer users than least_users;
///   better       p <= alpha and the interval lies above 0; worse: below 0;
///   equivalent   neither, and the difference lies within -+log(1 + share) by two one-sided tests at alpha;
///   undecided    else: too few users.
/// Asking the test and the interval keeps the answer from contradicting either. users_needed supposes the measured
/// spread: with so many users a difference of `share` would be found, and so would equality, each with the rules'
/// power. The measured difference does not enter: it is what we do not know. Throws ValueError unless 0 <= p <= 1.
inline Judgement judge(const Comparison& c, double p, const Rules& rules = {}, Reason obstacle = Reason::none) {
  if (!(p >= 0 && p <= 1)) throw ValueError("judge: expected a p in [0, 1], got " + std::to_string(p));
  if (obstacle == Reason::not_tuned || obstacle == Reason::control_void)
    return {Answer::undecided, obstacle, false, {}};
  const bool within = c.equivalence.p() <= rules.alpha;
  if (obstacle == Reason::none && c.users >= rules.least_users) {
    if (p <= rules.alpha && c.difference.low > 0) return {Answer::better, Reason::none, within, {}};
    if (p <= rules.alpha && c.difference.high < 0) return {Answer::worse, Reason::none, within, {}};
    if (within) return {Answer::equivalent, Reason::none, true, {}};
  }
  Judgement undecided{Answer::undecided, Reason::too_few_users, false, {}};
  if (std::isfinite(c.deviation)) {
    const double edge = equivalence_margin(rules.share);
    const auto difference = users_for_difference(edge, c.deviation, rules.power, rules.alpha);
    const auto equality = users_for_equivalence(edge, c.deviation, 0, rules.power, rules.alpha);
    if (difference && equality) undecided.users_needed = std::max({*difference, *equality, rules.least_users});
  }
  return undecided;
}

}  // namespace tern::statistics
