#pragma once
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "tern/core/error.hpp"
#include "tern/layers/rope.hpp"

namespace tern {

/// What a decoder is made of. The names are the field's: hidden width, feed-forward width, query and key/value heads.
struct ModelConfig {
  std::string architecture = "llama";
  Index hidden = 0, layers = 0, ffn = 0, heads = 0, kv_heads = 0, head_dim = 0, vocabulary = 0;
  Index context = 0;  ///< positions it was trained for; 0: unknown
  double rope_theta = 10000;
  std::vector<double> rope_divisors{};  ///< head_dim/2, or none: see Rope
  double epsilon = 1e-5;
  bool tied = true;        ///< the head is the embedding
  bool qkv_bias = false;   ///< qwen2
  bool sub_norms = false;  ///< bitnet
  kernels::Gate gate = kernels::Gate::silu;

  Index query_width() const { return heads * head_dim; }
  Index kv_width() const { return kv_heads * head_dim; }
};

/// Throws ValueError where a configuration cannot be a model: `place` names its source.
inline void validate(const ModelConfig& c, const std::string& place) {
  const auto expect = [&](bool ok, const char* what, Index got) {
    if (!ok) throw ValueError(place + ": expected " + what + ", got " + std::to_string(got));
  };
  constexpr Index cap = Index(1) << 24;
  expect(c.hidden > 0 && c.hidden < cap, "hidden width in [1, 2^24)", c.hidden);
  expect(c.layers > 0 && c.layers < 10000, "layers in [1, 10000)", c.layers);
  expect(c.ffn > 0 && c.ffn < cap, "feed-forward width in [1, 2^24)", c.ffn);
  expect(c.heads > 0 && c.heads < 10000, "heads in [1, 10000)", c.heads);
  expect(c.kv_heads > 0 && c.heads % c.kv_heads == 0, "key/value heads that divide the query heads", c.kv_heads);
  expect(c.head_dim > 0 && c.head_dim % 2 == 0 && c.head_dim < 65536, "an even head width in [2, 65536)", c.head_dim);
  expect(c.vocabulary > 0 && c.vocabulary < (Index(1) << 31), "vocabulary in [1, 2^31)", c.vocabulary);
  const Index divisors = static_cast<Index>(c.rope_divisors.size());
  expect(divisors == 0 || divisors == c.head_dim / 2, "a rope divisor for half the head width, or none,", divisors);
  if (!(c.epsilon > 0) || !std::isfinite(c.epsilon)) throw ValueError(place + ": expected a positive epsilon");
  if (!(c.rope_theta > 0) || !std::isfinite(c.rope_theta)) throw ValueError(place + ": expected a positive rope theta");
}

/// Gain vectors of the norms, and the gains in them: what norm-only tuning trains.
inline Index gain_vectors(const ModelConfig& c) { return c.layers * (c.sub_norms ? 4 : 2) + 1; }
inline Index gains(const ModelConfig& c) {
  const Index block = 2 * c.hidden + (c.sub_norms ? c.query_width() + c.ffn : 0);
  return c.layers * block + c.hidden;
}

}  // namespace tern
