#include "tern/train/adam.hpp"

#include <optional>

#include "support/bf16_numbers.hpp"
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

namespace {

/// A matrix that trains with its state in bf16, and Adam on it.
struct Narrow {
  explicit Narrow(Matrix<float> value, const AdamOptions& options = {}) : parameter(std::move(value)) {
    parameter.takes_bf16 = true;
    adam.emplace(options, Trainable<float>(StateType::bf16, parameter));
  }
  Bf16Matrix& gradient() { return adam->trainable().gradients().held(0).bf16(); }
  Matrix<float> m() const { return widened(adam->state().moments[0].bf16()); }
  Matrix<float> v() const { return widened(adam->state().moments[1].bf16()); }

  Parameter<float> parameter;
  std::optional<Adam<float>> adam;
};

}  // namespace

TEST_CASE("adam: moments are in bf16 where gradients are") {
  Parameter<float> matrix(Matrix<float>::Ones(2, 3)), row(Matrix<float>::Ones(1, 3));
  matrix.takes_bf16 = row.takes_bf16 = true;
  const Adam<float> adam({}, Trainable<float>(StateType::bf16, matrix, row));
  REQUIRE(adam.state().moments.size() == 4);
  for (const std::size_t i : {0, 2}) CHECK(adam.state().moments[i].type() == StateType::bf16);
  for (const std::size_t i : {1, 3}) CHECK(adam.state().moments[i].type() == StateType::full);
  Adam<float> full({}, matrix, row);
  CHECK_THROWS_WITH_AS(full.restore(adam.state()), "adam state: expected moment 0 in full, got bf16", ValueError);
}

TEST_CASE("adam: under a constant gradient bf16's moments reach their limits, which v to nearest never would") {
  // E v = 1 - 0.999^t after t steps, of gradients 1. A step's rounding has a variance of at most u^2 / 4, u <= 2^-7 the
  // distance of neighbours below 2, and is forgotten by 0.999 a step: sum 0.999^(2s) / 4 <= 125 u^2 in all, so that v's
  // deviation is at most 11.2 u = 0.088, and that of a mean over 4096 numbers 0.0014: five of them.
  const Index steps = 3000;
  Narrow narrow(Matrix<float>::Zero(64, 64));
  fill(narrow.gradient(), 1);
  float nearest = 0;
  for (Index t = 0; t < steps; ++t) {
    narrow.adam->step(1e-3);
    nearest = kernels::to_float(kernels::to_bf16(nearest * 0.999f + 0.001f));
  }
  const double expected = 1 - std::pow(0.999, static_cast<double>(steps));
  CHECK(std::abs(narrow.v().cast<double>().mean() - expected) <= 5 * 0.0014);
  CHECK(std::abs(narrow.m().cast<double>().mean() - 1) <= 5 * 0.0014);
  CHECK(nearest < 0.6);  // far below 0.95
}

TEST_CASE("adam: once gradients are small bf16's v comes down, which to nearest it never would") {
  Narrow narrow(Matrix<float>::Zero(64, 64));
  fill(narrow.gradient(), 1);
  for (int t = 0; t < 100; ++t) narrow.adam->step(1e-3);
  const double high = narrow.v().cast<double>().mean();
  narrow.gradient().set_zero();
  for (int t = 0; t < 1000; ++t) narrow.adam->step(1e-3);
  // As above, relative to v: the deviation of a mean is at most 11.2 * 2^-7 / 64 = 0.0014 of the greatest v.
  CHECK(std::abs(narrow.v().cast<double>().mean() - high * std::pow(0.999, 1000)) <= 5 * 0.0014 * high);
}

TEST_CASE("adam: steps in bf16 give the same bits with any number of threads, of a seed, and allocate nothing") {
  Matrix<float> first;
  std::optional<OptimizerState<float>> first_state;
  for (const Index threads : {1, 2, 3}) {
    CAPTURE(threads);
    Random random(3);
    Matrix<float> value(300, 301), drawn(300, 301);
    fill_normal(value, random, 1);
    Narrow narrow(value, {.weight_decay = 0.01, .seed = 7});
    ThreadPool pool(threads);
    for (int t = 0; t < 3; ++t) {
      fill_normal(drawn, random, 1);
      narrow.gradient() = narrowed(drawn);
      const NoAllocation guard;
      narrow.adam->step(0.01, pool.parallel());
    }
    if (threads == 1) {
      first = narrow.parameter.value;
      first_state = narrow.adam->state();
    }
    CHECK(narrow.parameter.value == first);
    CHECK(narrow.adam->state().moments == first_state->moments);
  }
  Narrow other(Matrix<float>::Ones(300, 301), {.seed = 8}), same(Matrix<float>::Ones(300, 301), {.seed = 7});
  Narrow again(Matrix<float>::Ones(300, 301), {.seed = 7});
  for (Narrow* n : {&other, &same, &again}) {
    fill(n->gradient(), 0.7f);
    n->adam->step(0.01);
  }
  CHECK(same.adam->state().moments == again.adam->state().moments);
  CHECK(!(same.adam->state().moments == other.adam->state().moments));
  CHECK(same.m() != other.m());
}

TEST_CASE("adam: where no gradient ever came, the value alone changes, to the bits of the rest") {
  Random random(9);
  Matrix<float> value(40, 1024), drawn(40, 1024);
  fill_normal(value, random, 1);
  for (const double decay : {0.0, 0.3}) {
    CAPTURE(decay);
    const AdamOptions options{.weight_decay = decay, .seed = 3};
    Narrow narrow(value, options);
    Matrix<float> expected = value;
    Bf16Matrix m(40, 1024), v(40, 1024);
    for (int t = 1; t <= 3; ++t) {
      fill_normal(drawn, random, 1);
      for (const Index row : {0, 7, 8, 31, 39})
        if (row != 8 || t != 2) drawn.row(row).setZero();  // one row has a gradient once
      narrow.gradient() = narrowed(drawn);
      narrow.adam->step(0.01);
      const auto factors = [&] {
        const double rate = 0.01 / (1 - std::pow(options.beta1, t)), root = std::sqrt(1 - std::pow(options.beta2, t));
        return kernels::AdamStep<float>{.keep = static_cast<float>(1 - 0.01 * decay),
                                        .pull = 0,
                                        .fresh1 = static_cast<float>(1 - options.beta1),
                                        .beta2 = static_cast<float>(options.beta2),
                                        .fresh2 = static_cast<float>(1 - options.beta2),
                                        .step = static_cast<float>(rate),
                                        .root_scale = 1 / static_cast<float>(root),
                                        .epsilon = static_cast<float>(options.epsilon)};
      }();
      constexpr Index piece = 1 << 14;
      for (Index i = 0; i < value.size(); i += piece)
        kernels::best_table().operations<float>().adam_bf16(
            factors, std::min(piece, value.size() - i), narrow.gradient().data() + i, expected.data() + i, m.data() + i,
            v.data() + i, detail::rounding_seed(options.seed, t, 0, i));
    }
    CHECK(narrow.parameter.value == expected);
    CHECK(narrow.adam->state().moments[0].bf16() == m);
    CHECK(narrow.adam->state().moments[1].bf16() == v);
    CHECK((narrow.parameter.value.row(7) == value.row(7)) == (decay == 0));
  }
}

TEST_CASE("adam: the noise of steps, parameters and pieces differs") {
  CHECK(detail::rounding_seed(1, 2, 3, 4) == detail::rounding_seed(1, 2, 3, 4));
  const std::uint32_t one = detail::rounding_seed(1, 2, 3, 4);
  CHECK(detail::rounding_seed(2, 2, 3, 4) != one);
  CHECK(detail::rounding_seed(1, 3, 3, 4) != one);
  CHECK(detail::rounding_seed(1, 2, 4, 4) != one);
  CHECK(detail::rounding_seed(1, 2, 3, 5) != one);
  CHECK(detail::rounding_seed(2, 1, 3, 4) != detail::rounding_seed(1, 2, 3, 4));
}

TEST_CASE("adam: a restored state in bf16 goes on with the same bits") {
  Random random(4);
  Matrix<float> value(40, 50);
  fill_normal(value, random, 1);
  const auto step = [](Narrow& n) {
    n.gradient() = narrowed(n.parameter.value);  // of half the sum of squares
    n.adam->step(0.01);
  };
  Narrow straight(value);
  for (int t = 0; t < 2; ++t) step(straight);
  Narrow second(straight.parameter.value);
  second.adam->restore(straight.adam->state());
  for (int t = 0; t < 3; ++t) {
    step(straight);
    step(second);
  }
  CHECK(second.parameter.value == straight.parameter.value);
  CHECK(second.adam->state().moments == straight.adam->state().moments);
}

TEST_CASE("adam: a toy in bf16 comes to float's loss") {
  // Least squares with 64 targets for each row, noisy: the loss of the best weights is not 0.
  Random random(6);
  Matrix<float> x(64, 20), truth(8, 20), noise(64, 8);
  fill_normal(x, random, 1);
  fill_normal(truth, random, 1);
  fill_normal(noise, random, 0.5);
  const Matrix<float> y = x * truth.transpose() + noise;
  const auto loss_after = [&](StateType state) {
    Parameter<float> w(Matrix<float>::Zero(8, 20));
    w.takes_bf16 = true;
    Adam<float> adam({}, Trainable<float>(state, w));
    for (int t = 0; t < 600; ++t) {
      const Matrix<float> g = (x * w.value.transpose() - y).transpose() * x / 64;
      auto& gradient = adam.trainable().gradients().held(0);
      if (gradient.is_bf16())
        gradient = narrowed(g);
      else
        gradient = g;
      adam.step(t < 400 ? 0.02 : 0.002);
    }
    return (x * w.value.transpose() - y).squaredNorm() / 128;
  };
  const float full = loss_after(StateType::full), narrow = loss_after(StateType::bf16);
  CAPTURE(full);
  CHECK(full < 0.9);  // 8 outputs, half of 0.25 each, a little less by fitting
  CHECK(std::abs(narrow - full) < 0.01f * full);
}
