#pragma once
/// What makes a gain personal: the comparisons of E3 and E4, which the decision rests on.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "tern/experiment/experiments/compare.hpp"

namespace tern::experiments {

/// A contender's claims of E3 and E4 are one family.
inline std::string personal_family(const Evidence& evidence, const std::string& contender) {
  return contender == evidence.roles().champion ? "E3+E4" : "E3+E4 of " + contender;
}

/// Those that ran, the champion first.
inline std::vector<std::string> champion_first(const Evidence& evidence) {
  std::vector<std::string> all = evidence.contenders();
  std::stable_partition(all.begin(), all.end(), [&](const std::string& c) { return c == evidence.roles().champion; });
  return all;
}

/// The other users who write the same language.
inline std::vector<std::string> same_language(const Evidence& evidence, const std::string& user) {
  std::vector<std::string> peers;
  for (const UserRecord& u : evidence.users())
    if (u.name != user && u.language == evidence.user(user).language) peers.push_back(u.name);
  return peers;
}

/// A user's adapter trained on other data; nothing where there is no generic text for the user.
inline std::optional<Setting> control(const Evidence& evidence, const std::string& contender, const std::string& user,
                                      Data::Kind kind) {
  Setting s{.contender = contender, .user = user, .data = {kind}};
  if (kind != Data::Kind::generic) return s;
  const auto generic = evidence.protocol().generic.find(user);
  if (generic == evidence.protocol().generic.end()) return std::nullopt;
  s.data.name = generic->second;
  return s;
}

/// E3: a user's adapter against the same trained on generic text.
inline Pairing own_over_generic(const Evidence& evidence, const std::string& contender) {
  return [&evidence, contender](const std::string& user) -> std::optional<Pair> {
    const auto generic = control(evidence, contender, user, Data::Kind::generic);
    if (!generic) return std::nullopt;
    return Pair{{.contender = contender, .user = user}, *generic};
  };
}

/// E4: a user's adapter against whichever other user's does best on the user's text, among `others`. That picks the
/// others' luck as well, so it can only make the user's own look smaller.
inline Pairing own_over_best(const Evidence& evidence, const std::string& contender,
                             std::vector<std::string> (*others)(const Evidence&, const std::string&) = same_language) {
  return [&evidence, contender, others](const std::string& user) -> std::optional<Pair> {
    std::optional<double> best;
    std::optional<Pair> pair;
    for (const std::string& other : others(evidence, user)) {
      const Setting s{.contender = contender, .user = other};
      const auto g = gain(evidence, s, user);
      if (!g || (best && *g <= *best)) continue;
      best = g;
      pair = Pair{{.contender = contender, .user = user}, s};
    }
    return pair;
  };
}

/// A claim over fewer than the least users because the others have no control is void. `have` says which control, as in
/// "have generic text of their language".
inline void void_without_control(const Evidence& evidence, Claim& claim, Index controlled, const std::string& have) {
  const Index all = static_cast<Index>(evidence.users().size());
  const Index least = rules(evidence.protocol()).least_users;
  if (controlled >= least || controlled == all) return;
  make_void(claim, (controlled == 0 ? "" : "only ") + words::some_of(controlled, all, "user") + " " + have + ", " +
                       std::to_string(std::min(least, all)) + " are needed");
}

/// E3 holds: better than generic text, by the margin at least.
inline bool holds_over_generic(const Claim& c, const ProtocolRecord& protocol) {
  return c.answer == Answer::better && c.margin().point >= protocol.margin;
}

/// E4 holds: better than the best other of the same language, by the margin at least at the interval's lower end.
inline bool holds_over_others(const Claim& c, const ProtocolRecord& protocol) {
  return c.answer == Answer::better && c.margin().low >= protocol.margin;
}

}  // namespace tern::experiments
