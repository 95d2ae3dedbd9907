#pragma once
#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "tern/experiment/task.hpp"
#include "tern/kernels/kernels.hpp"
#include "tern/version.hpp"

namespace tern {

namespace detail {

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

}  // namespace detail

/// Which tern, built how, on what.
inline nlohmann::json describe_build(const std::string& commit, const Pass& pass, Index threads) {
  const kernels::Table& table = pass.kernels != nullptr ? *pass.kernels : kernels::best_table();
  return {{"version", std::string(version)}, {"commit", commit}, {"compiler", detail::compiler_name()},
          {"isa", std::string(kernels::name(table.isa))}, {"threads", threads}, {"cpu", detail::cpu_name()}};
}

inline nlohmann::json describe(const Base& base) {
  const auto formats = base.formats();
  std::string weights;  // those of a tenth and more
  for (const auto& [format, share] : formats)
    if (share >= 0.1) weights += (weights.empty() ? "" : ", ") + format;
  return {{"name", base.name},
          {"fingerprint", base.fingerprint},
          {"architecture", base.model.config.architecture},
          {"parameters", parameters(base.model.config)},
          {"weights", weights},
          {"types", formats},
          {"bytes", base.bytes},
          {"gains", gains(base.model.config)},
          {"gain_vectors", gain_vectors(base.model.config)}};
}

inline nlohmann::json describe(const User& u) {
  nlohmann::json held_out = nlohmann::json::array(), scrubbed = nlohmann::json::object(), skipped = nlohmann::json::array(),
                 owners = nlohmann::json::array();
  for (const auto& text : u.held_out) held_out.push_back(text.size());
  for (const auto& [pii, count] : u.scrubbed) scrubbed[pii] = count;
  for (const Skipped& s : u.skipped) skipped.push_back({{"name", s.name}, {"reason", s.reason}, {"count", s.count}});
  for (const Owner& o : u.owners)
    owners.push_back({{"service", o.service}, {"name", shown(o.name)}, {"reason", o.reason}, {"guessed", o.guessed}});
  return {{"name", u.name},
          {"kind", u.kind},
          {"language", u.language},
          {"owners", owners},
          {"files", u.documents},
          {"bytes", u.bytes},
          {"tokens", {{"train", u.train_tokens()}, {"validation", u.validation_tokens()}, {"held_out", held_out}}},
          {"split_hash", u.split_hash},
          {"method", u.method},
          {"duplicates_removed", u.duplicates_removed},
          {"replaced_bytes", u.replaced},
          {"scrubbed", scrubbed},
          {"skipped", skipped}};
}

inline nlohmann::json describe(const ShootoutOptions& o, const std::vector<Contender>& table) {
  nlohmann::json rates, titles;
  for (const std::string& f : o.formats) {
    const Contender& c = find_contender(table, f);
    rates[f] = c.rates;
    titles[f] = c.title;
  }
  return {{"context", o.context},
          {"budget", to_json(o.budget)},
          {"seeds", o.seeds},
          {"texts", o.texts},
          {"formats", o.formats},
          {"titles", titles},
          {"experiments", o.experiments},
          {"noise_formats", o.noise_formats},
          {"learning_rate_trials", o.trials},
          {"learning_rates", rates},
          {"trial_share", o.trial_share},
          {"patience", o.patience},
          {"eval_tokens", o.eval_tokens},
          {"validation_tokens", o.validation_tokens},
          {"weights", o.weights_name()},
          {"precision", o.precision},
          {"gradients", o.gradients},
          {"convention", "chunked"}};
}

/// Puts the finished tasks together; verdicts are computed from this alone.
inline nlohmann::json collect_results(const Base& base, const Users& users, const ShootoutOptions& o,
                                      const std::vector<Contender>& table, const std::vector<Task>& tasks,
                                      const Journal& journal, const Pass& pass) {
  nlohmann::json r = {{"tern", describe_build(o.commit, pass, o.threads)},
                      {"base", describe(base)},
                      {"protocol", describe(o, table)},
                      {"users", nlohmann::json::array()},
                      {"left_out", nlohmann::json::array()},
                      {"adapters", nlohmann::json::array()},
                      {"cells", nlohmann::json::array()}};
  for (const User& u : users.users) r["users"].push_back(describe(u));
  for (const LeftOut& l : users.left_out) r["left_out"].push_back({{"name", l.name}, {"reason", l.reason}});
  for (const Task& t : tasks) {
    const auto result = journal.find(t.id);
    if (!result) continue;
    if (result->contains("adapter")) r["adapters"].push_back(result->at("adapter"));
    for (const auto& cell : result->at("cells")) r["cells"].push_back(cell);
  }
  return r;
}

}  // namespace tern
