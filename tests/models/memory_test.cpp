/// What calls of a decoder leave in their cache: the memory of one block while scoring, of every block while training.
#include <cmath>
#include <limits>
#include <vector>

#include "support/tiny_models.hpp"
#include "tern/models/adapted.hpp"
#include "tern/weights/packed.hpp"

using namespace tern;
using namespace tern::test;

namespace {

ModelConfig of_layers(ModelConfig config, std::size_t layers) {
  const LayerConfig first = config.layers[0];
  config.layers.assign(layers, first);
  return config;
}

std::vector<Token> text(Index n) { return std::vector<Token>(static_cast<std::size_t>(n), 3); }

std::size_t scoring(const Decoder<float>& model, Index tokens) {
  const auto t = text(tokens);
  Decoder<float>::Cache cache;
  std::vector<double> nll(t.size());
  model.nll({}, t, t, cache, nll);
  return cache.bytes();
}

std::size_t training(const Decoder<float>& model, Index tokens, bool recompute = false) {
  const auto t = text(tokens);
  Decoder<float>::Cache cache;
  cache.recompute = recompute;
  Gradients<float> gradients;
  gradients.add(model.final_norm.gain);
  model.gradients({}, t, t, 1, cache, gradients);
  return cache.bytes();
}

}  // namespace

TEST_CASE("memory: scoring takes that of one block, however many layers there are") {
  for (const auto& family : tiny_families()) {
    CAPTURE(family.architecture);
    const std::size_t one = scoring(Decoder<float>(of_layers(family, 1)), 100);
    CHECK(one > 0);
    CHECK(scoring(Decoder<float>(of_layers(family, 2)), 100) == one);
    CHECK(scoring(Decoder<float>(of_layers(family, 7)), 100) == one);
  }
}

TEST_CASE("memory: training takes the same for each layer; computing blocks again only its input") {
  for (const auto& family : tiny_families()) {
    CAPTURE(family.architecture);
    const auto of = [&](std::size_t layers, bool recompute) {
      return training(Decoder<float>(of_layers(family, layers)), 100, recompute);
    };
    const std::size_t one = of(1, false), two = of(2, false);
    CHECK(two > one);
    CHECK(of(5, false) - two == 3 * (two - one));
    CHECK(two - one > 100 * 8 * sizeof(float));
    const std::size_t input = 100 * static_cast<std::size_t>(family.hidden) * sizeof(float);
    CHECK(of(1, true) == one);
    CHECK(of(2, true) == one + input);
    CHECK(of(5, true) == one + 4 * input);
  }
}

TEST_CASE("memory: of a long text it grows as the text, not as its square") {
  const Decoder<float> model(tiny_llama());
  // 4 heads x 1024 x 1024 probabilities are four times the budget: the scratch is full at either length.
  const std::size_t probabilities = static_cast<std::size_t>(CausalAttention<float>::budget) * sizeof(float);
  const std::size_t once = scoring(model, 1024), twice = scoring(model, 2048);
  CHECK(once > probabilities / 2);
  CHECK(twice < 2 * once);
  CHECK(twice < once + probabilities);
}

TEST_CASE("memory: what packed weights round their inputs to counts as well") {
  const auto quantized = [](WeightFormat format, Precision precision = Precision::mixed) {
    Decoder<float, Packed<float>, Packed<float>> model(tiny_llama());
    const auto dense = random_decoder<float>(tiny_llama(), 3);
    std::vector<const Matrix<float>*> weights;
    Decoder<float>::each_part(dense, [&](SiteId, const auto& part) {
      if constexpr (requires { part.weight; }) weights.push_back(&part.weight.parameter.value);
    });
    std::size_t i = 0;
    std::remove_cvref_t<decltype(model)>::each_part(model, [&](SiteId, auto& part) {
      if constexpr (requires { part.weight; }) part.weight = Packed<float>::quantize(*weights[i++], format);
    });
    const auto t = text(100);
    typename std::remove_cvref_t<decltype(model)>::Cache cache;
    std::vector<double> nll(t.size());
    Pass pass;
    pass.precision = precision;
    model.nll(pass, t, t, cache, nll);
    return cache.bytes();
  };
  CHECK(quantized(WeightFormat::q8, Precision::full) == quantized(WeightFormat::f32, Precision::full));
  // One shared by the blocks, as wide as the widest linear's input: a byte a channel and a scale a token.
  CHECK(quantized(WeightFormat::q8) >= quantized(WeightFormat::f32) + 100 * (12 + sizeof(float)));
  CHECK(quantized(WeightFormat::q8) <= quantized(WeightFormat::f32) + 2 * 100 * (16 + sizeof(float)));
}
