#pragma once
/// E6: do adapters work on a ternary base, and is what they gain there personal or repair?
#include "tern/experiment/experiments/composition.hpp"

namespace tern::experiments::ternary_base {

using experiments::kept;

inline constexpr composition::Coarse coarse = {"E6", "ternary", "ternary"};

inline void needs(const Design& design, const Needs& need) {
  if (design.ternary_twin) composition::needs(coarse, design, need);
}
inline void measure(const Evidence& evidence, Finding& finding) { composition::measure(coarse, evidence, finding); }
inline void conclude(const Evidence& evidence, Finding& finding) { composition::conclude(coarse, evidence, finding); }

inline constexpr Experiment experiment = {
    "E6", "Ternary base", "Do adapters work on a ternary base, and is what they gain there personal?", needs, measure, conclude};

}  // namespace tern::experiments::ternary_base
