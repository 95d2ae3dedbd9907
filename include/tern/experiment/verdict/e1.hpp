#pragma once
#include <optional>
#include <string>
#include <vector>

#include "tern/experiment/verdict/evidence.hpp"
#include "tern/experiment/verdict/words.hpp"

namespace tern::verdict {

/// The formats that norm-only must beat, of those that were run. A size-matched LoRA is reported beside them.
inline std::vector<std::string> rivals(const Evidence& evidence) {
  std::vector<std::string> out;
  for (const char* format : {"lora-r4", "full"})
    if (evidence.ran(format)) out.emplace_back(format);
  return out;
}

/// A run's losses on its own text, or on one eval text of it.
inline std::optional<Losses> scored(const Evidence& evidence, const Setting& setting, std::optional<Index> text) {
  const Losses* own = evidence.own(setting);
  if (own == nullptr) return std::nullopt;
  Losses out = text ? on_text(*own, *text) : *own;
  return out.empty() ? std::nullopt : std::optional(std::move(out));
}

/// Whether `format` has a lower perplexity than every one of `against` for this user; a tie is not lower. A format that
/// failed has lost, a rival that failed is beaten; nothing where a run that matters is missing.
inline std::optional<bool> lowest(const Evidence& evidence, const std::string& format,
                                  const std::vector<std::string>& against, const std::string& user,
                                  std::optional<Index> seed = {}, std::optional<Index> text = {}) {
  if (evidence.failed({format, user, "real", seed})) return false;
  const auto own = scored(evidence, {format, user, "real", seed}, text);
  if (!own) return std::nullopt;
  bool complete = !against.empty();
  for (const std::string& rival : against) {
    if (evidence.failed({rival, user, "real", seed})) continue;
    const auto other = scored(evidence, {rival, user, "real", seed}, text);
    if (other && !(log_ppl(*own) < log_ppl(*other))) return false;
    complete = complete && other.has_value();
  }
  return complete ? std::optional(true) : std::nullopt;
}

/// E1, formats: does norm-only have the lowest perplexity for every user (STRICT), against LoRA-r4 and full
/// fine-tuning? numbers: "users", "won"; "lowest" {user: true, false or null}; "ppl" {user: {"base" and format: ppl}};
/// "margins" {format: {user: margin of norm-only over it}}; "pooled" {format: the margin over all users' text};
/// "best_rival", the rival with the smallest pooled margin, whose interval is the verdict's.
inline Finding e1(const Evidence& evidence) {
  const auto against = rivals(evidence);
  if (!evidence.ran("norm")) return undecided("norm-only was not run");
  if (against.empty()) return undecided("neither LoRA-r4 nor full fine-tuning was run");

  Finding finding;
  auto& numbers = finding.numbers;
  Tally tally;
  Index failed = 0, failed_rivals = 0;
  for (const std::string& user : evidence.users()) {
    const auto won = lowest(evidence, "norm", against, user);
    tally.add(won);
    numbers["lowest"][user] = to_json(won);
    failed += evidence.failed({"norm", user});
    for (const std::string& rival : against) failed_rivals += evidence.failed({rival, user});
    numbers["ppl"][user]["base"] = ppl(evidence.base(user));
    for (const std::string& format : evidence.formats())
      if (evidence.run({format, user}) != nullptr) numbers["ppl"][user][format] = ppl(evidence.own({format, user}));
  }
  numbers["users"] = tally.all();
  numbers["won"] = tally.yes;

  std::string best;
  for (const std::string& format : evidence.formats()) {
    if (format == "norm" || !evidence.ran(format)) continue;
    Losses norm, other;
    for (const std::string& user : evidence.users()) {
      const Losses *a = evidence.own({"norm", user}), *b = evidence.own({format, user});
      const auto over = finding.compare(a, b);
      numbers["margins"][format][user] = to_json(over);
      if (!over) continue;
      pool(norm, *a);
      pool(other, *b);
    }
    const auto pooled = finding.compare(&norm, &other);
    numbers["pooled"][format] = to_json(pooled);
    const bool rival = std::find(against.begin(), against.end(), format) != against.end();
    if (rival && pooled && (!finding.interval || pooled->interval.point < finding.interval->interval.point)) {
      finding.interval = pooled;
      best = format;
    }
  }
  numbers["best_rival"] = best.empty() ? nlohmann::json() : nlohmann::json(best);

  std::vector<std::string> names;
  for (const std::string& rival : against) names.push_back(spoken(rival));
  finding.holds = tally.every();
  finding.sentence = "Norm-only had the lowest perplexity for " + share(tally.yes, tally.all(), "user") + ", against " +
                     enumerate(names) + (finding.holds == false ? ": it does not win for every user." : ".");
  if (finding.interval)
    finding.sentence += " Over everyone's text its perplexity was " + lower_than(*finding.interval) + " that of " +
                        spoken(best) + ", the best rival " + interval(*finding.interval) + ".";
  finding.sentence += note(failed, "norm-only run", "failed and counts as lost", "failed and count as lost") +
                      note(failed_rivals, "rival run", "failed and counts as beaten", "failed and count as beaten");
  if (!finding.holds) {
    finding.reason = count(tally.unmeasured, "user") + " not measured";
    finding.sentence = capital("undecided, " + finding.reason + ". ") + finding.sentence;
  }
  return finding;
}

}  // namespace tern::verdict
