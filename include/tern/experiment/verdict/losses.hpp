#pragma once
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "tern/eval/bootstrap.hpp"

namespace tern::verdict {

/// Where a chunk of evaluated text stands: its user, eval text and number. Chunks of one place pair up.
using Place = std::tuple<std::string, Index, Index>;

/// What a model, or several of them pooled, loses on chunks of text.
using Losses = std::map<Place, ChunkNll>;

/// ln ppl: sum nll / sum tokens. Precondition: at least one token.
inline double log_ppl(const Losses& losses) {
  ChunkNll sum;
  for (const auto& [place, chunk] : losses) {
    sum.nll += chunk.nll;
    sum.tokens += chunk.tokens;
  }
  return sum.nll / static_cast<double>(sum.tokens);
}

/// Only the chunks of one eval text.
inline Losses on_text(const Losses& losses, Index text) {
  Losses out;
  for (const auto& [place, chunk] : losses)
    if (std::get<1>(place) == text) out.emplace(place, chunk);
  return out;
}

/// Adds the chunks of `from`: a place that both have counts twice, as with two seeds.
inline void pool(Losses& into, const Losses& from) {
  for (const auto& [place, chunk] : from) {
    ChunkNll& sum = into[place];
    sum.nll += chunk.nll;
    sum.tokens += chunk.tokens;
  }
}

/// The mean nll of several models on the same text: that of their geometric mean perplexity.
inline Losses mean(const std::vector<const Losses*>& models) {
  Losses out;
  for (const Losses* losses : models) pool(out, *losses);
  for (auto& [place, sum] : out) {
    sum.nll /= static_cast<double>(models.size());
    sum.tokens /= static_cast<Index>(models.size());
  }
  return out;
}

/// 1 - ppl(a)/ppl(b) over the chunks that both have, with its 95% interval.
struct Margin {
  Interval interval;
  Index chunks = 0;
};

/// The margin of a over b; nothing where either is missing or no chunk pairs up. The same chunks give the same interval
/// whatever was asked before. Throws ValueError where the tokens of a pair differ.
inline std::optional<Margin> margin(const Losses* a, const Losses* b) {
  if (a == nullptr || b == nullptr) return std::nullopt;
  std::vector<ChunkNll> of_a, of_b;
  for (const auto& [place, chunk] : *a)
    if (const auto twin = b->find(place); twin != b->end()) {
      of_a.push_back(chunk);
      of_b.push_back(twin->second);
    }
  if (of_a.empty()) return std::nullopt;
  Random random(1993);
  return Margin{paired_bootstrap(of_a, of_b, random), static_cast<Index>(of_a.size())};
}

}  // namespace tern::verdict
