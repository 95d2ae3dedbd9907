#include "tern/layers/embedding.hpp"

#include "support/gradient_check.hpp"
#include "tern/core/parallel.hpp"
#include "tern/weights/bf16.hpp"

using namespace tern;
using namespace tern::test;

TEST_CASE("embedding: rows of the table, times the scale, from every storage and in any number of threads") {
  Random random(1);
  const Index vocabulary = 67, channels = 19;
  const Matrix<float> table = random_matrix<float>(vocabulary, channels, random, 1);
  const std::vector<Token> tokens{0, 66, 31, 32, 33, 0, 65};
  const Embedding<float> dense(table, 1.5f);
  const Embedding<float, Bf16<float>> packed(Bf16<float>::quantize(table), 1.5f);
  CHECK(packed.vocabulary() == vocabulary);
  CHECK(packed.channels() == channels);
  for (const Index threads : {1, 3}) {
    ThreadPool pool(threads);
    Pass pass;
    pass.parallel = pool.parallel();
    Matrix<float> y(7, channels), rounded(7, channels);
    dense.forward(pass, tokens, y);
    packed.forward(pass, tokens, rounded);
    for (Index t = 0; t < 7; ++t)
      for (Index k = 0; k < channels; ++k) {
        const float w = table(tokens[static_cast<std::size_t>(t)], k);
        CHECK(y(t, k) == 1.5f * w);
        CHECK(rounded(t, k) == 1.5f * kernels::to_float(kernels::to_bf16(w)));
      }
  }
}

TEST_CASE("embedding: an id outside the vocabulary is refused before anything is written") {
  const Embedding<float, Bf16<float>> embedding(Bf16<float>::quantize(Matrix<float>::Ones(5, 3)));
  const std::vector<Token> tokens{1, 5};
  Matrix<float> y = Matrix<float>::Zero(2, 3);
  CHECK_THROWS_WITH_AS(embedding.forward({}, tokens, y), "embedding forward: token 1: expected an id in [0, 5), got 5",
                       ValueError);
  CHECK(y.isZero(0));
}
