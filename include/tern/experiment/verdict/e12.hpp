#pragma once
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "tern/experiment/verdict/evidence.hpp"
#include "tern/experiment/verdict/words.hpp"

namespace tern::verdict {

/// The first validation of a run that has 90% of its final gain, in nats: from the first validation to the lowest one,
/// whose parameters are kept. Nothing where it never gained.
inline std::optional<Validation> reached(const Run& run) {
  if (run.curve.empty()) return std::nullopt;
  const double start = run.curve.front().log_ppl;
  double best = start;
  for (const Validation& at : run.curve) best = std::min(best, at.log_ppl);
  if (!(best < start)) return std::nullopt;
  return *std::find_if(run.curve.begin(), run.curve.end(),
                       [&](const Validation& at) { return start - at.log_ppl >= 0.9 * (start - best); });
}

/// E12, budget: how long until a user has 90% of the gain on validation text, as often as it was measured? A
/// measurement, not a claim. numbers: "formats" {format: medians over the runs that gained "seconds_to_90",
/// "steps_to_90"; over all that finished "seconds", "steps"; "gained", "finished", "failed"}.
inline Finding e12(const Evidence& evidence) {
  Finding finding;
  finding.reason = "a measurement, not a claim";
  std::vector<std::string> times;
  for (const std::string& format : evidence.formats()) {
    std::vector<double> seconds, steps, seconds_to_90, steps_to_90;
    Index failed = 0;
    for (const std::string& user : evidence.users()) {
      const Run* run = evidence.run({format, user});
      if (run == nullptr) continue;
      if (run->failed) {
        ++failed;
        continue;
      }
      seconds.push_back(run->seconds);
      steps.push_back(run->steps);
      if (const auto at = reached(*run)) {
        seconds_to_90.push_back(at->seconds);
        steps_to_90.push_back(at->step);
      }
    }
    if (seconds.empty() && failed == 0) continue;
    const auto wait = median(seconds_to_90);
    finding.numbers["formats"][format] = {{"seconds_to_90", to_json(wait)},
                                          {"steps_to_90", to_json(median(steps_to_90))},
                                          {"seconds", to_json(median(seconds))},
                                          {"steps", to_json(median(steps))},
                                          {"gained", seconds_to_90.size()},
                                          {"finished", seconds.size()},
                                          {"failed", failed}};
    std::string words = spoken(format);
    if (wait)
      words += " " + report::seconds(*wait) + " (" + report::fixed(*median(steps_to_90), 0) + " of " +
               report::fixed(*median(steps), 0) + " steps)";
    const Index all = static_cast<Index>(seconds.size()) + failed;
    if (const auto gained = static_cast<Index>(seconds_to_90.size()); gained < all)
      words += (wait ? ", gaining for " : " gained for ") + share(gained, all, "user");
    times.push_back(std::move(words));
  }
  if (times.empty()) return undecided("nothing was trained");
  finding.sentence = "Training until 90% of the gain on validation text, for the median user: ";
  for (std::size_t i = 0; i < times.size(); ++i) finding.sentence += (i == 0 ? "" : "; ") + times[i];
  finding.sentence += ".";
  return finding;
}

}  // namespace tern::verdict
