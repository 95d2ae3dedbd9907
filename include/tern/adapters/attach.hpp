#pragma once
/// Attaches the usual adapters to a model. A model is anything with sites() and norm(SiteId): see models/decoder.hpp.
#include "tern/adapters/adapter_set.hpp"
#include "tern/adapters/lora.hpp"
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

}  // namespace tern
