#include "tern/adapters/singular_directions.hpp"

#include <Eigen/SVD>

#include "support/gradient_check.hpp"
#include "tern/core/parallel.hpp"
#include "tern/weights/packed.hpp"

using namespace tern;
using namespace tern::test;

namespace {

using Dynamic = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic>;

/// [out x in] with singular values 1, 1/2, 1/3 ... in directions drawn at random.
template <class S>
Matrix<S> with_falling_values(Index out, Index in, std::uint64_t seed) {
  Random random(seed);
  const Dynamic noise = random_matrix<double>(out, in, random);
  const Eigen::JacobiSVD<Dynamic> svd(noise, Eigen::ComputeThinU | Eigen::ComputeThinV);
  Eigen::VectorXd values(std::min(out, in));
  for (Index i = 0; i < values.size(); ++i) values(i) = 1.0 / static_cast<double>(i + 1);
  return (svd.matrixU() * values.asDiagonal() * svd.matrixV().transpose()).template cast<S>();
}

/// Bounds follow from the residual of 128 epsilon: a value is off by no more than that, a direction by no more than
/// that over its gap to the nearest other value, which is at least 1/(rank * (rank + 1)).
template <class S, class W>
void check_against_jacobi(const W& weights, Index rank) {
  Dynamic w(weights.rows(), weights.columns());
  Matrix<S> row(1, weights.columns());
  for (Index r = 0; r < w.rows(); ++r) {
    weights.row(r, row.data());
    w.row(r) = row.template cast<double>();
  }
  const Eigen::JacobiSVD<Dynamic> svd(w, Eigen::ComputeThinU | Eigen::ComputeThinV);
  const auto found = singular_directions<S>({}, weights, rank);
  REQUIRE(found.rank() == rank);
  REQUIRE(found.in() == w.cols());
  REQUIRE(found.out() == w.rows());
  const double largest = svd.singularValues()(0), residual = 128 * double(std::numeric_limits<S>::epsilon()) * largest;
  for (Index i = 0; i < rank; ++i) {
    CAPTURE(i);
    const double size = svd.singularValues()(i);
    double gap = i > 0 ? svd.singularValues()(i - 1) - size : largest;
    if (i + 1 < svd.singularValues().size()) gap = std::min(gap, size - svd.singularValues()(i + 1));
    const double bound = 2 * residual / gap;
    Eigen::VectorXd v = svd.matrixV().col(i), u = svd.matrixU().col(i);
    Index at = 0;
    v.cwiseAbs().maxCoeff(&at);
    if (v(at) < 0) v = -v, u = -u;
    CHECK(std::abs(found.up.col(i).template cast<double>().norm() - size) <= residual);
    CHECK((found.down.row(i).transpose().template cast<double>() - v).norm() <= bound);
    CHECK((found.up.col(i).template cast<double>() - size * u).norm() <= largest * bound);
  }
}

}  // namespace

TEST_CASE_TEMPLATE("singular directions are those of Eigen's JacobiSVD, wide or tall", S, float, double) {
  struct Shape {
    Index out, in, rank;
  };
  for (const Shape s : {Shape{40, 90, 5}, {90, 40, 5}, {70, 70, 1}, {33, 20, 8}, {200, 120, 3}}) {
    CAPTURE(s.out);
    CAPTURE(s.in);
    check_against_jacobi<S>(Dense<S>(with_falling_values<S>(s.out, s.in, 3)), s.rank);
  }
}

TEST_CASE("singular directions fill small weights, up to their rank") {
  for (const auto& [out, in] : {std::array<Index, 2>{1, 1}, {1, 7}, {7, 1}, {4, 6}, {6, 4}})
    check_against_jacobi<double>(Dense<double>(with_falling_values<double>(out, in, 5)), std::min(out, in));
}

TEST_CASE("singular directions of packed weights are those of what the format holds") {
  const Matrix<float> w = with_falling_values<float>(64, 96, 7);
  for (const WeightFormatInfo& f : weight_formats) {
    CAPTURE(f.name);
    check_against_jacobi<float>(Packed<float>::quantize(w, f.format), 3);
  }
}

TEST_CASE("singular directions of random weights, whose values lie close, keep their residual") {
  Random random(11);
  const Matrix<float> w = random_matrix<float>(150, 400, random);
  const auto found = singular_directions<float>({}, Dense<float>(w), 6);
  const float largest = found.up.col(0).norm();
  for (Index i = 0; i < 6; ++i) {
    const Eigen::VectorXf left = w * found.down.row(i).transpose();
    CHECK((left - found.up.col(i)).norm() <= 2 * 128 * std::numeric_limits<float>::epsilon() * largest);
    if (i > 0) CHECK(found.up.col(i).norm() <= found.up.col(i - 1).norm());
  }
  CHECK((found.down * found.down.transpose() - Matrix<float>::Identity(6, 6)).cwiseAbs().maxCoeff() < 1e-5f);
}

TEST_CASE("singular directions: weights of a lower rank have no more, and zeros none") {
  Random random(12);
  const Matrix<double> a = random_matrix<double>(50, 2, random), b = random_matrix<double>(2, 60, random);
  const auto found = singular_directions<double>({}, Dense<double>(a * b), 4);
  CHECK((found.up * found.down - a * b).cwiseAbs().maxCoeff() < 1e-11);
  CHECK(found.up.rightCols(2).norm() < 1e-11);
  CHECK(found.down.allFinite());
  const auto nothing = singular_directions<float>({}, Dense<float>(Matrix<float>::Zero(30, 20)), 2);
  CHECK(nothing.up.isZero(0));
  CHECK(nothing.down.allFinite());
}

TEST_CASE("singular directions: the same bits at any number of threads") {
  const Dense<float> w(with_falling_values<float>(300, 170, 13));
  const auto alone = singular_directions<float>({}, w, 4);
  for (const Index threads : {2, 5}) {
    ThreadPool pool(threads);
    Pass pass;
    pass.parallel = pool.parallel();
    const auto found = singular_directions<float>(pass, w, 4);
    CHECK(found.down == alone.down);
    CHECK(found.up == alone.up);
  }
}

TEST_CASE("singular directions refuse ranks that weights do not have, and numbers that are not finite") {
  Matrix<float> w = Matrix<float>::Ones(3, 5);
  CHECK_THROWS_WITH_AS(singular_directions<float>({}, Dense<float>(w), 0),
                       "singular directions: expected a rank in [1, 3], got 0", ValueError);
  CHECK_THROWS_WITH_AS(singular_directions<float>({}, Dense<float>(w), 4),
                       "singular directions: expected a rank in [1, 3], got 4", ValueError);
  w(1, 2) = std::numeric_limits<float>::infinity();
  CHECK_THROWS_WITH_AS(singular_directions<float>({}, Dense<float>(w), 1),
                       "singular directions: expected finite weights, got others", ValueError);
}
