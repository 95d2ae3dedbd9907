#pragma once
/// E10: do adapters work on a base of 4-bit weights, and is what they gain there personal or repair?
#include "tern/experiment/experiments/composition.hpp"

namespace tern::experiments::four_bit_base {

inline constexpr composition::Coarse coarse = {"E10", "q4", "4-bit"};

/// A base that is stored in 4 bits has no dense one to compare with.
inline void needs(const Design& design, const Needs& need) {
  if (!design.four_bits) composition::needs(coarse, design, need);
}
inline void measure(const Evidence& evidence, Finding& finding) { composition::measure(coarse, evidence, finding); }
inline void conclude(const Evidence& evidence, Finding& finding) { composition::conclude(coarse, evidence, finding); }

inline constexpr Experiment experiment = {
    "E10", "4-bit base", "Do adapters work on a 4-bit base, and is what they gain there personal?", needs, measure, conclude};

}  // namespace tern::experiments::four_bit_base
