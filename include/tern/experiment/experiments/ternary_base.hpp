#pragma once
/// E6: do adapters work on a ternary base, and is what they gain there personal or repair?
#include <cmath>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tern/experiment/experiments/compare.hpp"
#include "tern/experiment/experiments/experiment.hpp"
#include "tern/experiment/experiments/sentences.hpp"

namespace tern::experiments::ternary_base {

inline constexpr const char* ternary = "ternary";

/// The champion of one user on the ternary base.
inline Setting own(const std::string& champion, const std::string& user) {
  return {.contender = champion, .user = user, .weights = ternary};
}
/// Everybody's: trained on generic text on the ternary base, so that repair is not called personal.
inline Setting healed(const std::string& champion, const std::string& generic) {
  return {.contender = champion, .data = {Data::Kind::generic, generic}, .weights = ternary};
}

inline void needs(const Design& design, const Needs& need) {
  const std::string& champion = design.options.roles.champion;
  if (!design.ternary_twin || design.options.weights || !design.options.runs(champion)) return;
  std::set<std::string> generic;
  for (const UserRecord& u : design.users) {
    need({.setting = own(champion, u.name)});
    if (const auto at = design.generic.find(u.name); at != design.generic.end()) generic.insert(at->second);
  }
  for (const std::string& name : generic) need({.setting = healed(champion, name), .everybody = true});
}

/// (dense base - ternary own) / (dense base - dense own), nats per token: what is kept of the gain on the dense base.
/// Means over users first, since one user's ratio explodes where the own gain is small. With R the ratio of the means
/// x and y, the interval is R -+ t(n - 1) s/(y sqrt(n)), s the deviation of x_u - R y_u (delta method). Nothing unless
/// the gain on the dense base is above 0 with its whole interval, and for fewer than two users.
inline std::optional<statistics::Interval> kept(const std::vector<double>& ternary_own, const std::vector<double>& dense_own,
                                                double level) {
  if (ternary_own.size() < 2 || !(statistics::t_interval(dense_own, level).low > 0)) return std::nullopt;
  const double x = statistics::moments(ternary_own).mean, y = statistics::moments(dense_own).mean, ratio = x / y;
  std::vector<double> left;
  for (std::size_t u = 0; u < ternary_own.size(); ++u) left.push_back((ternary_own[u] - ratio * dense_own[u]) / y);
  const auto reach = statistics::t_interval(left, level);
  return statistics::Interval{ratio, ratio + reach.low, ratio + reach.high};
}

namespace detail {

/// Gains over the dense base of all users who have both.
struct Gains {
  std::vector<double> base, ternary_own, dense_own;  ///< base: of the ternary base, mostly below 0
};

inline Gains gains(const Evidence& evidence) {
  Gains all;
  const std::string& champion = evidence.roles().champion;
  for (const UserRecord& u : evidence.users()) {
    const auto base = difference(evidence, {base_setting(ternary), base_setting()}, u.name);
    const auto there = difference(evidence, {own(champion, u.name), base_setting()}, u.name);
    const auto here = gain(evidence, {.contender = champion, .user = u.name}, u.name);
    if (!base || !there || !here) continue;
    all.base.push_back(*base);
    all.ternary_own.push_back(*there);
    all.dense_own.push_back(*here);
  }
  return all;
}

inline std::string share_between(const statistics::Interval& i) {
  return words::percent(i.point) + " [" + words::percent(i.low) + ", " + words::percent(i.high) + "]";
}

}  // namespace detail

inline void measure(const Evidence& evidence, Finding& finding) {
  const std::string& champion = evidence.roles().champion;
  if (!evidence.ran(champion, Data::Kind::real, ternary)) return;
  const auto users = user_names(evidence);
  const std::string title = evidence.title(champion);
  finding.claims.push_back(compare(evidence, {.a = title + " on the ternary base", .b = "the same on the dense base", .family = "E6"},
                                   users, [&](const std::string& user) {
                                     return Pair{own(champion, user), {.contender = champion, .user = user}};
                                   }));
  if (evidence.ran(champion, Data::Kind::generic, ternary))
    finding.claims.push_back(
        compare(evidence, {.a = title + " of the person on the ternary base", .b = "the shared one that heals it", .family = "E6"},
                users, [&](const std::string& user) -> std::optional<Pair> {
                  const auto generic = evidence.protocol().generic.find(user);
                  if (generic == evidence.protocol().generic.end()) return std::nullopt;
                  return Pair{own(champion, user), healed(champion, generic->second)};
                }));

  const double level = 1 - evidence.protocol().alpha;
  const detail::Gains g = detail::gains(evidence);
  Table table{.title = "Against the dense base", .columns = {"", "gain, nats per token", "margin"}};
  for (const auto& [what, nats] : {std::pair{"ternary base", &g.base}, {"ternary base with own adapters", &g.ternary_own},
                                   {"dense base with own adapters", &g.dense_own}})
    if (const auto mean = mean_of(*nats, level)) {
      const auto m = statistics::margin(*mean);
      table.rows.push_back({what, words::fixed(mean->point, 3), words::margin_between(m.point, m.low, m.high)});
    }
  if (const auto share = kept(g.ternary_own, g.dense_own, level)) {
    table.rows.push_back({"kept of the gain on the dense base", "", detail::share_between(*share)});
    finding.numbers = {{"kept", share->point}, {"kept, low", share->low}, {"kept, high", share->high}};
  } else {
    finding.notes.push_back("What is kept has no meaning: " + title + " gain nothing that is certain on the dense base.");
  }
  if (const auto mean = mean_of(g.base, level)) finding.numbers.emplace_back("margin of the ternary base", statistics::margin(mean->point));
  table.note = "Kept: (dense base − ternary own) / (dense base − dense own) of users' means; below 0 where own adapters do not make up for "
               "ternary weights.";
  finding.tables.push_back(std::move(table));
}

inline void conclude(const Evidence& evidence, Finding& finding) {
  const ProtocolRecord& protocol = evidence.protocol();
  note_left_out(finding.claims, finding.notes);
  finding.tables.insert(finding.tables.begin(), claim_table("Answers", finding.claims, protocol));
  finding.answer = finding.claims.front().answer;
  finding.reason = finding.claims.front().reason;
  finding.sentence = sentences(finding.claims, protocol);
  const detail::Gains g = detail::gains(evidence);
  if (const auto share = kept(g.ternary_own, g.dense_own, 1 - protocol.alpha))
    finding.sentence += " Kept of the gain on the dense base: " + detail::share_between(*share) + ".";
  if (finding.claims.size() == 1)
    finding.sentence += " No shared adapter was trained, so that personal gain cannot be told from repair.";
}

inline constexpr Experiment experiment = {
    "E6", "Ternary base", "Do adapters work on a ternary base, and is what they gain there personal?", needs, measure, conclude};

}  // namespace tern::experiments::ternary_base
