#pragma once
/// Options become a registered run: who can run, what each contender is, and the hash of it all.
#include <string>
#include <vector>

#include "tern/experiment/run/describe.hpp"
#include "tern/experiment/run/registration.hpp"
#include "tern/experiment/run/workshop.hpp"
#include "tern/experiment/words.hpp"
#include "tern/io/sha256.hpp"

namespace tern {

/// Bytes that a full fine-tune of so many numbers fills: a copy in floats, its gradients and Adam's two moments. In
/// bf16 those of vectors stay floats, a ten-thousandth of all: not counted.
inline std::uint64_t full_bytes(Index parameters, StateType state = StateType::full) {
  return static_cast<std::uint64_t>(parameters) * (state == StateType::full ? 16 : 10);
}

/// Why a contender cannot run on this model, with the figure; empty: it can.
inline std::string refusal(const Contender& contender, const ModelConfig& model, const ShootoutOptions& options) {
  if (!contender.trains_base) return {};
  const auto w = options.weights;
  if (w && !info(*w).plain) return "the base's weights train, and " + std::string(name(*w)) + " weights cannot";
  const std::uint64_t needed = full_bytes(parameters(model), options.state);
  if (needed <= options.memory) return {};
  const auto bytes = [](std::uint64_t n) { return words::bytes(static_cast<double>(n)); };
  const std::uint64_t narrow = full_bytes(parameters(model), StateType::bf16);
  return "weights, gradients and two moments take " + bytes(needed) + ", of which there are " + bytes(options.memory) +
         (narrow < needed && narrow <= options.memory ? "; with state bf16 they take " + bytes(narrow) : "");
}

/// Numbers and sites of a contender; of one with candidates, which the pilots have yet to choose among, neither.
inline ContenderRecord describe_contender(const Contender& c, const ModelView& view, const ModelConfig& model) {
  ContenderRecord record{c.name, c.title, c.trains_base, 0, ""};
  if (c.candidates) return record;
  AdapterSet<float> set;
  Random random(0);
  c.attach(view, set, random);
  record.parameters = c.trains_base ? parameters(model) : count_parameters(set);
  record.sites = c.trains_base ? "every weight" : describe_sites(set.sites());
  return record;
}

/// Fixes roles, contenders, design and texts, and hashes them. Throws ValueError where the champion is refused.
inline Registration fix(const ShootoutOptions& asked, const std::vector<Contender>& table, const GenericTexts& generic,
                        Workshop& workshop) {
  const Base& base = workshop.base();
  const ModelConfig& model = base.model.config;
  Registration r;
  r.options = asked;
  r.options.contenders.clear();
  r.ternary_twin = base.ternary.has_value();
  r.four_bits = base.is_four_bits();
  ProtocolRecord& p = r.protocol;
  for (const std::string& name : asked.contenders) {
    const Contender& contender = find_contender(table, name);
    if (const std::string why = refusal(contender, model, asked); !why.empty()) {
      p.refused[name] = why;
      continue;
    }
    r.contenders.push_back(contender);
    r.options.contenders.push_back(name);
    p.contenders.push_back(describe_contender(contender, workshop.view(), model));
  }
  if (const auto why = p.refused.find(asked.roles.champion); why != p.refused.end())
    throw ValueError("roles.champion: expected a contender that can run, got " + in_quotes(asked.roles.champion) +
                     ", which is refused: " + why->second);
  std::erase_if(r.options.roles.rivals, [&](const std::string& rival) { return !r.options.runs(rival); });
  for (const User& u : workshop.users()) r.users.push_back(describe_user(u));

  const ShootoutOptions& o = r.options;
  p.kind = name(o.protocol);
  p.roles = o.roles;
  p.context = o.context;
  p.budget = o.protocol == Protocol::catalogue ? Budget::of_steps(100) : o.budget;
  if (o.state != StateType::full) p.state = name(o.state);
  p.weights = o.weights ? std::string(name(*o.weights)) : "stored";
  p.precision = o.precision == Precision::full ? "full" : "mixed";
  p.gradients = o.gradients == GradientRounding::none      ? "float"
                : o.gradients == GradientRounding::nearest ? "int8 through all packed weights"
                                                           : "int8-stochastic through all packed weights";
  const auto hash = [&] {
    std::string everything = base.fingerprint + detail::results_json::encode(p).dump();
    for (const UserRecord& u : r.users) everything += u.name + u.split_hash;
    return sha256_hex(bytes_of(everything)).substr(0, 16);
  };
  p.hash = "";
  r.calibration = "calibration-" + hash();  // of what changes a step's cost; what follows does not
  p.margin = o.margin;
  p.eval_tokens = o.eval_tokens, p.seeds = o.seeds;
  p.experiments = o.experiments;
  if (o.controls.size() < ShootoutOptions{}.controls.size()) p.controls = o.controls;
  p.generic = generic.of_user;
  p.validation_tokens = o.validation_tokens, p.pilot_users = o.pilots, p.most_rates = o.most_rates;
  p.sweep_users = o.sweep_users, p.seed_users = o.seed_users, p.early_stopping = o.early_stopping;
  p.hash = hash();
  return r;
}

}  // namespace tern
