#include "tern/train/trainable.hpp"

#include <doctest/doctest.h>

#include "support/no_allocation.hpp"
#include "tern/core/random.hpp"
#include "tern/train/clip.hpp"
#include "tern/train/snapshot.hpp"

using namespace tern;
using namespace tern::test;

namespace {

struct Pair {
  template <class Self, class F>
  static void fields(Self& self, F&& f) {
    f("a", self.a);
    f("b", self.b);
  }
  Parameter<float> a{Matrix<float>::Ones(2, 2)}, b{Matrix<float>::Ones(1, 3)};
};

}  // namespace

TEST_CASE("trainable: collects what trains, of any number of layers, in order") {
  Pair one, two;
  set_trainable(one.b, true);
  set_trainable(two.a, true);
  Trainable<float> trainable(one, two);
  REQUIRE(trainable.size() == 2);
  CHECK(&trainable[0] == &one.b);
  CHECK(&trainable[1] == &two.a);
  CHECK(trainable.count() == 7);
  set_trainable(two.b, true);
  trainable.collect(two.b);
  CHECK(trainable.count() == 10);

  one.b.grad.setConstant(2);
  trainable.scale_gradients(3);
  CHECK(one.b.grad.isApproxToConstant(6));
  trainable.zero_gradients();
  CHECK(one.b.grad.isZero());
}

TEST_CASE("trainable: the pieces hold every number once") {
  Parameter<float> small(Matrix<float>::Ones(1, 5)), large(Matrix<float>::Ones(300, 301));
  set_trainable(small, true);
  set_trainable(large, true);
  const Trainable<float> trainable(small, large);
  int pieces = 0;
  trainable.each_piece({}, [&](const auto& piece) {
    for (Index i = piece.begin; i < piece.end; ++i) trainable[piece.parameter].grad.data()[i] += 1;
    ++pieces;
  });
  CHECK(pieces > 2);
  CHECK(small.grad == small.value);
  CHECK(large.grad == large.value);
}

TEST_CASE("clip: measures the joint norm, and shrinks what exceeds the limit") {
  Pair pair;
  set_trainable(pair.a, true);
  set_trainable(pair.b, true);
  Trainable<float> trainable(pair);
  pair.a.grad.setConstant(1);
  pair.b.grad << 2, 2, 2;  // norm sqrt(4 + 12) = 4
  CHECK(clip_gradients(trainable, 5) == 4);
  CHECK(pair.b.grad(0, 1) == 2);
  CHECK(clip_gradients(trainable, 1) == 4);
  CHECK(pair.b.grad(0, 1) == doctest::Approx(0.5));
  CHECK(trainable.gradient_norm() == doctest::Approx(1));
  CHECK(clip_gradients(trainable, std::numeric_limits<double>::infinity()) == doctest::Approx(1));

  pair.a.grad(1, 1) = std::numeric_limits<float>::quiet_NaN();
  CHECK(std::isnan(clip_gradients(trainable, 0.1)));
  CHECK(pair.b.grad(0, 1) == doctest::Approx(0.5));
  CHECK_THROWS_WITH_AS(clip_gradients(trainable, 0), "clip: expected a limit above 0, got 0.000000", ValueError);
}

TEST_CASE("clip: any number of threads gives the same bits, without allocation") {
  double first_norm = 0;
  Matrix<float> first;
  for (const Index threads : {1, 2, 5}) {
    CAPTURE(threads);
    Random random(5);
    Parameter<float> p(Matrix<float>::Zero(257, 311));
    set_trainable(p, true);
    fill_normal(p.grad, random, 1);
    Trainable<float> trainable(p);
    ThreadPool pool(threads);
    double norm;
    {
      const NoAllocation guard;
      norm = clip_gradients(trainable, 1, pool.parallel());
    }
    if (threads == 1) {
      first_norm = norm;
      first = p.grad;
      CHECK(norm == doctest::Approx(std::sqrt(257.0 * 311.0)).epsilon(0.01));
    }
    CHECK(norm == first_norm);
    CHECK(p.grad == first);
  }
}

TEST_CASE("snapshot: goes back to what was saved") {
  Pair pair;
  set_trainable(pair.a, true);
  Snapshot<float> snapshot((Trainable<float>(pair)));
  pair.a.value.setConstant(2);
  pair.b.value.setConstant(2);
  snapshot.restore();
  CHECK(pair.a.value.isApproxToConstant(1));
  CHECK(pair.b.value.isApproxToConstant(2));  // frozen: not the snapshot's
  pair.a.value.setConstant(3);
  const NoAllocation guard;
  snapshot.save();
  pair.a.value.setZero();
  snapshot.restore();
  REQUIRE(pair.a.value(0, 0) == 3);
}
