#pragma once
/// Who takes part in tests and benchmarks of kernels: a table for every instruction set that runs here, and kernels of
/// one's own beside them. To add yours, include its header and write one row (docs/adding_a_kernel.md).
#include <string_view>
#include <vector>

#include "07_custom_kernel/plain_ternary.hpp"
#include "tern/kernels/kernels.hpp"

namespace tern::benchmark {

/// Kernels on trial: the best table that runs here, with the entries that `put` replaces.
struct OwnKernels {
  std::string_view name;
  void (*put)(kernels::Table& table);
};

inline constexpr OwnKernels own_kernels[] = {
    {"plain_ternary", [](kernels::Table& table) { table.f32.ternary_matmul = example::ternary_matmul; }},
};

/// A table and its name; table.isa is what its limits are.
struct Contestant {
  std::string_view name;
  kernels::Table table;
  bool own;
};

/// Everyone, the reference first.
inline const std::vector<Contestant>& contestants() {
  static const std::vector<Contestant> all = [] {
    std::vector<Contestant> found;
    for (const kernels::Isa isa : kernels::runnable_isas()) found.push_back({name(isa), kernels::table(isa), false});
    for (const OwnKernels& own : own_kernels) {
      found.push_back({own.name, kernels::best_table(), true});
      own.put(found.back().table);
    }
    return found;
  }();
  return all;
}

}  // namespace tern::benchmark
