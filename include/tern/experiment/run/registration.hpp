#pragma once
/// What is fixed before the first task, on disk before it, so that a later change shows.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tern/experiment/experiments/experiment.hpp"
#include "tern/experiment/results_json.hpp"
#include "tern/experiment/run/choose_users.hpp"
#include "tern/experiment/run/hooks.hpp"
#include "tern/io/atomic_file.hpp"

namespace tern {

/// A run as it was registered.
struct Registration {
  ShootoutOptions options;            ///< of the contenders asked for, those that can run
  std::vector<Contender> contenders;  ///< these, in that order
  std::vector<UserRecord> users;
  ProtocolRecord protocol;  ///< with its hash
  std::string calibration;  ///< name of the calibration's file: it outlives a change of pilots and validation
  bool ternary_twin = false, four_bits = false;

  std::vector<std::string> pilots() const { return spread_over_kinds(users, options.pilots, "pilot"); }
  /// Of the budgets that `measured` was calibrated to.
  experiments::Design design(const ProtocolRecord& measured) const {
    experiments::Design design{.options = options, .users = users, .generic = protocol.generic, .ternary_twin = ternary_twin, .four_bits = four_bits};
    for (const ContenderRecord& c : protocol.contenders)
      if (c.trains_base) design.copies.insert(c.name);
    for (const auto& [contender, budget] : measured.calibration) design.steps[contender] = budget.steps;
    design.sweep = spread_over_kinds(users, options.sweep_users, "sweep");
    design.seeded = spread_over_kinds(users, options.seed_users, "sweep");
    return design;
  }
};

/// Writes `registered`, which has no adapters and cells yet, to `out`/results.json, unless results of the same protocol
/// are there. Results of another one are kept beside it under their hash, what cannot be read as
/// results-unreadable.json, and `hooks.note` says so. Throws IoError.
inline void register_protocol(const std::filesystem::path& out, const Results& registered, const ShootoutHooks& hooks) {
  const auto path = out / "results.json";
  const auto note = [&](const std::string& text) {
    if (hooks.note) hooks.note(text);
  };
  if (std::ifstream file(path, std::ios::binary); file) {
    const std::string text(std::istreambuf_iterator<char>(file), {});
    try {
      const Results earlier = from_json(text, shown(path.string()));
      const std::string& hash = earlier.protocol.hash;
      if (hash == registered.protocol.hash) return;
      if (hash.empty() || hash.find_first_not_of("0123456789abcdef") != std::string::npos)
        throw FormatError("protocol.hash: expected hexadecimal digits, got " + in_quotes(hash));
      const auto kept = out / ("results-" + hash + ".json");
      write_file(kept, text);
      note("the options are others than those of the earlier run in " + in_quotes(out.string()) +
           "; its results are kept in " + kept.filename().string());
    } catch (const FormatError& e) {
      write_file(out / "results-unreadable.json", text);
      note(std::string("an earlier results.json cannot be read and is kept in results-unreadable.json: ") + e.what());
    }
  }
  write_file(path, to_json(registered, {}));
}

}  // namespace tern
