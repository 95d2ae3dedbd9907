#pragma once
#include <optional>
#include <string>

#include "tern/experiment/verdict/evidence.hpp"
#include "tern/experiment/verdict/words.hpp"

namespace tern::verdict {

/// E3, noise floor: how far is an adapter trained on the user's text ahead of the same format trained on uniform and on
/// shuffled tokens? A user passes where both margins are positive and so are their intervals' low ends; a failed run
/// shows nothing, so its user does not pass. Holds if norm-only passes on most users. numbers: "users"; "formats"
/// {format: {"passed", "users": {user: {"base", "real", "uniform", "shuffled": ppl, "over_uniform", "over_shuffled":
/// margin, "passed"}}, "over_uniform", "over_shuffled": margin over all users' text}}. interval: norm-only over the
/// closer kind of noise.
inline Finding e3(const Evidence& evidence) {
  const std::string kinds[] = {"uniform", "shuffled"};
  for (const std::string& data : {std::string("real"), kinds[0], kinds[1]})
    if (!evidence.ran("norm", data))
      return undecided("norm-only was not trained on " + data + (data == "real" ? " text" : " tokens"));

  Finding finding;
  finding.numbers["users"] = evidence.users().size();
  Tally of_norm;
  for (const std::string& format : evidence.formats()) {
    if (!evidence.ran(format, kinds[0]) && !evidence.ran(format, kinds[1])) continue;
    auto& numbers = finding.numbers["formats"][format];
    Tally tally;
    std::map<std::string, std::pair<Losses, Losses>> pooled;
    for (const std::string& user : evidence.users()) {
      const Losses* real = evidence.own({format, user});
      nlohmann::json of_user = {{"base", ppl(evidence.base(user))}, {"real", ppl(real)}};
      bool failed = evidence.failed({format, user}), measured = true, ahead = true;
      for (const std::string& kind : kinds) {
        const Losses* noise = evidence.own({format, user, kind});
        const auto over = finding.compare(real, noise);
        failed = failed || evidence.failed({format, user, kind});
        measured = measured && over;
        ahead = ahead && over && over->interval.point > 0 && over->interval.low > 0;
        of_user[kind] = ppl(noise);
        of_user["over_" + kind] = to_json(over);
        if (!over) continue;
        pool(pooled[kind].first, *real);
        pool(pooled[kind].second, *noise);
      }
      std::optional<bool> passed;
      if (failed)
        passed = false;
      else if (measured)
        passed = ahead;
      tally.add(passed);
      of_user["passed"] = to_json(passed);
      numbers["users"][user] = std::move(of_user);
    }
    numbers["passed"] = tally.yes;
    for (const std::string& kind : kinds) {
      const auto over = finding.compare(&pooled[kind].first, &pooled[kind].second);
      numbers["over_" + kind] = to_json(over);
      if (format != "norm" || !over) continue;
      if (!finding.interval || over->interval.point < finding.interval->interval.point) finding.interval = over;
    }
    if (format == "norm") of_norm = tally;
  }
  finding.holds = of_norm.most();
  finding.sentence =
      "Trained on the user's own text, norm-only was surely better than trained on uniform and on "
      "shuffled tokens for " +
      share(of_norm.yes, of_norm.all(), "user") + ".";
  if (finding.interval)
    finding.sentence += " Over everyone's text its perplexity was " + lower_than(*finding.interval) +
                        " that of the closer kind of noise " + interval(*finding.interval) + ".";
  if (finding.holds == false) finding.sentence += " Its gain is not shown to be more than regularisation.";
  if (!finding.holds) {
    finding.reason = count(of_norm.unmeasured, "user") + " not measured";
    finding.sentence = capital("undecided, " + finding.reason + ". ") + finding.sentence;
  }
  return finding;
}

}  // namespace tern::verdict
