#include "tern/train/adam.hpp"

#include "support/no_allocation.hpp"
#include "tern/core/random.hpp"
#include "train/optimizer_cases.hpp"

using namespace tern;
using namespace tern::test;

TEST_CASE_TEMPLATE("adam: four steps give PyTorch's values", S, float, double) {
  check_four_steps<Adam<S>>(AdamOptions{}, {1.1274775860763608, -2.1275939575384091, 0.62217204735296172,
                                            0.38030881621718515, 2.7918585860621428, -1.1253954418646528});
  // torch.optim.Adam
  check_four_steps<Adam<S>>(
      AdamOptions{.beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-3, .weight_decay = 0.05, .decoupled = false},
      {1.1054116932677298, -2.1062247940723342, 0.57187977872990925, 0.37397065811119135, 2.7931254894869113,
       -1.0915485168148709});
  // torch.optim.AdamW
  check_four_steps<Adam<S>>(AdamOptions{.beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-3, .weight_decay = 0.05},
                            {1.1111060756441806, -2.1009795266128259, 0.60985014122714587, 0.37200288149005184,
                             2.7683712614708567, -1.1087965612896009});
}

TEST_CASE("adam: options outside their range are refused") {
  Parameter<float> p;
  CHECK_THROWS_WITH_AS(Adam<float>({.beta1 = 1}, p), "adam: expected a beta in [0, 1), got 1.000000", ValueError);
  CHECK_THROWS_WITH_AS(Adam<float>({.beta2 = -0.5}, p), "adam: expected a beta in [0, 1), got -0.500000", ValueError);
  CHECK_THROWS_WITH_AS(Adam<float>({.epsilon = -1}, p), "adam: expected an epsilon of 0 or more, got -1.000000",
                       ValueError);
  CHECK_THROWS_WITH_AS(Adam<float>({.weight_decay = -1}, p),
                       "adam: expected a weight decay of 0 or more, got -1.000000", ValueError);
}

TEST_CASE("adam: vectors may be spared the decay") {
  Parameter<double> gain(Matrix<double>::Ones(1, 3)), weight(Matrix<double>::Ones(2, 3));
  for (const bool decoupled : {true, false}) {
    CAPTURE(decoupled);
    gain.value.setOnes();
    weight.value.setOnes();
    Adam<double> adam({.weight_decay = 0.5, .decoupled = decoupled, .decay_vectors = false}, gain, weight);
    adam.step(0.1);
    CHECK(gain.value == Matrix<double>::Ones(1, 3));
    CHECK((weight.value.array() < 1).all());
  }
}

TEST_CASE("adam: a restored state goes on with the same bits") {
  auto straight = before_four_steps<float>();
  Adam<float> uninterrupted({}, straight);
  auto p = before_four_steps<float>();
  OptimizerState<float> saved;
  {
    Adam<float> first({}, p);
    for (int t = 1; t <= 2; ++t) take_step(first, p, t);
    saved = first.state();
  }
  Adam<float> second({}, p);
  second.restore(saved);
  for (int t = 1; t <= 4; ++t) take_step(uninterrupted, straight, t);
  for (int t = 3; t <= 4; ++t) take_step(second, p, t);
  CHECK(second.state().steps == 4);
  CHECK(p.value == straight.value);
}

TEST_CASE("adam: a state of other parameters is refused") {
  auto p = before_four_steps<float>();
  Adam<float> adam({}, p);
  OptimizerState<float> state = adam.state();
  state.moments.pop_back();
  CHECK_THROWS_WITH_AS(adam.restore(state), "adam state: expected 2 moments, got 1", ShapeError);
  state.moments.push_back(Matrix<float>::Zero(3, 2));
  CHECK_THROWS_WITH_AS(adam.restore(state), "adam state: expected moment 1 [2 x 3], got [3 x 2]", ShapeError);
}

TEST_CASE("adam: a step allocates nothing; any number of threads gives the same bits") {
  Matrix<float> first;
  for (const Index threads : {1, 2, 5}) {
    CAPTURE(threads);
    Random random(3);
    Parameter<float> p(Matrix<float>(300, 301));
    fill_normal(p.value, random, 1);
    Adam<float> adam({.weight_decay = 0.01}, p);
    ThreadPool pool(threads);
    for (int t = 0; t < 3; ++t) {
      fill_normal(adam.trainable().gradients()[0], random, 1);
      const NoAllocation guard;
      adam.step(0.01, pool.parallel());
    }
    if (threads == 1) first = p.value;
    CHECK(p.value == first);
  }
}
