#include "tern/adapters/user_gain.hpp"

#include "support/layer_contract.hpp"
#include "tern/layers/rms_norm.hpp"

using namespace tern;
using namespace tern::test;

namespace {

/// What the norm that a gain is attached to gives.
template <class S>
Matrix<S> norm_output(const Matrix<S>& gain, const Matrix<S>& x) {
  RmsNorm<S> norm(gain.cols());
  norm.gain.value = gain;
  typename RmsNorm<S>::Cache cache;
  Matrix<S> y(x.rows(), x.cols());
  norm.forward({}, x, cache, y);
  return y;
}

}  // namespace

TEST_CASE_TEMPLATE("UserGain keeps the adapter contract, users mixed in one batch", S, float, double) {
  Random random(1);
  const Matrix<S> base = random_matrix<S>(1, 8, random);
  const auto normed = [&](const Matrix<S>& x) { return norm_output(base, x); };
  const Index users[] = {0, 2, 2, 1, 0};
  Pass pass;
  pass.user = users;
  for (const GainKind kind : {GainKind::relative, GainKind::absolute})
    check_adapter_contract(UserGain<S>(kind, base, S(1e-6), 3), {.tokens = 5, .seed = 3}, pass, normed);
}

TEST_CASE("UserGain starts as no change, and its two kinds write the same gain") {
  Random random(4);
  RmsNorm<double> norm(8);
  norm.gain.value = random_matrix<double>(1, 8, random);
  const Matrix<double> x = random_matrix<double>(3, 8, random);
  RmsNorm<double>::Cache cache;
  Matrix<double> y(3, 8);
  norm.forward({}, x, cache, y);
  const Matrix<double> factor = random_matrix<double>(1, 8, random);
  Matrix<double> edited[2];
  for (const GainKind kind : {GainKind::relative, GainKind::absolute}) {
    UserGain<double> gain(kind, norm.gain.value, norm.eps);
    UserGain<double>::Cache c;
    Matrix<double> same = y;
    gain.forward({}, x, c, same);
    CHECK((same - y).cwiseAbs().maxCoeff() < 1e-14);
    gain.gain.value = kind == GainKind::relative ? factor : Matrix<double>(factor.cwiseProduct(norm.gain.value));
    Matrix<double>& e = edited[kind == GainKind::absolute];
    e = y;
    gain.forward({}, x, c, e);
  }
  CHECK((edited[0] - edited[1]).cwiseAbs().maxCoeff() < 1e-14);
}

TEST_CASE("UserGain refuses a user it does not have") {
  UserGain<float> gain(GainKind::relative, Matrix<float>::Ones(1, 4), 1e-6f, 2);
  const Index users[] = {2};
  Pass pass;
  pass.user = users;
  Matrix<float> x(1, 4), y(1, 4);
  UserGain<float>::Cache cache;
  CHECK_THROWS_WITH_AS(gain.forward(pass, x, cache, y), "user gain: expected a user in [0, 2), got 2", ValueError);
}

TEST_CASE("UserGain: gradients go to the user of each row and to nobody else") {
  for (const GainKind kind : {GainKind::relative, GainKind::absolute}) {
    Random random(6);
    const Matrix<double> base = random_matrix<double>(1, 4, random);
    UserGain<double> gain(kind, base, 1e-6, 3);
    gain.gain.value = random_matrix<double>(3, 4, random);
    UserGain<double> alone(kind, base, 1e-6);
    alone.gain.value = gain.gain.value.row(2);
    const Matrix<double> x = random_matrix<double>(5, 4, random);
    const Matrix<double> y = norm_output(base, x);
    const Matrix<double> weight = random_matrix<double>(5, 4, random);
    struct Result {
      Matrix<double> y, dy, dx, dgain;
    };
    const auto run = [&](const UserGain<double>& g, std::vector<Index> users, Index first, Index rows) {
      Pass pass;
      pass.user = users;
      Result r{y.middleRows(first, rows), weight.middleRows(first, rows), Matrix<double>::Zero(rows, 4), {}};
      UserGain<double>::Cache cache;
      Gradients<double> gradients(g);
      g.forward(pass, x.middleRows(first, rows), cache, r.y);
      g.backward(pass, x.middleRows(first, rows), cache, r.dy, r.dx, gradients);
      r.dgain = gradients.of(g.gain);
      return r;
    };
    const Result mixed = run(gain, {0, 2, 2, 2, 0}, 0, 5), own = run(alone, {}, 1, 3);
    CHECK(mixed.y.middleRows(1, 3) == own.y);
    CHECK(mixed.dx.middleRows(1, 3) == own.dx);
    CHECK(mixed.dy.middleRows(1, 3) == own.dy);
    CHECK(mixed.dgain.row(2) == own.dgain.row(0));
    CHECK(mixed.dgain.row(1).isZero(0));
    CHECK_FALSE(mixed.dgain.row(0).isZero(0));
  }
}

TEST_CASE("UserGain keeps one number a token") {
  UserGain<float> gain(GainKind::absolute, Matrix<float>::Ones(1, 64), 1e-6f);
  UserGain<float>::Cache cache;
  const Matrix<float> x = Matrix<float>::Ones(10, 64);
  Matrix<float> y = x;
  gain.forward({}, x, cache, y);
  CHECK(cache.bytes() == 10 * sizeof(float));
}

TEST_CASE("UserGain refuses an output that is not its norm's: another adapter came before it") {
  Random random(7);
  const Matrix<float> base = random_matrix<float>(1, 8, random), x = random_matrix<float>(3, 8, random);
  UserGain<float> gain(GainKind::relative, base, 1e-6f);
  UserGain<float>::Cache cache;
  Matrix<float> y = norm_output(base, x) * 1.5f;
  CHECK_THROWS_AS(gain.forward({}, x, cache, y), ValueError);
  y = norm_output(base, x);
  gain.forward({}, x, cache, y);
}
