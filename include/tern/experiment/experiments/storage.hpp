#pragma once
/// E9: what does a fleet cost?
#include <array>
#include <string>

#include "tern/experiment/experiments/cost.hpp"
#include "tern/experiment/experiments/experiment.hpp"

namespace tern::experiments::storage {

/// Users of the fleets that are priced.
inline constexpr std::array<double, 2> fleets = {215'000, 10'000'000};

/// One adapter of each contender is enough: all people's are of one size.
inline void needs(const Design& design, const Needs& need) {
  for (const std::string& contender : design.options.contenders)
    need({.setting = {.contender = contender, .user = design.users.front().name}});
}

inline void measure(const Evidence& evidence, Finding& finding) {
  Table table{.title = "Bytes as stored", .columns = {"", "numbers", "a user"}};
  for (const double fleet : fleets) table.columns.push_back(words::grouped(fleet) + " users");
  for (const std::string& c : evidence.contenders()) {
    const auto bytes = stored_bytes(evidence, c);
    if (!bytes) continue;
    auto& row = table.rows.emplace_back();
    row.emplace_back(evidence.title(c));
    row.emplace_back(words::grouped(static_cast<double>(evidence.protocol().contender(c)->parameters)));
    row.emplace_back(words::bytes(*bytes));
    for (const double fleet : fleets) row.emplace_back(words::bytes(*bytes * fleet));
    finding.numbers.emplace_back("bytes a user, " + evidence.title(c), *bytes);
  }
  if (table.rows.empty()) return;
  table.note = "The base, " + words::bytes(static_cast<double>(evidence.results().base.bytes)) + ", is stored once beside them.";
  finding.tables.push_back(std::move(table));
}

inline void conclude(const Evidence& evidence, Finding& finding) {
  finding.answer = Answer::measured;
  for (const std::string& c : evidence.contenders())
    if (const auto bytes = stored_bytes(evidence, c))
      finding.sentence += (finding.sentence.empty() ? "" : " ") + words::capital(evidence.title(c)) + ": " +
                          words::bytes(*bytes) + " a user, " + words::bytes(*bytes * fleets.back()) + " for " +
                          words::grouped(fleets.back()) + " users.";
}

inline constexpr Experiment experiment = {"E9", "Storage", "What does a fleet cost?", needs, measure, conclude};

}  // namespace tern::experiments::storage
