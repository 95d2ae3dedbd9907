#include "tern/statistics/variance.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "tern/core/random.hpp"

using namespace tern;
using namespace tern::statistics;
using doctest::Approx;

namespace {

Matrix<double> table(Index seeds, Index documents, std::initializer_list<double> values) {
  Matrix<double> y(seeds, documents);
  std::copy(values.begin(), values.end(), y.data());
  return y;
}

/// Deviations of the parts of one user's table.
struct Parts {
  double user, seed, document, residual;
};

Matrix<double> draw(Index seeds, Index documents, const Parts& parts, Random& random) {
  Matrix<double> y(seeds, documents);
  y.setConstant(parts.user * random.normal());
  for (Index s = 0; s < seeds; ++s) y.row(s).array() += parts.seed * random.normal();
  for (Index d = 0; d < documents; ++d) y.col(d).array() += parts.document * random.normal();
  for (Index i = 0; i < y.size(); ++i) y.data()[i] += parts.residual * random.normal();
  return y;
}

}  // namespace

TEST_CASE("variance: two users by hand") {
  // User 0: seeds -1 and 1, documents -2 and 2, no residual, mean 0. User 1: the same around 10.
  const std::vector<Matrix<double>> users = {table(2, 2, {-3, 1, -1, 3}), table(2, 2, {7, 11, 9, 13})};
  const VarianceComponents v = variance_components(users);
  CHECK(v.residual.value() == 0);
  CHECK(v.seed.value() == Approx(2));
  CHECK(v.document.value() == Approx(8));
  CHECK(v.user == Approx(50 - 1 - 4));
  CHECK(v.of_mean(2, 2, 2) == Approx(25));  // of the mean of these very users: their means' variance by 2

  // Seeds -1 and 1, documents -1 and 1, residual 1, -1, -1, 1 around 1: what seeds and documents differ in is residual.
  const VarianceComponents r =
      variance_components(std::vector<Matrix<double>>{table(2, 2, {0, 0, 0, 4}), table(2, 2, {10, 10, 10, 14})});
  CHECK(r.residual.value() == Approx(4));
  CHECK(r.seed.value() == Approx(0));
  CHECK(r.document.value() == Approx(0));
  CHECK(r.user == Approx(50 - 1));
}

TEST_CASE("variance: estimates are unbiased, users differ in seeds and documents") {
  const Parts parts{1, 0.5, 0.7, 0.4};
  Random random(2);
  double user = 0, seed = 0, document = 0, residual = 0;
  const int experiments = 2000;
  for (int e = 0; e < experiments; ++e) {
    std::vector<Matrix<double>> users;
    for (Index u = 0; u < 12; ++u) users.push_back(draw(2 + u % 3, 2 + u % 5, parts, random));
    const VarianceComponents v = variance_components(users);
    user += v.user / experiments;
    seed += v.seed.value() / experiments;
    document += v.document.value() / experiments;
    residual += v.residual.value() / experiments;
  }
  // A variance estimated from f values scatters by sqrt(2/f) of what it is estimated from, means of 2,000 by 1/45 of
  // that: five times that for f = 11 users (variance of means 1.4), 24 seeds (mean square as seed + residual / 4, 0.3),
  // ...
  CHECK(user == Approx(1).epsilon(5 * std::sqrt(2.0 / 11) * 1.4 / 44.7));
  CHECK(seed == Approx(0.25).epsilon(5 * std::sqrt(2.0 / 12) * 1.2 / 44.7));
  CHECK(document == Approx(0.49).epsilon(5 * std::sqrt(2.0 / 23) * 1.2 / 44.7));
  CHECK(residual == Approx(0.16).epsilon(5 * std::sqrt(2.0 / 48) / 44.7));
}

TEST_CASE("variance: the variance of a mean is that of simulated means") {
  const Parts parts{0.3, 0.5, 0.7, 0.4};
  const VarianceComponents truth{0.09, 0.25, 0.49, 0.16};
  Random random(3);
  double squares = 0;
  const int experiments = 4000;
  for (int e = 0; e < experiments; ++e) {
    double mean = 0;
    for (int u = 0; u < 6; ++u) mean += draw(2, 5, parts, random).mean() / 6;
    squares += mean * mean / experiments;
  }
  CHECK(squares == Approx(truth.of_mean(6, 2, 5)).epsilon(5 * std::sqrt(2.0 / experiments)));
}

TEST_CASE("variance: what a design cannot tell is absent, and goes into the next") {
  Random random(4);
  std::vector<Matrix<double>> one_seed, one_document, one_each;
  for (int u = 0; u < 400; ++u) {
    one_seed.push_back(draw(1, 4, {1, 0.5, 0.7, 0.4}, random));
    one_document.push_back(draw(3, 1, {1, 0.5, 0.7, 0.4}, random));
    one_each.push_back(draw(1, 1, {1, 0.5, 0.7, 0.4}, random));
  }
  const VarianceComponents a = variance_components(one_seed), b = variance_components(one_document),
                           c = variance_components(one_each);
  CHECK_FALSE(a.seed.has_value());
  CHECK_FALSE(a.residual.has_value());
  CHECK(a.document.value() == Approx(0.49 + 0.16).epsilon(5 * std::sqrt(2.0 / 1200)));
  CHECK(a.user == Approx(1 + 0.25).epsilon(5 * std::sqrt(2.0 / 399) * 1.2));
  CHECK_FALSE(b.document.has_value());
  CHECK(b.seed.value() == Approx(0.25 + 0.16).epsilon(5 * std::sqrt(2.0 / 800)));
  CHECK_FALSE(c.seed.has_value());
  CHECK_FALSE(c.document.has_value());
  CHECK(c.user == Approx(1 + 0.25 + 0.49 + 0.16).epsilon(5 * std::sqrt(2.0 / 399)));
}

TEST_CASE("variance: never below 0, and 0 where nothing varies") {
  // Documents that differ more than users do.
  const VarianceComponents v =
      variance_components(std::vector<Matrix<double>>{table(2, 2, {-5, 5, -5, 5}), table(2, 2, {-5, 5, -5, 5.1})});
  CHECK(v.user == 0);
  CHECK(v.seed.value() == 0);
  const VarianceComponents none =
      variance_components(std::vector<Matrix<double>>(3, Matrix<double>::Constant(2, 3, 0.5)));
  CHECK(none.user == 0);
  CHECK(none.seed.value() == 0);
  CHECK(none.document.value() == 0);
  CHECK(none.residual.value() == 0);
}

TEST_CASE("variance: tables without meaning are named") {
  const Matrix<double> good = table(1, 2, {1, 2}), broken = table(1, 2, {1, std::numeric_limits<double>::quiet_NaN()});
  CHECK_THROWS_WITH_AS(variance_components(std::vector<Matrix<double>>{good}),
                       "variance components: expected at least 2 users, got 1", ValueError);
  CHECK_THROWS_WITH_AS(variance_components(std::vector<Matrix<double>>{good, Matrix<double>(0, 2)}),
                       "variance components: user 1: expected [seeds x documents] finite values, got [0 x 2]",
                       ValueError);
  CHECK_THROWS_WITH_AS(
      variance_components(std::vector<Matrix<double>>{broken, good}),
      "variance components: user 0: expected [seeds x documents] finite values, got [1 x 2] with one that is not",
      ValueError);
}
