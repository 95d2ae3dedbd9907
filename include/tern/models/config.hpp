#pragma once
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "tern/core/error.hpp"
#include "tern/core/site.hpp"
#include "tern/kernels/types.hpp"
#include "tern/layers/rope.hpp"

namespace tern {

/// What a block is made of, beyond the model's widths.
struct LayerConfig {
  Index window = 0;  ///< positions that attention looks back to, its own included; 0: all
  RopeConfig rope{};
  double query_scale = 0;  ///< of attention's scores; 0: head_dim^-1/2
  kernels::Gate gate = kernels::Gate::silu;
  SiteSet norms = {Site::attention_norm, Site::mlp_norm};  ///< those it has
  SiteSet biases{};                                        ///< linears that add one

  friend bool operator==(const LayerConfig&, const LayerConfig&) = default;
};

/// What a decoder is made of. The names are the field's: hidden width, feed-forward width, query and key/value heads.
struct ModelConfig {
  std::string architecture = "llama";
  Index hidden = 0, ffn = 0, heads = 0, kv_heads = 0, head_dim = 0, vocabulary = 0;
  Index context = 0;  ///< positions it was trained for; 0: unknown
  double epsilon = 1e-5;
  bool tied = true;            ///< the head is the embedding
  double embedding_scale = 1;  ///< of the rows that enter the first block
  std::vector<LayerConfig> layers{};

  Index query_width() const { return heads * head_dim; }
  Index kv_width() const { return kv_heads * head_dim; }
  Index layer_count() const { return static_cast<Index>(layers.size()); }
};

/// The widths of a site; nothing where the model has none there. This is the one description of a decoder's parts.
inline std::optional<SiteShape> site_shape(const ModelConfig& c, SiteId id) {
  const auto shape = [&](Index in, Index out) { return std::optional<SiteShape>({id, in, out}); };
  if (id.layer == -1) {
    if (id.site == Site::final_norm) return shape(c.hidden, c.hidden);
    if (id.site == Site::head) return shape(c.hidden, c.vocabulary);
    return std::nullopt;
  }
  if (id.layer < 0 || id.layer >= c.layer_count()) return std::nullopt;
  if (is_norm(id.site) && !c.layers[static_cast<std::size_t>(id.layer)].norms.contains(id.site)) return std::nullopt;
  switch (id.site) {
    case Site::attention_norm:
    case Site::attention_post_norm:
    case Site::mlp_norm:
    case Site::mlp_post_norm:
      return shape(c.hidden, c.hidden);
    case Site::query:
      return shape(c.hidden, c.query_width());
    case Site::key:
    case Site::value:
      return shape(c.hidden, c.kv_width());
    case Site::query_norm:
    case Site::key_norm:
      return shape(c.head_dim, c.head_dim);
    case Site::attention_sub_norm:
      return shape(c.query_width(), c.query_width());
    case Site::attention_output:
      return shape(c.query_width(), c.hidden);
    case Site::gate:
    case Site::up:
      return shape(c.hidden, c.ffn);
    case Site::mlp_sub_norm:
      return shape(c.ffn, c.ffn);
    case Site::down:
      return shape(c.ffn, c.hidden);
    default:
      return std::nullopt;
  }
}

/// Every site, in the order of the forward pass.
inline std::vector<SiteShape> sites(const ModelConfig& c) {
  std::vector<SiteShape> all;
  const auto add = [&](Index layer) {
    for (const Site s : all_sites)
      if (const auto shape = site_shape(c, {layer, s})) all.push_back(*shape);
  };
  for (Index i = 0; i < c.layer_count(); ++i) add(i);
  add(-1);
  return all;
}

/// Gain vectors of the norms, and the gains in them: what norm-only tuning trains.
inline Index gain_vectors(const ModelConfig& c) {
  Index n = 0;
  for (const SiteShape& s : sites(c)) n += is_norm(s.id.site);
  return n;
}
inline Index gains(const ModelConfig& c) {
  Index n = 0;
  for (const SiteShape& s : sites(c)) n += is_norm(s.id.site) ? s.out : 0;
  return n;
}

/// All numbers of a model: tables, linears, biases, gains.
inline Index parameters(const ModelConfig& c) {
  Index n = c.vocabulary * c.hidden;  // the embedding
  for (const SiteShape& s : sites(c)) {
    if (s.id.site == Site::head)
      n += c.tied ? 0 : s.in * s.out;
    else if (is_norm(s.id.site))
      n += s.out;
    else
      n += s.in * s.out +
           (c.layers[static_cast<std::size_t>(s.id.layer)].biases.contains(s.id.site) ? s.out : 0);
  }
  return n;
}

/// Throws ValueError where a configuration cannot be a model: `place` names its source.
inline void validate(const ModelConfig& c, const std::string& place) {
  const auto expect = [&](bool ok, const std::string& what, const auto& got) {
    if (!ok) throw ValueError(place + ": expected " + what + ", got " + std::to_string(got));
  };
  constexpr Index cap = Index(1) << 24;
  expect(c.hidden > 0 && c.hidden < cap, "hidden width in [1, 2^24)", c.hidden);
  expect(c.layer_count() > 0 && c.layer_count() < 10000, "layers in [1, 10000)", c.layer_count());
  expect(c.ffn > 0 && c.ffn < cap, "feed-forward width in [1, 2^24)", c.ffn);
  expect(c.heads > 0 && c.heads < 10000, "heads in [1, 10000)", c.heads);
  expect(c.kv_heads > 0 && c.heads % c.kv_heads == 0, "key/value heads that divide the query heads", c.kv_heads);
  expect(c.head_dim > 0 && c.head_dim % 2 == 0 && c.head_dim < 65536, "an even head width in [2, 65536)", c.head_dim);
  expect(c.vocabulary > 0 && c.vocabulary < (Index(1) << 31), "vocabulary in [1, 2^31)", c.vocabulary);
  const auto positive = [](double v) { return v > 0 && std::isfinite(v); };
  expect(positive(c.epsilon), "a positive epsilon", c.epsilon);
  expect(positive(c.embedding_scale), "a positive embedding scale", c.embedding_scale);
  for (std::size_t i = 0; i < c.layers.size(); ++i) {
    const LayerConfig& layer = c.layers[i];
    const RopeConfig& rope = layer.rope;
    const std::string of = " in layer " + std::to_string(i);
    expect(layer.window >= 0, "a window of 0 or more" + of, layer.window);
    expect(layer.query_scale >= 0 && std::isfinite(layer.query_scale), "a query scale of 0 or more" + of,
           layer.query_scale);
    expect(positive(rope.theta), "a positive rope theta" + of, rope.theta);
    expect(positive(rope.factor), "a positive rope factor" + of, rope.factor);
    expect(positive(rope.magnitude), "a positive rope magnitude" + of, rope.magnitude);
    expect(rope.rotated >= 0 && rope.rotated <= c.head_dim && rope.rotated % 2 == 0,
           "an even number of rotated channels within the head" + of, rope.rotated);
    const Index half = (rope.rotated > 0 ? rope.rotated : c.head_dim) / 2;
    for (const auto* divisors : {&rope.divisors, &rope.long_divisors}) {
      const Index n = static_cast<Index>(divisors->size());
      expect(n == 0 || n == half, std::to_string(half) + " rope divisors, half the rotated width, or none" + of, n);
      for (const double d : *divisors) expect(positive(d), "positive rope divisors" + of, d);
    }
    expect(rope.long_divisors.empty() || rope.original_context > 0, "an original context above 0" + of,
           rope.original_context);
  }
}

}  // namespace tern
