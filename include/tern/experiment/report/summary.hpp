#pragma once
/// The words at the top, for both forms of a report.
#include <array>
#include <vector>

#include "tern/experiment/finding.hpp"
#include "tern/experiment/results.hpp"
#include "tern/experiment/words.hpp"

namespace tern::report {

/// How many experiments came to each answer, in the answers' order; those that none came to are left out.
inline std::vector<std::pair<Answer, Index>> tally(const Findings& findings) {
  std::array<Index, 6> counts{};
  for (const Finding& f : findings.experiments) ++counts[static_cast<std::size_t>(f.answer)];
  std::vector<std::pair<Answer, Index>> all;
  for (std::size_t i = 0; i < counts.size(); ++i)
    if (counts[i] > 0) all.emplace_back(static_cast<Answer>(i), counts[i]);
  return all;
}

/// A paragraph's first sentence, with its stop, and what follows.
inline std::pair<std::string, std::string> first_sentence(const std::string& text) {
  const auto stop = text.find(". ");
  if (stop == std::string::npos) return {text, ""};
  return {text.substr(0, stop + 1), text.substr(stop + 2)};
}

/// The reason, where the sentence has not given it already: "Because too few users: 4."
inline std::string because(const std::string& sentence, const std::string& reason) {
  if (reason.empty() || sentence.find(reason) != std::string::npos ||
      sentence.find(words::capital(reason)) != std::string::npos)
    return {};
  return "Reason: " + reason + (reason.back() == '.' ? "" : ".");
}

/// "12 users (personas); hash 0123abcd fixed before the first run".
inline std::string about(const Results& r) {
  std::string line = words::count(static_cast<Index>(r.users.size()), "user");
  std::vector<std::string> populations;
  for (const auto& population : r.populations())
    if (!population.first.empty()) populations.push_back(population.first);
  if (!populations.empty()) line += " (" + words::enumerate(populations) + ")";
  if (r.protocol.seeds > 0) line += ", " + words::count(r.protocol.seeds, "seed");
  if (!r.protocol.hash.empty()) line += "; fixed before the first run: " + r.protocol.hash;
  return line;
}

}  // namespace tern::report
