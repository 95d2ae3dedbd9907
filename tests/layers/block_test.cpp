#include "tern/layers/block.hpp"

#include "support/layer_contract.hpp"
#include "tern/models/decoder.hpp"

using namespace tern;
using namespace tern::test;

TEST_CASE_TEMPLATE("Block keeps the layer contract", S, float, double) {
  ModelConfig config{.hidden = 8, .layers = 1, .ffn = 12, .heads = 4, .kv_heads = 2, .head_dim = 4, .vocabulary = 11};
  for (const bool variant : {false, true}) {
    config.qkv_bias = config.sub_norms = variant;
    config.gate = variant ? kernels::Gate::relu_squared : kernels::Gate::silu;
    Decoder<S> model(config);
    Random random(9);
    for_each_parameter(model, [&](std::string_view, auto& p) { fill_normal(p.value, random, 0.5); });
    check_layer_contract(model.blocks[0], {.tokens = 7, .in = 8, .out = 8, .seed = 5});
  }
}
