#pragma once
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "tern/core/error.hpp"
#include "tern/experiment/verdict/e1.hpp"
#include "tern/experiment/verdict/e12.hpp"
#include "tern/experiment/verdict/e2.hpp"
#include "tern/experiment/verdict/e3.hpp"
#include "tern/experiment/verdict/e4.hpp"
#include "tern/experiment/verdict/e6.hpp"
#include "tern/experiment/verdict/e9.hpp"
#include "tern/experiment/verdict/tree.hpp"

namespace tern {

/// The verdicts of a shootout, from the keys "protocol", "users", "adapters" and "cells" of its results document:
///   {"E1": {"holds": true, false or null, "reason" (where null), "sentence", "numbers", "interval" (or null),
///           "comparisons"}, ..., "tree": {the same, and "default"}}
/// Experiments outside protocol.experiments are absent. "numbers" is described at each experiment; intervals and
/// margins are {"point", "low", "high", "chunks"}. Whatever is not finite is null. The same document gives the same
/// verdicts. Throws FormatError where the document breaks its form, ValueError where chunks that should pair up do not.
inline nlohmann::json verdicts(const nlohmann::json& results) {
  using Judge = verdict::Finding (*)(const verdict::Evidence&);
  static const std::map<std::string, Judge> judges = {{"E1", verdict::e1},  {"E2", verdict::e2}, {"E3", verdict::e3},
                                                      {"E4", verdict::e4},  {"E6", verdict::e6}, {"E9", verdict::e9},
                                                      {"E12", verdict::e12}};
  try {
    const verdict::Evidence evidence(results);
    std::map<std::string, verdict::Finding> findings;
    for (const auto& name : results.at("protocol").at("experiments"))
      if (const auto judge = judges.find(name); judge != judges.end())
        findings[name.get<std::string>()] = judge->second(evidence);

    nlohmann::json out = nlohmann::json::object();
    for (const auto& [name, finding] : findings) out[name] = to_json(finding);
    const auto choice = verdict::tree(evidence, findings);
    out["tree"] = to_json(choice);
    out["tree"]["default"] = choice.numbers["default"];
    return out;
  } catch (const nlohmann::json::exception& e) {
    throw FormatError(std::string("results: ") + e.what());
  }
}

}  // namespace tern
