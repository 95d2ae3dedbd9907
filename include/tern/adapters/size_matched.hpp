#pragma once
#include <algorithm>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "tern/core/error.hpp"
#include "tern/core/site.hpp"

namespace tern {

enum class MatchedKind { lora, lora_xs, gains, biases };

struct MatchedSite {
  SiteId id;
  Index rank = 1;  ///< of LoRA and LoRA-XS; 1 for gains and biases
};

/// An adapter of a given size: what it is, where it sits, how many numbers a person's has.
struct MatchedAdapter {
  std::string name;   ///< "matched-lora-o"
  std::string title;  ///< "LoRA on the attention output, rank 1, 30 layers"
  MatchedKind kind{};
  std::vector<MatchedSite> sites;  ///< in order
  Index numbers = 0;
};

namespace detail {

/// Ranks of `sites` alike places, none above `most`, that together cost nearest to `numbers`; cost(rank) is that of one
/// place. One rank everywhere where that comes within a tenth; else two that follow each other, or 0 and 1, the higher
/// in places spread evenly over all. At least one place has a rank above 0.
template <class Cost>
std::vector<Index> spread_ranks(Index sites, Index most, Index numbers, Cost&& cost) {
  Index low = 0;
  while (low < most && sites * cost(low + 1) <= numbers) ++low;
  const auto apart = [&](Index rank) { return std::abs(sites * cost(rank) - numbers); };
  const Index high = std::min(low + 1, most), nearer = apart(high) < apart(low) ? high : low;
  if (low == most || (nearer > 0 && 10 * apart(nearer) <= numbers))
    return std::vector<Index>(static_cast<std::size_t>(sites), nearer);
  const Index step = cost(high) - cost(low), rest = numbers - sites * cost(low);
  const Index higher =
      std::max<Index>((2 * rest + step - 1) / (2 * step), low == 0 ? 1 : 0);  // the lower of two as near
  std::vector<Index> ranks;
  for (Index i = 0; i < sites; ++i) ranks.push_back(low + (i + 1) * higher / sites - i * higher / sites);
  return ranks;
}

inline Index matched_numbers(MatchedKind kind, const SiteShape& s, Index rank) {
  if (kind == MatchedKind::lora) return rank * (s.in + s.out);
  return kind == MatchedKind::lora_xs ? rank * rank : rank * s.out;
}

inline std::string matched_title(const std::string& what, const MatchedAdapter& a) {
  std::set<Index> ranks, layers;
  for (const MatchedSite& s : a.sites) ranks.insert(s.rank), layers.insert(s.id.layer);
  std::string title = what;
  if (a.kind == MatchedKind::lora || a.kind == MatchedKind::lora_xs) {
    title += ", rank " + std::to_string(*ranks.begin());
    if (ranks.size() > 1) title += " or " + std::to_string(*ranks.rbegin());
  }
  return title + ", " + std::to_string(layers.size()) + (layers.size() == 1 ? " layer" : " layers");
}

}  // namespace detail

/// The candidates for the strongest adapter of a given size, so that a comparison with another of that size does not
/// confound kind with size: LoRA on the attention output, on value, on down; LoRA-XS on every linear of the blocks;
/// gains and biases on the outputs of attention output and down. Each comes as near to `numbers` as its places allow:
/// in all layers if it can, else in layers spread evenly. Gains and biases have one number a channel: where they fall
/// short of `numbers` with every place taken, they stay short. Throws ValueError if there is no linear or nothing to
/// match.
inline std::vector<MatchedAdapter> size_matched(const std::vector<SiteShape>& model, Index numbers) {
  if (numbers <= 0) throw ValueError("size-matched: expected a size > 0, got " + std::to_string(numbers));
  struct Row {
    const char *name, *title;
    MatchedKind kind;
    SiteSet sites;
  };
  const SiteSet back = {Site::attention_output, Site::down};
  const Row rows[] = {
      {"matched-lora-o", "LoRA on the attention output", MatchedKind::lora, {Site::attention_output}},
      {"matched-lora-v", "LoRA on value", MatchedKind::lora, {Site::value}},
      {"matched-lora-down", "LoRA on down", MatchedKind::lora, {Site::down}},
      {"matched-lora-xs",
       "LoRA-XS on every linear",
       MatchedKind::lora_xs,
       {Site::query, Site::key, Site::value, Site::attention_output, Site::gate, Site::up, Site::down}},
      {"matched-gains", "gains on the outputs of attention output and down", MatchedKind::gains, back},
      {"matched-biases", "biases on the outputs of attention output and down", MatchedKind::biases, back},
  };
  std::vector<MatchedAdapter> candidates;
  for (const Row& row : rows) {
    // Site by site, each through all layers: what is spread evenly over this order favours no site and no layer.
    std::vector<SiteShape> places;
    for (const Site site : all_sites)
      for (const SiteShape& s : model)
        if (s.id.layer >= 0 && s.id.site == site && row.sites.contains(site)) places.push_back(s);
    if (places.empty()) throw ValueError("size-matched: expected a model with linear sites, got none");
    const bool ranked = row.kind == MatchedKind::lora || row.kind == MatchedKind::lora_xs;
    Index most = ranked ? std::min(places[0].in, places[0].out) : 1;
    if (ranked)
      for (const SiteShape& s : places) most = std::min({most, s.in, s.out});
    const auto ranks = detail::spread_ranks(static_cast<Index>(places.size()), most, numbers, [&](Index rank) {
      return detail::matched_numbers(row.kind, places[0], rank);
    });
    MatchedAdapter candidate{row.name, {}, row.kind, {}, 0};
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (ranks[i] == 0) continue;
      candidate.sites.push_back({places[i].id, ranks[i]});
      candidate.numbers += detail::matched_numbers(row.kind, places[i], ranks[i]);
    }
    std::sort(candidate.sites.begin(), candidate.sites.end(),
              [](const MatchedSite& a, const MatchedSite& b) { return a.id < b.id; });
    candidate.title = detail::matched_title(row.title, candidate);
    candidates.push_back(std::move(candidate));
  }
  return candidates;
}

}  // namespace tern
