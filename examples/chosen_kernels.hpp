#pragma once
/// Which kernels a program runs: those that the environment's TERN_ISA names, or else the best. The library never reads
/// the environment, so programs do.
#include <cstdlib>
#include <string>

#include "tern/core/error.hpp"
#include "tern/kernels/kernels.hpp"

/// Throws ValueError where TERN_ISA is no instruction set that runs here, naming those that do.
inline const tern::kernels::Table& chosen_kernels() {
  using namespace tern::kernels;
  const char* wanted = std::getenv("TERN_ISA");
  if (wanted == nullptr || *wanted == '\0') return best_table();
  std::string known;
  for (const Isa isa : runnable_isas()) {
    if (name(isa) == wanted) return table(isa);
    known += (known.empty() ? "" : ", ") + std::string(name(isa));
  }
  throw tern::ValueError("TERN_ISA: expected one of " + known + ", got '" + wanted + "'");
}
