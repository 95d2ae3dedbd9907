#include "tern/models/config.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace tern;

namespace {

ModelConfig base(std::string name, Index hidden, std::size_t layers, Index ffn, Index heads, Index kv_heads,
                 Index head_dim, Index vocabulary, LayerConfig layer = {}, bool tied = true) {
  return {.architecture = std::move(name), .hidden = hidden, .ffn = ffn, .heads = heads, .kv_heads = kv_heads,
          .head_dim = head_dim, .vocabulary = vocabulary, .tied = tied,
          .layers = std::vector<LayerConfig>(layers, layer)};
}

/// Widths of a model that could be.
ModelConfig small() { return base("llama", 8, 2, 12, 4, 2, 4, 13); }

}  // namespace

TEST_CASE("config: counts are those of the real bases") {
  struct Row {
    ModelConfig config;
    Index gain_vectors, gains, parameters;
  };
  const Row rows[] = {
      {base("llama", 2048, 16, 8192, 32, 8, 64, 128256), 33, 67584, 1235814400},
      {base("qwen2", 1536, 28, 8960, 12, 2, 128, 151936, {.biases = {Site::query, Site::key, Site::value}}), 57, 87552,
       1543714304},
      {base("gemma3", 1152, 26, 6912, 4, 1, 256, 262144,
            {.norms = {Site::attention_norm, Site::query_norm, Site::key_norm, Site::attention_post_norm,
                       Site::mlp_norm, Site::mlp_post_norm}}),
       157, 134272, 999885952},
      {base("phi3", 3072, 32, 8192, 32, 32, 96, 32064, {}, false), 65, 199680, 3821079552},
      {base("bitnet", 2560, 30, 6912, 20, 5, 128, 128256,
            {.norms = {Site::attention_norm, Site::attention_sub_norm, Site::mlp_norm, Site::mlp_sub_norm}}),
       121, 440320, 2412820480},
      {base("llama", 576, 30, 1536, 9, 3, 64, 49152), 61, 35136, 134515008},
  };
  for (const Row& row : rows) {
    CAPTURE(row.config.architecture);
    validate(row.config, "test");
    CHECK(gain_vectors(row.config) == row.gain_vectors);
    CHECK(gains(row.config) == row.gains);
    CHECK(parameters(row.config) == row.parameters);
  }
}

TEST_CASE("config: a site is there where the layer calls for it") {
  ModelConfig c = small();
  c.layers[1].norms.add(Site::key_norm);
  CHECK_FALSE(site_shape(c, {0, Site::key_norm}));
  REQUIRE(site_shape(c, {1, Site::key_norm}));
  CHECK(site_shape(c, {1, Site::key_norm})->out == 4);
  CHECK(site_shape(c, {0, Site::down})->in == 12);
  CHECK(site_shape(c, {-1, Site::head})->out == 13);
  for (const SiteId id : {SiteId{-1, Site::query}, {0, Site::final_norm}, {0, Site::head}, {2, Site::query}, {-2, Site::final_norm}})
    CHECK_FALSE(site_shape(c, id));
}

TEST_CASE("config: what cannot be a model is refused by name") {
  const auto message = [](auto&& spoil) -> std::string {
    ModelConfig c = small();
    spoil(c);
    try {
      validate(c, "m.gguf");
    } catch (const ValueError& e) {
      return e.what();
    }
    return "accepted";
  };
  CHECK(message([](ModelConfig&) {}) == "accepted");
  CHECK(message([](ModelConfig& c) { c.hidden = 0; }) == "m.gguf: expected hidden width in [1, 2^24), got 0");
  CHECK(message([](ModelConfig& c) { c.layers.clear(); }) == "m.gguf: expected layers in [1, 10000), got 0");
  CHECK(message([](ModelConfig& c) { c.head_dim = 5; }) == "m.gguf: expected an even head width in [2, 65536), got 5");
  CHECK(message([](ModelConfig& c) { c.epsilon = std::numeric_limits<double>::quiet_NaN(); }) ==
        "m.gguf: expected a positive epsilon, got nan");
  CHECK(message([](ModelConfig& c) { c.layers[1].window = -1; }) ==
        "m.gguf: expected a window of 0 or more in layer 1, got -1");
  CHECK(message([](ModelConfig& c) { c.layers[1].rope.rotated = 6; }) ==
        "m.gguf: expected an even number of rotated channels within the head in layer 1, got 6");
  CHECK(message([](ModelConfig& c) { c.layers[0].rope.divisors = {1}; }) ==
        "m.gguf: expected 2 rope divisors, half the rotated width, or none in layer 0, got 1");
  CHECK(message([](ModelConfig& c) { c.layers[0].rope.long_divisors = {1, 2}; }) ==
        "m.gguf: expected an original context above 0 in layer 0, got 0");
}
