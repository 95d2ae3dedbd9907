#include "tern/models/with_weights.hpp"

#include <doctest/doctest.h>

#include <numeric>

#include "tern/weights/grouped.hpp"

using namespace tern;

TEST_CASE("with_weights: everything but the projections is copied, and they are converted one by one") {
  Decoder<double> model(ModelConfig{.hidden = 8,
                                    .layers = 2,
                                    .ffn = 12,
                                    .heads = 4,
                                    .kv_heads = 2,
                                    .head_dim = 4,
                                    .vocabulary = 13,
                                    .rope_theta = 100,
                                    .tied = false,
                                    .qkv_bias = true,
                                    .sub_norms = true});
  Random random(3);
  for_each_parameter(model, [&](std::string_view, auto& p) { fill_normal(p.value, random, 0.4); });
  const auto same = with_weights<Dense<double>>(model, [](const Dense<double>& w) { return w; });
  const auto eight = with_weights<Q8<double>>(model);

  std::vector<Token> tokens(11);
  std::iota(tokens.begin(), tokens.end(), 0);
  const auto run = [&](const auto& m) {
    typename std::remove_cvref_t<decltype(m)>::Cache cache;
    Matrix<double> hidden(11, 8);
    m.forward({}, tokens, cache, hidden);
    return hidden;
  };
  const Matrix<double> expected = run(model);
  CHECK(run(same) == expected);
  const Matrix<double> rounded = run(eight);
  CHECK(rounded != expected);
  CHECK((rounded - expected).norm() < 0.05 * expected.norm());
  CHECK(eight.head->parameter.value == model.head->parameter.value);
}
