#include "tern/train/sgd.hpp"

#include "support/no_allocation.hpp"
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
