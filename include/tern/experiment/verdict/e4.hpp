#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tern/experiment/verdict/evidence.hpp"
#include "tern/experiment/verdict/words.hpp"

namespace tern::verdict {

/// What E4 asks of each of its three margins.
inline constexpr double personal_margin = 0.05;

namespace detail {

/// The adapters of everybody but `user`, on that user's text.
struct Others {
  std::optional<Losses> mean;  ///< their mean nll
  const Losses* best = nullptr;
  std::string name_of_best;
};

inline Others others(const Evidence& evidence, const std::string& format, const std::string& user) {
  Others out;
  std::vector<const Losses*> all;
  for (const std::string& other : evidence.users()) {
    const Losses* losses = other == user ? nullptr : evidence.losses({format, other}, user);
    if (losses == nullptr) continue;
    all.push_back(losses);
    if (out.best != nullptr && !(log_ppl(*losses) < log_ppl(*out.best))) continue;
    out.best = losses;
    out.name_of_best = other;
  }
  if (!all.empty()) out.mean = mean(all);
  return out;
}

}  // namespace detail

/// E4, confusion matrix: is the gain the person's own? Own adapter over the base, over the mean and over the best of
/// the others' adapters, on own text. A user passes where all three margins are at least 5%, and not where the own run
/// failed; a format holds if most users pass. The verdict is norm-only's. numbers: "names", the order of the
/// matrices; "formats" {format: {"holds", "passed", "users": {user: {"over_base", "over_mean", "over_best": margin,
/// "best": whose, "passed"}}, "over_base", "over_mean", "over_best": margin over all users' text, "matrix": ppl of
/// each user's adapter (row) on each user's text (column)}}. interval: norm-only's own over the best of the others.
inline Finding e4(const Evidence& evidence) {
  if (evidence.users().size() < 2) return undecided("fewer than two users, so nobody to compare with");
  if (!evidence.ran("norm")) return undecided("norm-only was not run");

  Finding finding;
  finding.numbers["names"] = evidence.users();
  Tally of_norm;
  std::map<std::string, std::optional<Margin>> norm_over;
  for (const std::string& format : evidence.formats()) {
    if (!evidence.ran(format)) continue;
    auto& numbers = finding.numbers["formats"][format];
    Tally tally;
    std::map<std::string, std::pair<Losses, Losses>> pooled;
    for (const std::string& user : evidence.users()) {
      const Losses* own = evidence.own({format, user});
      const auto others = detail::others(evidence, format, user);
      const std::pair<const char*, const Losses*> against[] = {{"over_base", evidence.base(user)},
                                                               {"over_mean", others.mean ? &*others.mean : nullptr},
                                                               {"over_best", others.best}};
      nlohmann::json of_user;
      bool measured = true, enough = true;
      for (const auto& [key, other] : against) {
        const auto over = finding.compare(own, other);
        of_user[key] = to_json(over);
        measured = measured && over;
        if (!over) continue;
        enough = enough && over->interval.point >= personal_margin;
        pool(pooled[key].first, *own);
        pool(pooled[key].second, *other);
      }
      std::optional<bool> passed;
      if (evidence.failed({format, user}))
        passed = false;
      else if (measured)
        passed = enough;
      of_user["best"] = others.best == nullptr ? nlohmann::json() : nlohmann::json(others.name_of_best);
      tally.add(passed);
      of_user["passed"] = to_json(passed);
      numbers["users"][user] = std::move(of_user);

      nlohmann::json row = nlohmann::json::array();
      for (const std::string& reader : evidence.users()) row.push_back(ppl(evidence.losses({format, user}, reader)));
      numbers["matrix"].push_back(std::move(row));
    }
    for (const char* key : {"over_base", "over_mean", "over_best"}) {
      const auto over = finding.compare(&pooled[key].first, &pooled[key].second);
      numbers[key] = to_json(over);
      if (format == "norm") norm_over[key] = over;
    }
    const auto holds = tally.most();
    numbers["passed"] = tally.yes;
    numbers["holds"] = to_json(holds);
    if (format == "norm") of_norm = tally;
  }
  finding.interval = norm_over["over_best"];
  finding.holds = of_norm.most();
  finding.sentence = "With norm-only, " + share(of_norm.yes, of_norm.all(), "user") +
                     " gained at least 5% over the base, over the mean and over the best of the others' adapters.";
  if (norm_over["over_base"] && norm_over["over_mean"] && finding.interval)
    finding.sentence += " Over everyone's text the own adapter's perplexity was " +
                        lower_than(*norm_over["over_base"]) + " the base's, " + lower_than(*norm_over["over_mean"]) +
                        " that of the others' on average and " + lower_than(*finding.interval) +
                        " that of the best of the others " + interval(*finding.interval) + ".";
  if (finding.holds == false) finding.sentence += " The gain is not shown to be the person's own.";
  if (!finding.holds) {
    finding.reason = count(of_norm.unmeasured, "user") + " not measured on everybody's text";
    finding.sentence = capital("undecided, " + finding.reason + ". ") + finding.sentence;
  }
  return finding;
}

}  // namespace tern::verdict
