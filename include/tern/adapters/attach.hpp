#pragma once
/// Attaches the usual adapters to a model. A model is anything with sites(), norm(SiteId) and, for LoRA-XS, each_part:
/// see models/decoder.hpp.
#include <map>
#include <memory>
#include <utility>

#include "tern/adapters/adapter_set.hpp"
#include "tern/adapters/lora.hpp"
#include "tern/adapters/lora_xs.hpp"
#include "tern/adapters/site_bias.hpp"
#include "tern/adapters/site_gain.hpp"
#include "tern/adapters/size_matched.hpp"
#include "tern/adapters/user_gain.hpp"

namespace tern {

/// A user gain at every norm: norm-only tuning.
template <std::floating_point S, class Model>
void attach_user_gains(const Model& model, AdapterSet<S>& set, GainKind kind = GainKind::relative, Index users = 1) {
  for (const SiteShape& s : model.sites()) {
    if (!is_norm(s.id.site)) continue;
    const auto& norm = model.norm(s.id);
    set.attach(s.id, "user_gain", UserGain<S>(kind, norm.gain.value, norm.eps, users));
  }
}

/// Every linear of the blocks, as PEFT's target_modules="all-linear" has it: not the head.
inline bool is_block_linear(SiteId id) { return id.layer >= 0 && !is_norm(id.site); }

/// A LoRA of `rank` at every site that `select(SiteId)` accepts. Throws ValueError unless at least one does.
template <std::floating_point S, class Model, class Select>
void attach_lora(const Model& model, AdapterSet<S>& set, Index rank, S alpha, Random& random, Select&& select,
                 Index users = 1) {
  Index attached = 0;
  for (const SiteShape& s : model.sites())
    if (!is_norm(s.id.site) && select(s.id)) {
      set.attach(s.id, "lora", Lora<S>(s.in, s.out, rank, alpha, random, users));
      ++attached;
    }
  if (attached == 0) throw ValueError("lora: expected at least one linear site, got none");
}

/// The singular directions of linears, by site: found once a base, shared by everybody's adapters.
template <std::floating_point S>
using SiteDirections = std::map<SiteId, std::shared_ptr<const SingularDirections<S>>>;

/// Those that a LoRA-XS of `adapter.sites` needs; none for adapters of other kinds. Takes about a second a layer at 1.5B.
/// Throws ValueError where a site is no linear of the model, or one whose rows cannot be read: see also singular_directions().
template <std::floating_point S, class Model>
SiteDirections<S> find_directions(const Pass& pass, const Model& model, const MatchedAdapter& adapter) {
  SiteDirections<S> found;
  if (adapter.kind != MatchedKind::lora_xs) return found;
  std::map<SiteId, Index> ranks;
  for (const MatchedSite& s : adapter.sites) ranks[s.id] = s.rank;
  Model::each_part(model, [&](SiteId id, const auto& part) {
    if constexpr (requires { singular_directions<S>(pass, part.weight, Index(1)); })
      if (const auto at = ranks.find(id); at != ranks.end()) {
        found[id] = std::make_shared<SingularDirections<S>>(singular_directions<S>(pass, part.weight, at->second));
        ranks.erase(at);
      }
  });
  if (!ranks.empty())
    throw ValueError("lora-xs: expected linears of the model, got '" + to_string(ranks.begin()->first) + "'");
  return found;
}

/// One of the candidates of size_matched(), at its sites. LoRA's scale is 2, LoRA-XS's 1: a middle of 0.1 then changes a
/// direction by a tenth, whatever the rank. `directions` are those that find_directions() gives; they go unused by other
/// kinds. Throws ValueError where a site is none of the model's, or lacks its directions.
template <std::floating_point S, class Model>
void attach_matched(const Model& model, AdapterSet<S>& set, const MatchedAdapter& adapter, Random& random,
                    const SiteDirections<S>& directions, Index users = 1) {
  std::map<SiteId, SiteShape> shapes;
  for (const SiteShape& s : model.sites()) shapes[s.id] = s;
  for (const auto& [id, rank] : adapter.sites) {
    const auto at = shapes.find(id);
    if (at == shapes.end())
      throw ValueError(adapter.name + ": expected a site of the model, got '" + to_string(id) + "'");
    const SiteShape& s = at->second;
    const S r = static_cast<S>(rank);
    switch (adapter.kind) {
      case MatchedKind::lora:
        set.attach(id, "lora", Lora<S>(s.in, s.out, rank, 2 * r, random, users));
        break;
      case MatchedKind::lora_xs: {
        const auto found = directions.find(id);
        const Index known = found == directions.end() ? 0 : found->second->rank();
        if (known != rank)
          throw ValueError(adapter.name + ": expected " + std::to_string(rank) + " singular directions of '" +
                           to_string(id) + "', got " + (known == 0 ? "none" : std::to_string(known)));
        set.attach(id, "lora_xs", LoraXs<S>(found->second, r, users));
        break;
      }
      case MatchedKind::gains:
        set.attach(id, "site_gain", SiteGain<S>(s.out, users));
        break;
      case MatchedKind::biases:
        set.attach(id, "site_bias", SiteBias<S>(s.out, users));
        break;
    }
  }
}

}  // namespace tern
