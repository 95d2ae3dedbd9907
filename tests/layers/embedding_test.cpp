#include "tern/layers/embedding.hpp"

#include "support/bf16_numbers.hpp"
#include "support/gradient_check.hpp"
#include "support/no_allocation.hpp"
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

TEST_CASE("embedding: a gradient in bf16 gets the sum of a token's rows, rounded once, in any number of threads") {
  Random random(3);
  const Index vocabulary = 12, channels = 150;
  const Embedding<float> embedding(random_matrix<float>(vocabulary, channels, random), 1.5f);
  const std::vector<Token> tokens{3, 11, 3, 0, 3, 3, 11, 5};
  const Matrix<float> dy = random_matrix<float>(8, channels, random);
  const Bf16Matrix before = narrowed(random_matrix<float>(vocabulary, channels, random));
  Gradients<float> full(embedding);
  embedding.backward({}, tokens, dy, full);
  for (const Index threads : {1, 2, 3}) {
    ThreadPool pool(threads);
    Pass pass;
    pass.parallel = pool.parallel();
    Gradients<float> narrow(StateType::bf16, embedding);
    narrow.held(0).bf16() = before;
    embedding.backward(pass, tokens, dy, narrow);
    CHECK(narrow.held(0).bf16() == narrowed(widened(before) + full[0]));
    const NoAllocation guard;
    embedding.backward(pass, tokens, dy, narrow);
  }
}

TEST_CASE("embedding: many small gradients of one token are not lost beside a large one in bf16") {
  const Embedding<float> embedding(Matrix<float>(Matrix<float>::Ones(2, 3)));
  const std::vector<Token> tokens(512, 1);
  Gradients<float> gradients(StateType::bf16, embedding);
  fill(gradients.held(0).bf16(), 256);
  embedding.backward({}, tokens, Matrix<float>::Constant(512, 3, 0.25f), gradients);  // each a fourth of a step
  CHECK(widened(gradients.held(0).bf16()).row(1).isConstant(256 + 128));
}
