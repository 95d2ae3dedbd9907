#pragma once
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "tern/experiment/verdict/evidence.hpp"
#include "tern/experiment/verdict/words.hpp"

namespace tern::verdict {

/// E6, ternary composition: how much of its gain does norm-only keep on a ternary base?
///   recovery = ln(ppl ternary base / ppl ternary norm-only) / ln(ppl dense base / ppl dense norm-only)
///   gap      = ppl ternary norm-only / ppl dense norm-only
/// A ternary run that failed recovers less than any other; without a dense gain there is nothing to recover. Holds if
/// the median recovery is at least a half and the ternary norm-only beats its base for most users. numbers: "users"
/// {user: {"dense_base", "dense_norm", "ternary_base", "ternary_norm": ppl, "recovery", "gap", "over_ternary_base":
/// margin}}, "median_recovery", "median_gap", "beaten", "without_dense_gain". interval: over the ternary base, pooled.
inline Finding e6(const Evidence& evidence) {
  if (evidence.weights() != "dense")
    return undecided("the base is ternary itself, so there is no dense gain to compare");
  if (!evidence.ran("norm")) return undecided("norm-only was not run on the dense base");
  if (!evidence.ran("norm", "real", "ternary")) return undecided("norm-only was not run on the ternary base");

  Finding finding;
  auto& numbers = finding.numbers;
  Tally beats;
  Index no_gain = 0;
  std::vector<double> recoveries, gaps;
  Losses norm, base;
  for (const std::string& user : evidence.users()) {
    const Setting on_ternary = {"norm", user, "real", {}, "ternary"};
    const Losses *dense_base = evidence.base(user, "dense"), *dense_norm = evidence.own({"norm", user});
    const Losses *ternary_base = evidence.base(user, "ternary"), *ternary_norm = evidence.own(on_ternary);
    const auto over = finding.compare(ternary_norm, ternary_base);
    std::optional<double> recovery, gap;
    if (over) {
      pool(norm, *ternary_norm);
      pool(base, *ternary_base);
    }
    if (dense_base != nullptr && dense_norm != nullptr) {
      const double dense_gain = log_ppl(*dense_base) - log_ppl(*dense_norm);
      if (!(dense_gain > 0))
        ++no_gain;
      else if (evidence.failed(on_ternary))
        recovery = -std::numeric_limits<double>::infinity();
      else if (over)
        recovery = (log_ppl(*ternary_base) - log_ppl(*ternary_norm)) / dense_gain;
    }
    if (dense_norm != nullptr && ternary_norm != nullptr) gap = std::exp(log_ppl(*ternary_norm) - log_ppl(*dense_norm));
    if (recovery) recoveries.push_back(*recovery);
    if (gap) gaps.push_back(*gap);
    beats.add(evidence.failed(on_ternary) ? std::optional(false)
              : over                      ? std::optional(log_ppl(*ternary_norm) < log_ppl(*ternary_base))
                                          : std::nullopt);
    numbers["users"][user] = {{"dense_base", ppl(dense_base)},     {"dense_norm", ppl(dense_norm)},
                              {"ternary_base", ppl(ternary_base)}, {"ternary_norm", ppl(ternary_norm)},
                              {"recovery", to_json(recovery)},     {"gap", to_json(gap)},
                              {"over_ternary_base", to_json(over)}};
  }
  const auto recovery = median(recoveries), gap = median(gaps);
  numbers["median_recovery"] = to_json(recovery);
  numbers["median_gap"] = to_json(gap);
  numbers["beaten"] = beats.yes;
  numbers["without_dense_gain"] = no_gain;
  finding.interval = finding.compare(&norm, &base);

  const auto most = beats.most();
  if (recovery && *recovery < 0.5)
    finding.holds = false;
  else if (recovery)
    finding.holds = most;
  else
    finding.reason = "no user gained anything on the dense base, so there is nothing to recover";
  if (recovery && !finding.holds)
    finding.reason = count(beats.unmeasured, "user") + " not measured on the ternary base";

  finding.sentence =
      "On the ternary base norm-only was better than the bare base for " + share(beats.yes, beats.all(), "user");
  if (finding.interval)
    finding.sentence += "; over everyone's text its perplexity was " + lower_than(*finding.interval) + " the base's " +
                        interval(*finding.interval);
  finding.sentence += ".";
  if (recovery && std::isfinite(*recovery))
    finding.sentence += " The median user got back " + percent(*recovery) + " of the gain on the dense base.";
  if (gap) finding.sentence += " The perplexity was " + report::fixed(*gap, 2) + " times the dense one.";
  finding.sentence += note(no_gain, "user", "gained nothing on the dense base and has no recovery",
                           "gained nothing on the dense base and have no recovery");
  if (!finding.holds) finding.sentence = capital("undecided, " + finding.reason + ". ") + finding.sentence;
  return finding;
}

}  // namespace tern::verdict
