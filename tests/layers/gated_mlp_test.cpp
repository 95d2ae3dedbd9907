#include "tern/layers/gated_mlp.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "support/layer_contract.hpp"

using namespace tern;
using namespace tern::test;
using kernels::Gate;

namespace {

template <class S>
GatedMlp<S> make(Index hidden, Index ffn, Gate kind, bool sub_norm) {
  Random random(21);
  GatedMlp<S> mlp;
  mlp.gate = Linear<S>(Dense<S>(random_matrix<S>(ffn, hidden, random, 0.5)));
  mlp.up = Linear<S>(Dense<S>(random_matrix<S>(ffn, hidden, random, 0.5)));
  mlp.down = Linear<S>(Dense<S>(random_matrix<S>(hidden, ffn, random, 0.5)));
  if (sub_norm) {
    mlp.sub_norm.emplace(ffn);
    mlp.sub_norm->gain.value = random_matrix<S>(1, ffn, random);
  }
  mlp.kind = kind;
  return mlp;
}

double activation(Gate kind, double z) {
  if (kind == Gate::silu) return z / (1 + std::exp(-z));
  if (kind == Gate::relu_squared) return z > 0 ? z * z : 0;
  return 0.5 * z * (1 + std::tanh(std::sqrt(2 / M_PI) * (z + 0.044715 * z * z * z)));
}

/// Scales what a site gives by a factor of its own and notes who called.
struct Scaling {
  using Scalar = double;
  struct Cache {
    std::vector<Site> forward, backward;
  };
  static double factor(Site site) { return 1 + 0.25 * static_cast<double>(static_cast<int>(site) % 5); }
  std::vector<SiteId> sites() const { return {}; }
  Index users() const { return 1; }
  void forward(SiteId id, const Pass&, In<double>, Cache& cache, Out<double> y) const {
    CHECK(id.layer == 3);
    cache.forward.push_back(id.site);
    y *= factor(id.site);
  }
  void backward(SiteId id, const Pass&, In<double>, Cache& cache, Out<double> dy, Out<double>,
                Gradients<double>&) const {
    cache.backward.push_back(id.site);
    dy *= factor(id.site);
  }
};

}  // namespace

TEST_CASE_TEMPLATE("GatedMlp keeps the layer contract", S, float, double) {
  for (const Gate kind : {Gate::silu, Gate::gelu_tanh, Gate::relu_squared})
    for (const bool sub_norm : {false, true})
      check_layer_contract(make<S>(5, 9, kind, sub_norm), {.tokens = 4, .in = 5, .out = 5, .seed = 3});
}

TEST_CASE("GatedMlp computes down(sub_norm(f(gate x) * up x))") {
  for (const Gate kind : {Gate::silu, Gate::gelu_tanh, Gate::relu_squared})
    for (const bool sub_norm : {false, true}) {
      const auto mlp = make<double>(5, 9, kind, sub_norm);
      Random random(4);
      const Matrix<double> x = random_matrix<double>(3, 5, random);
      Matrix<double> y(3, 5);
      GatedMlp<double>::Cache cache;
      mlp.forward({}, x, cache, y);
      Matrix<double> between = x * mlp.gate.weight.parameter.value.transpose();
      between = between.unaryExpr([&](double z) { return activation(kind, z); })
                    .cwiseProduct(x * mlp.up.weight.parameter.value.transpose());
      if (sub_norm)
        for (Index t = 0; t < 3; ++t)
          between.row(t) = between.row(t).cwiseProduct(mlp.sub_norm->gain.value.row(0)) /
                           std::sqrt(between.row(t).squaredNorm() / 9 + 1e-6);
      CHECK((y - between * mlp.down.weight.parameter.value.transpose()).cwiseAbs().maxCoeff() < 1e-13);
    }
}

TEST_CASE("GatedMlp runs what is attached at each of its sites, forth and back") {
  auto mlp = make<double>(5, 9, Gate::silu, true);
  Random random(4);
  Matrix<double> x = random_matrix<double>(3, 5, random), y(3, 5), dx = Matrix<double>::Zero(3, 5);
  const Matrix<double> weight = random_matrix<double>(3, 5, random);
  GatedMlp<double>::Cache cache;
  Scaling::Cache calls;
  const Scaling set;
  const Attached attached = Attached(set, calls).at(3);
  Gradients<double> gradients(mlp);
  CHECK(gradients.count() == 3 * 5 * 9 + 9);  // three linears and the norm
  mlp.forward({}, x, cache, y, attached);
  CHECK(calls.forward == std::vector{Site::gate, Site::up, Site::mlp_sub_norm, Site::down});
  mlp.backward({}, x, cache, weight, dx, gradients, attached);
  auto backward = calls.backward;
  std::sort(backward.begin(), backward.end());
  auto each_once = std::vector{Site::gate, Site::up, Site::mlp_sub_norm, Site::down};
  std::sort(each_once.begin(), each_once.end());
  CHECK(backward == each_once);
  const auto loss = [&] {
    GatedMlp<double>::Cache own;
    mlp.forward({}, x, own, y, attached);
    return (y.array() * weight.array()).sum();
  };
  check_gradient("dx", x, dx, loss);
  check_parameter_gradients(mlp, gradients, loss);
}

TEST_CASE("GatedMlp refuses every argument of another shape before it writes to it") {
  const auto mlp = make<float>(5, 9, Gate::silu, true);
  const auto ones = [](Index rows, Index columns) { return Matrix<float>(Matrix<float>::Ones(rows, columns)); };
  for (const auto& shape : {std::pair<Index, Index>{2, 5}, {4, 5}, {3, 4}, {3, 6}}) {
    const auto rows = shape.first, columns = shape.second;
    CAPTURE(rows);
    CAPTURE(columns);
    GatedMlp<float>::Cache cache;
    Gradients<float> none;
    const Matrix<float> x = ones(3, 5), dy = ones(3, 5), other = ones(rows, columns);
    Matrix<float> y = ones(3, 5), dx = ones(3, 5), wrong = other;
    CHECK_THROWS_AS(mlp.forward({}, x, cache, wrong), ShapeError);
    CHECK_THROWS_AS(mlp.forward({}, other, cache, y), ShapeError);
    CHECK(wrong == other);
    mlp.forward({}, x, cache, y);
    CHECK_THROWS_AS(mlp.backward({}, other, cache, dy, dx, none), ShapeError);
    CHECK_THROWS_AS(mlp.backward({}, x, cache, other, dx, none), ShapeError);
    CHECK_THROWS_AS(mlp.backward({}, x, cache, dy, wrong, none), ShapeError);
    CHECK(wrong == other);
    CHECK(dx == ones(3, 5));
  }
}
