#include "tern/train/trainable.hpp"

#include <doctest/doctest.h>

#include "support/bf16_numbers.hpp"
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

TEST_CASE("trainable: collects the parameters of any number of layers, in order, each once") {
  Pair one, two;
  Trainable<float> trainable(one);
  trainable.collect(two, [](std::string_view path) { return path == "a"; });
  REQUIRE(trainable.size() == 3);
  CHECK(&trainable.parameter(0) == &one.a);
  CHECK(&trainable.parameter(1) == &one.b);
  CHECK(&trainable.value(2) == &two.a.value);
  CHECK(trainable.count() == 11);
  trainable.collect(two);
  REQUIRE(trainable.size() == 4);
  CHECK(trainable.count() == 14);
  for (std::size_t i = 0; i < 4; ++i)
    CHECK(trainable.gradients().find(trainable.parameter(i)) == &trainable.gradients()[i]);

  trainable.gradients()[3].setConstant(2);
  trainable.scale_gradients(3);
  CHECK(trainable.gradients().of(two.b).isApproxToConstant(6));
  trainable.zero_gradients();
  CHECK(trainable.gradients().of(two.b).isZero());
}

TEST_CASE("trainable: the pieces hold every number once") {
  Parameter<float> small(Matrix<float>::Ones(1, 5)), large(Matrix<float>::Ones(300, 301));
  Trainable<float> trainable(small, large);
  int pieces = 0;
  trainable.each_piece({}, [&](const auto& piece) {
    for (Index i = piece.begin; i < piece.end; ++i) trainable.gradients()[piece.parameter].data()[i] += 1;
    ++pieces;
  });
  CHECK(pieces > 2);
  CHECK(trainable.gradients().of(small) == small.value);
  CHECK(trainable.gradients().of(large) == large.value);
}

TEST_CASE("clip: measures the joint norm, and shrinks what exceeds the limit") {
  Pair pair;
  Trainable<float> trainable(pair);
  Matrix<float>&da = trainable.gradients()[0], &db = trainable.gradients()[1];
  da.setConstant(1);
  db << 2, 2, 2;  // norm sqrt(4 + 12) = 4
  CHECK(clip_gradients(trainable, 5) == 4);
  CHECK(db(0, 1) == 2);
  CHECK(clip_gradients(trainable, 1) == 4);
  CHECK(db(0, 1) == doctest::Approx(0.5));
  CHECK(trainable.gradient_norm() == doctest::Approx(1));
  CHECK(clip_gradients(trainable, std::numeric_limits<double>::infinity()) == doctest::Approx(1));

  da(1, 1) = std::numeric_limits<float>::quiet_NaN();
  CHECK(std::isnan(clip_gradients(trainable, 0.1)));
  CHECK(db(0, 1) == doctest::Approx(0.5));
  CHECK_THROWS_WITH_AS(clip_gradients(trainable, 0), "clip: expected a limit above 0, got 0.000000", ValueError);
}

TEST_CASE("clip: any number of threads gives the same bits, without allocation") {
  double first_norm = 0;
  Matrix<float> first;
  for (const Index threads : {1, 2, 5}) {
    CAPTURE(threads);
    Random random(5);
    Parameter<float> p(Matrix<float>::Zero(257, 311));
    Trainable<float> trainable(p);
    Matrix<float>& gradient = trainable.gradients()[0];
    fill_normal(gradient, random, 1);
    ThreadPool pool(threads);
    double norm;
    {
      const NoAllocation guard;
      norm = clip_gradients(trainable, 1, pool.parallel());
    }
    if (threads == 1) {
      first_norm = norm;
      first = gradient;
      CHECK(norm == doctest::Approx(std::sqrt(257.0 * 311.0)).epsilon(0.01));
    }
    CHECK(norm == first_norm);
    CHECK(gradient == first);
  }
}

TEST_CASE("snapshot: goes back to what was saved") {
  Pair pair;
  Snapshot<float> snapshot((Trainable<float>(pair.a)));
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

namespace {

/// A matrix whose gradient may be in bf16, and a row whose gradient is not.
struct Mixed {
  template <class Self, class F>
  static void fields(Self& self, F&& f) {
    f("matrix", self.matrix);
    f("row", self.row);
  }
  Mixed() { matrix.takes_bf16 = row.takes_bf16 = true; }
  Parameter<float> matrix{Matrix<float>::Zero(257, 311)}, row{Matrix<float>::Zero(1, 311)};
};

}  // namespace

TEST_CASE("trainable: gradients in bf16 are cleared, scaled, measured and clipped as floats are") {
  double first_norm = 0;
  Bf16Matrix first;
  for (const Index threads : {1, 2, 3}) {
    CAPTURE(threads);
    ThreadPool pool(threads);
    Random random(5);
    Mixed mixed;
    Trainable<float> trainable(StateType::bf16, mixed);
    REQUIRE(trainable.gradients().held(0).is_bf16());
    CHECK(trainable.count() == 258 * 311);
    Matrix<float> drawn(257, 311);
    fill_normal(drawn, random, 1);
    Bf16Matrix& gradient = trainable.gradients().held(0).bf16();
    gradient = narrowed(drawn);
    trainable.gradients()[1].setConstant(2);
    const Matrix<float> before = widened(gradient);
    {
      const NoAllocation guard;
      const double norm = clip_gradients(trainable, 10, pool.parallel());
      const double expected = std::sqrt(before.cast<double>().squaredNorm() + 4 * 311);
      CHECK(norm == doctest::Approx(expected).epsilon(1e-12));
      if (threads == 1) first_norm = norm;
      CHECK(norm == first_norm);
    }
    const auto factor = static_cast<float>(10 / (first_norm + 1e-6));
    CHECK(gradient == narrowed(factor * before));
    CHECK(trainable.gradients()[1].isConstant(2 * factor, 0.f));
    if (threads == 1) first = gradient;
    CHECK(gradient == first);
    // Each rounding moves a number by 2^-8 of it at the most, and so the norm.
    CHECK(trainable.gradient_norm(pool.parallel()) == doctest::Approx(10).epsilon(kernels::bf16_rounding));
    trainable.zero_gradients(pool.parallel());
    CHECK(all_zero(gradient.size(), gradient.data()));
    CHECK(trainable.gradients()[1].isZero(0));
    CHECK(trainable.gradient_norm() == 0);
  }
}
