#include "tern/train/sgd.hpp"

#include "support/bf16_numbers.hpp"
#include "support/no_allocation.hpp"
#include "tern/core/random.hpp"
#include "train/optimizer_cases.hpp"

using namespace tern;
using namespace tern::test;

TEST_CASE_TEMPLATE("sgd: four steps give PyTorch's values", S, float, double) {
  check_four_steps<Sgd<S>>(SgdOptions{}, {1.0378004339562914, -2.0756008679125828, 0.50693552416627075,
                                          0.40900876863751046, 2.9937543737501247, -1.0218475102071249});
  check_four_steps<Sgd<S>>(SgdOptions{.momentum = 0.9, .weight_decay = 0.05},
                           {1.0534448407262222, -2.1068896814524445, 0.50403566608144446, 0.54694563870238888,
                            2.9334669793620001, -1.0231958350173331});
  check_four_steps<Sgd<S>>(SgdOptions{.momentum = 0.9, .weight_decay = 0.05, .nesterov = true},
                           {1.0746970299576106, -2.1493940599152213, 0.5052547145342221, 0.66984676304669222,
                            2.9031530854270007, -1.0319052960314998});
}

TEST_CASE("sgd: options outside their range are refused") {
  Parameter<float> p;
  CHECK_THROWS_WITH_AS(Sgd<float>({.momentum = 1}, p), "sgd: expected a momentum in [0, 1), got 1.000000", ValueError);
  CHECK_THROWS_WITH_AS(Sgd<float>({.weight_decay = -1}, p), "sgd: expected a weight decay of 0 or more, got -1.000000",
                       ValueError);
  CHECK_THROWS_WITH_AS(Sgd<float>({.nesterov = true}, p), "sgd: nesterov needs a momentum above 0, got 0", ValueError);
}

TEST_CASE("sgd: vectors may be spared the decay") {
  Parameter<double> gain(Matrix<double>::Ones(1, 3)), weight(Matrix<double>::Ones(2, 3));
  Sgd<double> sgd({.weight_decay = 0.5, .decay_vectors = false}, gain, weight);
  sgd.step(0.1);
  CHECK(gain.value == Matrix<double>::Ones(1, 3));
  CHECK(weight.value.isApproxToConstant(0.95));
}

TEST_CASE("sgd: a step allocates nothing, and keeps no velocity without momentum") {
  auto p = before_four_steps<float>();
  Sgd<float> plain({}, p), heavy({.momentum = 0.9}, p);
  CHECK(plain.state().moments.empty());
  CHECK(heavy.state().moments.size() == 1);
  const NoAllocation guard;
  plain.step(0.1);
  heavy.step(0.1);
}

TEST_CASE("sgd: with gradients and velocities in bf16 it follows the float one, with the same bits on any threads") {
  Matrix<float> first;
  for (const Index threads : {1, 2, 3}) {
    CAPTURE(threads);
    ThreadPool pool(threads);
    Random random(3);
    Parameter<float> narrow(Matrix<float>::Zero(300, 301)), full(Matrix<float>::Zero(300, 301));
    narrow.takes_bf16 = true;
    const SgdOptions options{.momentum = 0.9, .weight_decay = 0.01, .nesterov = true};
    Sgd<float> a(options, Trainable<float>(StateType::bf16, narrow)), b(options, full);
    CHECK(a.state().moments[0].is_bf16());
    Matrix<float> drawn(300, 301);
    for (int t = 0; t < 4; ++t) {
      fill_normal(drawn, random, 1);
      const Bf16Matrix rounded = narrowed(drawn);
      a.trainable().gradients().held(0).bf16() = rounded;
      b.trainable().gradients()[0] = widened(rounded);
      b.step(0.1);
      const NoAllocation guard;
      a.step(0.1, pool.parallel());
    }
    // Velocities are at most 16 here (four gradients below 5), their neighbours 2^-4 apart: four roundings at most.
    CHECK((narrow.value - full.value).cwiseAbs().maxCoeff() <= 4 * 0.1f * 4 * 0x1p-4f);
    CHECK(std::abs((narrow.value - full.value).cast<double>().mean()) <= 1e-4);  // at random: right on average
    if (threads == 1) first = narrow.value;
    CHECK(narrow.value == first);
  }
}

TEST_CASE("sgd: under a constant gradient a velocity in bf16 reaches its limit, which to nearest it never would") {
  // v = 500 * (1 - 0.998^t) on average. Neighbours below 512 are 2 apart: a step's rounding has a variance of at most 1,
  // forgotten by 0.998 a step, sum 0.998^(2s) <= 250.3; a mean over 4096 numbers deviates by 0.25.
  Parameter<float> p(Matrix<float>::Zero(64, 64));
  p.takes_bf16 = true;
  Sgd<float> sgd({.momentum = 0.998}, Trainable<float>(StateType::bf16, p));
  fill(sgd.trainable().gradients().held(0).bf16(), 1);
  float nearest = 0;
  for (int t = 0; t < 2000; ++t) {
    sgd.step(1e-6);
    nearest = kernels::to_float(kernels::to_bf16(0.998f * nearest + 1));
  }
  const double mean = widened(sgd.state().moments[0].bf16()).cast<double>().mean();
  CHECK(std::abs(mean - 500 * (1 - std::pow(0.998, 2000))) <= 5 * 0.25);
  CHECK(nearest <= 256);
}
