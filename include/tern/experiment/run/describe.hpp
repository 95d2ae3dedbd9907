#pragma once
/// What results say of build, base and users.
#include <fstream>
#include <set>
#include <string>

#include "tern/core/quote.hpp"
#include "tern/experiment/base.hpp"
#include "tern/experiment/results.hpp"
#include "tern/experiment/users.hpp"
#include "tern/kernels/kernels.hpp"
#include "tern/version.hpp"

namespace tern {

inline std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown";
}

inline std::string compiler_name() {
#if defined(__clang__)
  return "Clang " __clang_version__;
#elif defined(__GNUC__)
  return "GCC " __VERSION__;
#else
  return "unknown";
#endif
}

inline BuildRecord describe_build(const std::string& commit, const Pass& pass, Index threads) {
  const kernels::Table& table = pass.kernels != nullptr ? *pass.kernels : kernels::best_table();
  return {std::string(version), commit, compiler_name(), std::string(kernels::name(table.isa)), cpu_name(), threads};
}

inline BaseRecord describe_base(const Base& base) {
  const ModelConfig& config = base.model.config;
  return {base.name,     base.fingerprint,     config.architecture, parameters(config),         gains(config),
          gain_vectors(config), base.formats(), base.bytes,          base.ternary.has_value()};
}

inline UserRecord describe_user(const User& u) {
  UserRecord r;
  r.name = u.name, r.population = u.population, r.kind = u.kind, r.language = u.language;
  for (const Owner& o : u.owners) {
    r.owners.push_back(o.service + ": " + shown(o.name) + " (" + (o.guessed ? "guessed: " : "") + o.reason + ")");
    r.guessed_owner = r.guessed_owner || o.guessed;
  }
  r.documents = u.documents, r.bytes = u.bytes;
  r.train_tokens = u.train_tokens(), r.validation_tokens = u.validation_tokens(), r.held_out_tokens = u.held_out_tokens();
  r.split = u.method, r.one_work = u.one_work, r.split_hash = u.split_hash;
  r.duplicates_removed = u.duplicates_removed, r.replaced = u.replaced;
  for (const auto& [pii, count] : u.scrubbed) r.scrubbed[pii] = count;
  r.skipped = u.skipped_by_reason();
  for (const Skipped& s : u.skipped) r.files.emplace_back(s.name, s.reason);
  return r;
}

/// "attention_output, down: 30 layers": where adapters sit.
template <class Sites>
std::string describe_sites(const Sites& sites) {
  std::set<std::string> names;
  std::set<Index> layers;
  for (const SiteId id : sites) {
    names.insert(std::string(name(id.site)));
    if (id.layer >= 0) layers.insert(id.layer);
  }
  std::string all;
  for (const std::string& n : names) all += (all.empty() ? "" : ", ") + n;
  return all + ": " + std::to_string(layers.size()) + (layers.size() == 1 ? " layer" : " layers");
}

}  // namespace tern
