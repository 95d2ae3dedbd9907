#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tern/experiment/verdict/e1.hpp"
#include "tern/experiment/verdict/e9.hpp"

namespace tern::verdict {

/// Which adapter a fleet should use, from the findings: norm-only if E1, E3 and E4 hold, and E2 where it was decided;
/// else LoRA-r4 if its own E4 holds or it beats norm-only for most users; else clusters of similar users with a small
/// adapter of their own, which are not part of this run. holds: norm-only stays the default. numbers: "default"
/// ("norm", "lora-r4", "cluster", or null), "experiments" {name: true, false or null}, "lora_r4_wins", "fleet" (E9's
/// entry of the default, or null).
inline Finding tree(const Evidence& evidence, const std::map<std::string, Finding>& findings) {
  const auto holds = [&](const std::string& name) {
    const auto found = findings.find(name);
    return found == findings.end() ? std::nullopt : found->second.holds;
  };
  Finding finding;
  auto& numbers = finding.numbers;
  std::vector<std::string> failed, open;
  for (const char* name : {"E1", "E2", "E3", "E4"}) {
    const auto held = holds(name);
    numbers["experiments"][name] = to_json(held);
    if (held == false) failed.emplace_back(name);
    if (!held && name != std::string("E2")) open.emplace_back(name);
  }
  for (const auto& [name, found] : findings) finding.comparisons += found.comparisons;

  Tally wins;
  for (const std::string& user : evidence.users()) wins.add(lowest(evidence, "lora-r4", {"norm"}, user));
  const auto beats = evidence.ran("lora-r4") ? wins.most() : std::optional(false);
  std::optional<bool> personal;
  if (const auto e4 = findings.find("E4"); e4 != findings.end() && e4->second.numbers.contains("formats")) {
    const auto& formats = e4->second.numbers["formats"];
    if (!formats.contains("lora-r4"))
      personal = false;
    else if (const auto& held = formats["lora-r4"]["holds"]; !held.is_null())
      personal = held.get<bool>();
  }
  if (!evidence.ran("lora-r4")) personal = false;
  numbers["lora_r4_wins"] = wins.yes;

  std::string choice;
  const std::string why = enumerate(failed) + (failed.size() == 1 ? " does" : " do") + " not hold";
  if (failed.empty() && open.empty()) {
    finding.holds = true;
    choice = "norm";
    finding.sentence = "Norm-only stays the default: E1, E3 and E4 hold" +
                       std::string(holds("E2") ? ", and so does E2." : "; E2 was not decided.");
  } else if (failed.empty()) {
    finding.reason = enumerate(open) + (open.size() == 1 ? " was" : " were") + " not run or not decided";
    finding.sentence = "No default was chosen: " + finding.reason + ".";
  } else if (personal == true || beats == true) {
    finding.holds = false;
    choice = "lora-r4";
    finding.sentence = "LoRA-r4 becomes the default, as " + why + " for norm-only: LoRA-r4 " +
                       (beats == true ? "beats norm-only for " + share(wins.yes, wins.all(), "user")
                                      : std::string("gives most users a gain of their own")) +
                       ".";
  } else if (personal == false && beats == false) {
    finding.holds = false;
    choice = "cluster";
    finding.sentence = "Neither norm-only nor LoRA-r4 earns its place, as " + why +
                       " for norm-only and LoRA-r4 does no better: clusters of similar users with a small adapter of "
                       "their own come next (E8), which were not run here.";
  } else {
    finding.reason = why + " for norm-only, and LoRA-r4 was not measured enough to take its place";
    finding.sentence = "No default was chosen: " + finding.reason + ".";
  }

  numbers["default"] = choice.empty() ? nlohmann::json() : nlohmann::json(choice);
  numbers["fleet"] = nullptr;
  if (const auto e9 = findings.find("E9"); e9 != findings.end() && e9->second.numbers.contains("formats"))
    if (const auto& formats = e9->second.numbers["formats"]; formats.contains(choice)) {
      numbers["fleet"] = formats[choice];
      std::vector<std::string> costs;
      for (const auto& [name, users] : fleets)
        costs.push_back(formats[choice]["fleets"][name]["words"].get<std::string>() + " for " + name + " users");
      finding.sentence += " It costs " + enumerate(costs) + ".";
    }
  return finding;
}

}  // namespace tern::verdict
