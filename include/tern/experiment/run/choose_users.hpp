#pragma once
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "tern/experiment/results.hpp"
#include "tern/text/content_hash.hpp"

namespace tern {

/// At most `most` users (0: all), in the order of `users`: one of each kind in turn, within a kind by a hash of `purpose`
/// and their text, so that nobody chooses them and a user more changes little.
inline std::vector<std::string> spread_over_kinds(const std::vector<UserRecord>& users, Index most,
                                                  const std::string& purpose) {
  std::map<std::string, std::vector<std::pair<std::uint64_t, std::string>>> kinds;
  for (const UserRecord& u : users) kinds[u.kind].emplace_back(content_hash(purpose + u.split_hash), u.name);
  std::vector<std::vector<std::pair<std::uint64_t, std::string>>> queues;
  for (auto& [kind, queue] : kinds) {
    std::sort(queue.begin(), queue.end());
    queues.push_back(std::move(queue));
  }
  std::sort(queues.begin(), queues.end());
  const std::size_t wanted = most <= 0 ? users.size() : std::min(users.size(), static_cast<std::size_t>(most));
  std::vector<std::string> chosen, in_order;
  for (std::size_t round = 0; chosen.size() < wanted; ++round)
    for (const auto& queue : queues)
      if (round < queue.size() && chosen.size() < wanted) chosen.push_back(queue[round].second);
  for (const UserRecord& u : users)
    if (std::find(chosen.begin(), chosen.end(), u.name) != chosen.end()) in_order.push_back(u.name);
  return in_order;
}

}  // namespace tern
