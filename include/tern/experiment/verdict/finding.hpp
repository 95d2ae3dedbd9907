#pragma once
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tern/experiment/verdict/losses.hpp"

namespace tern::verdict {

/// A number as JSON can hold it: null unless finite.
inline nlohmann::json finite_or_null(double x) { return std::isfinite(x) ? nlohmann::json(x) : nlohmann::json(); }

/// A perplexity, null where there is none.
inline nlohmann::json ppl(const Losses* losses) {
  return losses == nullptr ? nlohmann::json() : finite_or_null(std::exp(log_ppl(*losses)));
}

/// {"point", "low", "high", "chunks"}, null where nothing was compared.
inline nlohmann::json to_json(const std::optional<Margin>& margin) {
  if (!margin) return nullptr;
  return {{"point", finite_or_null(margin->interval.point)},
          {"low", finite_or_null(margin->interval.low)},
          {"high", finite_or_null(margin->interval.high)},
          {"chunks", margin->chunks}};
}

inline nlohmann::json to_json(std::optional<double> value) { return value ? finite_or_null(*value) : nlohmann::json(); }

inline nlohmann::json to_json(std::optional<bool> holds) {
  if (!holds) return nullptr;
  return *holds;
}

/// What an experiment says.
struct Finding {
  std::optional<bool> holds{};  ///< nothing: it makes no claim, or cannot be decided
  std::string reason{};         ///< why nothing
  std::string sentence{};       ///< what a person reads
  nlohmann::json numbers = nlohmann::json::object();
  std::optional<Margin> interval{};  ///< of the margin that sums it up
  Index comparisons = 0;             ///< margins computed, each with an interval

  /// As `margin`, counted where there is something to compare.
  std::optional<Margin> compare(const Losses* a, const Losses* b) {
    auto found = margin(a, b);
    if (found) ++comparisons;
    return found;
  }
};

/// A finding that could not be made.
inline Finding undecided(std::string reason) {
  Finding finding;
  finding.sentence = "Undecided: " + reason + ".";
  finding.reason = std::move(reason);
  return finding;
}

inline nlohmann::json to_json(const Finding& f) {
  nlohmann::json out = {{"holds", to_json(f.holds)},
                        {"sentence", f.sentence},
                        {"numbers", f.numbers},
                        {"interval", to_json(f.interval)},
                        {"comparisons", f.comparisons}};
  if (!f.holds) out["reason"] = f.reason;
  return out;
}

/// Votes on a claim, one each user or cell.
struct Tally {
  Index yes = 0, no = 0, unmeasured = 0;

  void add(std::optional<bool> vote) { ++(!vote ? unmeasured : *vote ? yes : no); }
  Index all() const { return yes + no + unmeasured; }
  /// Yes from everybody; nothing where those not measured could still decide it.
  std::optional<bool> every() const {
    if (no > 0) return false;
    return unmeasured > 0 || yes == 0 ? std::nullopt : std::optional(true);
  }
  /// Yes from more than half of all; nothing where those not measured could still decide it.
  std::optional<bool> most() const {
    if (2 * yes > all()) return true;
    return 2 * (yes + unmeasured) > all() || all() == 0 ? std::nullopt : std::optional(false);
  }
};

/// The middle value, or the mean of the middle two; nothing of nothing.
inline std::optional<double> median(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

}  // namespace tern::verdict
