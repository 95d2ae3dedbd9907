#pragma once
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "tern/core/error.hpp"
#include "tern/core/site.hpp"

namespace tern {

/// Where a LoRA goes and how wide it is.
struct LoraPlan {
  Index rank = 0;
  std::vector<SiteId> sites;
  Index parameters = 0;

  bool contains(SiteId id) const { return std::find(sites.begin(), sites.end(), id) != sites.end(); }
};

/// The LoRA whose parameters come nearest to `parameters` in number, so that a comparison with another adapter of that
/// size does not confound kind with size. Searched: every set of the blocks' linears (the same in each layer), the last
/// n layers for every n, ranks 1 to 64. Among equals the one in more layers wins, then more sites, then the lower rank.
/// Throws ValueError if there is no linear or nothing to match.
inline LoraPlan size_matched_lora(const std::vector<SiteShape>& model, Index parameters) {
  if (parameters <= 0) throw ValueError("size-matched lora: expected a size > 0, got " + std::to_string(parameters));
  Index layers = 0;
  std::vector<Site> kinds;
  std::vector<Index> cost;  // parameters of one layer's site at rank 1
  for (const SiteShape& s : model) {
    if (s.id.layer < 0 || is_norm(s.id.site)) continue;
    layers = std::max(layers, s.id.layer + 1);
    if (s.id.layer == 0) {
      kinds.push_back(s.id.site);
      cost.push_back(s.in + s.out);
    }
  }
  if (kinds.empty()) throw ValueError("size-matched lora: expected a model with linear sites, got none");
  struct Choice {
    Index gap, layers, kinds, rank;
    unsigned mask;
  };
  const auto better = [](const Choice& a, const Choice& b) {
    if (a.gap != b.gap) return a.gap < b.gap;
    if (a.layers != b.layers) return a.layers > b.layers;
    if (a.kinds != b.kinds) return a.kinds > b.kinds;
    return a.rank < b.rank;
  };
  Choice best{parameters + 1, 0, 0, 0, 0};
  bool found = false;
  for (unsigned mask = 1; mask < (1u << kinds.size()); ++mask) {
    Index width = 0, count = 0;
    for (std::size_t i = 0; i < kinds.size(); ++i)
      if ((mask >> i) & 1u) width += cost[i], ++count;
    for (Index n = layers; n >= 1; --n) {
      const Index unit = width * n;
      for (Index rank = std::max<Index>(1, parameters / unit); rank <= std::min<Index>(64, parameters / unit + 1); ++rank) {
        const Choice choice{std::abs(rank * unit - parameters), n, count, rank, mask};
        if (!found || better(choice, best)) best = choice, found = true;
      }
    }
  }
  LoraPlan plan;
  plan.rank = best.rank;
  for (const SiteShape& s : model) {
    if (s.id.layer < layers - best.layers || is_norm(s.id.site)) continue;
    for (std::size_t i = 0; i < kinds.size(); ++i)
      if (kinds[i] == s.id.site && ((best.mask >> i) & 1u)) {
        plan.sites.push_back(s.id);
        plan.parameters += best.rank * (s.in + s.out);
      }
  }
  return plan;
}

}  // namespace tern
