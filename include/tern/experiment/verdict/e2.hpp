#pragma once
#include <optional>
#include <string>
#include <vector>

#include "tern/experiment/verdict/e1.hpp"

namespace tern::verdict {

namespace detail {

/// Runs of norm-only and a rival over all users who have both, on one eval text.
struct Duel {
  Losses norm, rival;
};

inline Duel duel(const Evidence& evidence, const std::string& rival, Index seed, std::optional<Index> text = {}) {
  Duel out;
  for (const std::string& user : evidence.users()) {
    const auto a = scored(evidence, {"norm", user, "real", seed}, text);
    const auto b = scored(evidence, {rival, user, "real", seed}, text);
    if (!a || !b) continue;
    pool(out.norm, *a);
    pool(out.rival, *b);
  }
  return out;
}

inline bool failed_for_all(const Evidence& evidence, const std::string& format, Index seed) {
  return std::all_of(evidence.users().begin(), evidence.users().end(), [&](const std::string& u) {
    return evidence.failed({format, u, "real", seed});
  });
}

}  // namespace detail

/// E2, replication: E1 again for every seed and eval text. A cell is won where the perplexity of norm-only over all
/// users is below every rival's, each compared on the users for whom both finished; one norm-only run that failed loses
/// the cell, a rival that failed for everybody is beaten. Holds if every cell is won. numbers: "cells", "won", "grid"
/// [{"seed", "text", "won", "margins": {rival: margin}}], and, by user, "user_cells", "user_cells_won". interval: over
/// the best rival, all seeds pooled.
inline Finding e2(const Evidence& evidence) {
  const auto against = rivals(evidence);
  if (!evidence.ran("norm")) return undecided("norm-only was not run");
  if (against.empty()) return undecided("neither LoRA-r4 nor full fine-tuning was run");
  if (evidence.seeds().size() < 2) return undecided("one seed only, so nothing was replicated");

  Finding finding;
  auto& numbers = finding.numbers;
  Tally cells, user_cells;
  Index failed = 0;
  for (const Index seed : evidence.seeds()) {
    Index lost = 0;
    for (const std::string& user : evidence.users()) lost += evidence.failed({"norm", user, "real", seed});
    failed += lost;
    for (const Index text : evidence.texts()) {
      nlohmann::json cell = {{"seed", seed}, {"text", text}, {"margins", nlohmann::json::object()}};
      bool ahead = lost == 0, complete = true;
      for (const std::string& rival : against) {
        const auto pair = detail::duel(evidence, rival, seed, text);
        const auto over = finding.compare(&pair.norm, &pair.rival);
        cell["margins"][rival] = to_json(over);
        if (over)
          ahead = ahead && log_ppl(pair.norm) < log_ppl(pair.rival);
        else
          complete = complete && detail::failed_for_all(evidence, rival, seed);
      }
      const auto won = ahead && !complete ? std::nullopt : std::optional(ahead);
      cell["won"] = to_json(won);
      cells.add(won);
      numbers["grid"].push_back(std::move(cell));
      for (const std::string& user : evidence.users())
        user_cells.add(lowest(evidence, "norm", against, user, seed, text));
    }
  }
  numbers["cells"] = cells.all();
  numbers["won"] = cells.yes;
  numbers["user_cells"] = user_cells.all();
  numbers["user_cells_won"] = user_cells.yes;

  std::string best;
  for (const std::string& rival : against) {
    Losses norm, other;
    for (const Index seed : evidence.seeds()) {
      const auto pair = detail::duel(evidence, rival, seed);
      pool(norm, pair.norm);
      pool(other, pair.rival);
    }
    const auto pooled = finding.compare(&norm, &other);
    numbers["pooled"][rival] = to_json(pooled);
    if (!pooled || (finding.interval && pooled->interval.point >= finding.interval->interval.point)) continue;
    finding.interval = pooled;
    best = rival;
  }
  finding.holds = cells.every();
  finding.sentence = "Norm-only had the lowest perplexity over all users in " + share(cells.yes, cells.all(), "cell") +
                     " (" + count(static_cast<Index>(evidence.seeds().size()), "seed") + " by " +
                     count(static_cast<Index>(evidence.texts().size()), "eval text") + "), and user by user in " +
                     share(user_cells.yes, user_cells.all(), "cell") + ".";
  if (finding.interval)
    finding.sentence += " Over everything its perplexity was " + lower_than(*finding.interval) + " that of " +
                        spoken(best) + ", the best rival " + interval(*finding.interval) + ".";
  finding.sentence += note(failed, "norm-only run", "failed and loses its cells", "failed and lose their cells");
  if (!finding.holds) {
    finding.reason = count(cells.unmeasured, "cell") + " not measured";
    finding.sentence = capital("undecided, " + finding.reason + ". ") + finding.sentence;
  }
  return finding;
}

}  // namespace tern::verdict
