#pragma once
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tern/experiment/verdict/evidence.hpp"
#include "tern/experiment/verdict/words.hpp"

namespace tern::verdict {

/// The fleets whose cost is told, by name.
inline constexpr std::pair<const char*, double> fleets[] = {{"215,000", 215e3}, {"10,000,000", 10e6}};

/// Bytes in words, two digits: 1935000000 -> "1.9 GB", 645e9 -> "645 GB".
inline std::string fleet_bytes(double bytes) {
  const char* units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  std::size_t unit = 0;
  for (; bytes >= 999.5 && unit + 1 < std::size(units); ++unit) bytes /= 1000;
  return report::fixed(bytes, unit > 0 && bytes < 9.95 ? 1 : 0) + " " + units[unit];
}

/// E9, storage: bytes a user as stored on disk, the median of each format's runs, and what a fleet of users costs. A
/// cost, not a claim. numbers: "formats" {format: {"bytes", "users", "fleets": {name: {"bytes", "words"}}}}.
inline Finding e9(const Evidence& evidence) {
  Finding finding;
  finding.reason = "a cost, not a claim";
  std::vector<std::string> costs;
  for (const std::string& format : evidence.formats()) {
    std::vector<double> bytes;
    for (const std::string& user : evidence.users())
      if (const Run* run = evidence.run({format, user}); run != nullptr && !run->failed) bytes.push_back(run->bytes);
    const auto each = median(bytes);
    if (!each) continue;
    nlohmann::json numbers = {{"bytes", *each}, {"users", bytes.size()}};
    std::vector<std::string> words;
    for (const auto& [name, users] : fleets) {
      words.push_back(fleet_bytes(*each * users));
      numbers["fleets"][name] = {{"bytes", std::llround(*each * users)}, {"words", words.back()}};
    }
    finding.numbers["formats"][format] = std::move(numbers);
    costs.push_back(spoken(format) + " " + fleet_bytes(*each) + " a user, " + enumerate(words));
  }
  if (costs.empty()) return undecided("no run finished");
  finding.sentence = "On disk, with fleets of 215,000 and 10,000,000 users: ";
  for (std::size_t i = 0; i < costs.size(); ++i) finding.sentence += (i == 0 ? "" : "; ") + costs[i];
  finding.sentence += ".";
  return finding;
}

}  // namespace tern::verdict
