#include "tern/adapters/size_matched.hpp"

#include <doctest/doctest.h>

#include "tern/models/config.hpp"

using namespace tern;

TEST_CASE("size-matched LoRA comes as near to norm-only's size as the widths allow") {
  const ModelConfig smollm2{.hidden = 576, .ffn = 1536, .heads = 9, .kv_heads = 3, .head_dim = 64, .vocabulary = 1,
                            .layers = std::vector<LayerConfig>(30)};
  const ModelConfig small{.hidden = 256, .ffn = 768, .heads = 4, .kv_heads = 4, .head_dim = 64, .vocabulary = 1,
                          .layers = std::vector<LayerConfig>(4)};
  for (const auto& config : {smollm2, small}) {
    const auto sites = tern::sites(config);
    const LoraPlan plan = size_matched_lora(sites, gains(config));
    const double ratio = static_cast<double>(plan.parameters) / static_cast<double>(gains(config));
    const double allowed = config.layer_count() == 30 ? 0.03 : 0.12;  // 2,304 gains against multiples of 512
    CHECK(std::abs(ratio - 1) < allowed);
    Index parameters = 0;
    for (const SiteShape& s : sites)
      if (plan.contains(s.id)) parameters += plan.rank * (s.in + s.out);
    CHECK(parameters == plan.parameters);
  }
}

TEST_CASE("size-matched LoRA refuses a size of nothing") {
  CHECK_THROWS_WITH_AS(size_matched_lora({}, 5), "size-matched lora: expected a model with linear sites, got none", ValueError);
  CHECK_THROWS_AS(size_matched_lora({}, 0), ValueError);
}
