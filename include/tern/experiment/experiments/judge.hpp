#pragma once
/// From what was measured to what it says.
#include <algorithm>
#include <utility>
#include <vector>

#include "tern/experiment/experiments/all.hpp"
#include "tern/experiment/experiments/decision.hpp"

namespace tern::experiments {

/// Every experiment of the protocol that has evidence is measured; then all claims are adjusted within their families
/// and answered; then each experiment concludes, and the decision follows.
inline Findings judge(const Results& results) {
  const Evidence evidence(results);
  Findings findings;
  std::vector<const Experiment*> ran;
  for (const Experiment& e : all()) {
    const auto& wanted = results.protocol.experiments;
    if (std::find(wanted.begin(), wanted.end(), e.id) == wanted.end()) continue;
    Finding finding{.id = e.id, .title = e.title, .question = e.question};
    e.measure(evidence, finding);
    if (finding.claims.empty() && finding.numbers.empty() && finding.tables.empty() && finding.reason.empty()) continue;
    findings.experiments.push_back(std::move(finding));
    ran.push_back(&e);
  }
  std::vector<Claim*> claims;
  for (Finding& f : findings.experiments)
    for (Claim& c : f.claims) claims.push_back(&c);
  answer_all(claims, results.protocol);
  for (std::size_t i = 0; i < ran.size(); ++i) ran[i]->conclude(evidence, findings.experiments[i]);
  findings.decision = decide(evidence, findings);
  return findings;
}

}  // namespace tern::experiments
