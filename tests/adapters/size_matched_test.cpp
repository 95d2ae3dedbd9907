#include "tern/adapters/size_matched.hpp"

#include <doctest/doctest.h>

#include <map>

#include "tern/models/config.hpp"

using namespace tern;

namespace {

const SiteSet two_norms = {Site::attention_norm, Site::mlp_norm};
const SiteSet gemma_norms = {Site::attention_norm,      Site::query_norm, Site::key_norm,
                             Site::attention_post_norm, Site::mlp_norm,   Site::mlp_post_norm};

ModelConfig geometry(Index hidden, Index layers, Index ffn, Index heads, Index kv_heads, Index head_dim,
                     SiteSet norms = two_norms) {
  ModelConfig c{.hidden = hidden,
                .ffn = ffn,
                .heads = heads,
                .kv_heads = kv_heads,
                .head_dim = head_dim,
                .vocabulary = 1,
                .layers = std::vector<LayerConfig>(static_cast<std::size_t>(layers))};
  for (LayerConfig& layer : c.layers) layer.norms = norms;
  return c;
}

const ModelConfig bundled = geometry(256, 4, 768, 4, 4, 64);

/// What candidates must be on a base: gains, the names of those that cannot come within a tenth, and the nearest they
/// can.
struct Expected {
  const char* base;
  ModelConfig config;
  Index gains;
  std::map<std::string, Index> short_of;
};

const std::vector<Expected>& bases() {
  static const std::vector<Expected> all = {
      {"bundled",
       bundled,
       2304,
       {{"matched-lora-o", 2048},
        {"matched-lora-v", 2048},
        {"matched-lora-down", 2048},
        {"matched-gains", 2048},
        {"matched-biases", 2048}}},
      {"SmolLM2-135M", geometry(576, 30, 1536, 9, 3, 64), 35136, {}},
      {"Gemma 3 270M",
       geometry(640, 18, 2048, 4, 1, 256, gemma_norms),
       55936,
       {{"matched-gains", 23040}, {"matched-biases", 23040}}},
      {"Qwen2.5-Coder-0.5B", geometry(896, 24, 4864, 14, 2, 64), 43904, {}},
      {"Qwen2.5-Coder-1.5B", geometry(1536, 28, 8960, 12, 2, 128), 87552, {}},
      {"Llama 3.2 1B", geometry(2048, 16, 8192, 32, 8, 64), 67584, {}},
      {"Phi-3.5 mini", geometry(3072, 32, 8192, 32, 32, 96), 199680, {}},
  };
  return all;
}

/// Numbers counted from the sites' widths, as the adapters hold them.
Index count(const ModelConfig& config, const MatchedAdapter& a) {
  Index n = 0;
  for (const auto& [id, rank] : a.sites) {
    const SiteShape s = *site_shape(config, id);
    n += a.kind == MatchedKind::lora ? rank * (s.in + s.out) : a.kind == MatchedKind::lora_xs ? rank * rank : s.out;
  }
  return n;
}

std::vector<std::pair<Index, Index>> layers_and_ranks(const MatchedAdapter& a) {
  std::vector<std::pair<Index, Index>> all;
  for (const auto& [id, rank] : a.sites) all.emplace_back(id.layer, rank);
  return all;
}

}  // namespace

TEST_CASE("size-matched candidates are within a tenth of norm-only's numbers, or as near as their sites allow") {
  for (const Expected& base : bases()) {
    CAPTURE(base.base);
    REQUIRE(gains(base.config) == base.gains);
    const auto candidates = size_matched(sites(base.config), base.gains);
    std::vector<std::string> names;
    for (const MatchedAdapter& a : candidates) {
      CAPTURE(a.name);
      names.push_back(a.name);
      CHECK(a.numbers == count(base.config, a));
      const double ratio = static_cast<double>(a.numbers) / static_cast<double>(base.gains);
      const auto short_of = base.short_of.find(a.name);
      if (short_of == base.short_of.end())
        CHECK(std::abs(ratio - 1) <= 0.1);
      else
        CHECK(a.numbers == short_of->second);
      CHECK(std::is_sorted(a.sites.begin(), a.sites.end(),
                           [](const MatchedSite& x, const MatchedSite& y) { return x.id < y.id; }));
    }
    CHECK(names == std::vector<std::string>{"matched-lora-o", "matched-lora-v", "matched-lora-down", "matched-lora-xs",
                                            "matched-gains", "matched-biases"});
  }
}

TEST_CASE("size-matched: every layer where it fits, else layers spread evenly") {
  const ModelConfig smollm2 = geometry(576, 30, 1536, 9, 3, 64);
  const auto c = size_matched(sites(smollm2), gains(smollm2));
  CHECK(c[0].sites.size() == 30);
  CHECK(c[0].title == "LoRA on the attention output, rank 1, 30 layers");
  CHECK(c[1].title == "LoRA on value, rank 1 or 2, 30 layers");
  CHECK(c[3].title == "LoRA-XS on every linear, rank 13, 30 layers");
  CHECK(c[4].title == "gains on the outputs of attention output and down, 30 layers");
  // 17 of 30 layers: never more than one left out between two.
  Index last = -1;
  for (const auto& [id, rank] : c[2].sites) {
    CHECK(rank == 1);
    CHECK(id.layer - last <= 2);
    last = id.layer;
  }
  CHECK(last == 29);
  CHECK(layers_and_ranks(size_matched(sites(bundled), 2304)[2]) ==
        std::vector<std::pair<Index, Index>>{{1, 1}, {3, 1}});
  CHECK(size_matched(sites(bundled), 2304)[2].title == "LoRA on down, rank 1, 2 layers");
}

TEST_CASE("size-matched: one rank everywhere within a tenth, else two that mix; of two as near the lower") {
  const auto linear = [](Index rank) { return 100 * rank; };
  using Ranks = std::vector<Index>;
  CHECK(detail::spread_ranks(4, 64, 410, linear) == Ranks{1, 1, 1, 1});
  CHECK(detail::spread_ranks(4, 64, 760, linear) == Ranks{2, 2, 2, 2});
  CHECK(detail::spread_ranks(4, 64, 600, linear) == Ranks{1, 2, 1, 2});
  CHECK(detail::spread_ranks(4, 64, 250, linear) == Ranks{0, 1, 0, 1});
  CHECK(detail::spread_ranks(4, 64, 251, linear) == Ranks{0, 1, 1, 1});
  CHECK(detail::spread_ranks(4, 64, 7, linear) == Ranks{0, 0, 0, 1});
  CHECK(detail::spread_ranks(4, 2, 5000, linear) == Ranks{2, 2, 2, 2});
  CHECK(detail::spread_ranks(3, 64, 40, [](Index rank) { return rank * rank; }) == Ranks{3, 4, 4});
}

TEST_CASE("size-matched: LoRA-XS that must drop sites keeps every kind alike, in every other layer") {
  const ModelConfig c = geometry(64, 8, 128, 4, 4, 16);
  const auto xs = size_matched(sites(c), 28)[3];  // 56 linears
  CHECK(xs.numbers == 28);
  std::map<Site, Index> kinds;
  std::map<Index, Index> layers;
  for (const auto& [id, rank] : xs.sites) ++kinds[id.site], ++layers[id.layer];
  CHECK(kinds.size() == 7);
  for (const auto& [site, n] : kinds) CHECK(n == 4);
  CHECK(layers.size() == 4);
}

TEST_CASE("size-matched: no rank exceeds a site's widths") {
  const ModelConfig c = geometry(8, 1, 12, 4, 2, 2);
  for (const MatchedAdapter& a : size_matched(sites(c), 100000))
    for (const auto& [id, rank] : a.sites) {
      const SiteShape s = *site_shape(c, id);
      CHECK(rank <= std::min(s.in, s.out));
    }
}

TEST_CASE("size-matched refuses a size of nothing and a model without linears") {
  CHECK_THROWS_WITH_AS(size_matched({}, 5), "size-matched: expected a model with linear sites, got none", ValueError);
  CHECK_THROWS_WITH_AS(size_matched(sites(bundled), 0), "size-matched: expected a size > 0, got 0", ValueError);
}
