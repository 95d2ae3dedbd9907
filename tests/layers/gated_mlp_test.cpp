#include "tern/layers/gated_mlp.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "support/layer_contract.hpp"
#include "tern/kernels/bf16.hpp"
#include "tern/kernels/native.hpp"

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

TEST_CASE("GatedMlp keeps half as many bytes under mixed precision; gradients move by what rounding those allows") {
  const Index hidden = 5, ffn = 9, tokens = 4;
  const auto mlp = make<float>(hidden, ffn, Gate::silu, false);
  Random random(6);
  const Matrix<float> x = random_matrix<float>(tokens, hidden, random, 2), dy = random_matrix<float>(tokens, hidden, random);
  const kernels::Table plain = kernels::native::table(kernels::Isa::reference);  // whose mixed products are float
  const Pass full{.kernels = &plain}, mixed{.kernels = &plain, .precision = Precision::mixed};
  struct Result {
    GatedMlp<float>::Cache cache;
    Matrix<float> y, dx;
  };
  const auto run = [&](const Pass& pass) {
    Result r{{}, Matrix<float>(tokens, hidden), Matrix<float>::Zero(tokens, hidden)};
    Gradients<float> none;
    mlp.forward(pass, x, r.cache, r.y);
    mlp.backward(pass, x, r.cache, dy, r.dx, none);
    return r;
  };
  const Result exact = run(full), rounded = run(mixed);
  CHECK(rounded.y == exact.y);
  CHECK(rounded.cache.bytes() * 2 == exact.cache.bytes());

  // With |gate' - gate| <= e |gate|, likewise up, |f'| < 1.1 and |f''| <= 0.5 for SiLU, and a term for float's own rounding:
  const double e = kernels::bf16_rounding;
  using Wide = Matrix<double>;
  const auto weights = [](const auto& linear) { return Wide(linear.weight.parameter.value.template cast<double>()); };
  const Wide g = x.cast<double>() * weights(mlp.gate).transpose(), u = x.cast<double>() * weights(mlp.up).transpose();
  const Wide d = (dy.cast<double>() * weights(mlp.down)).cwiseAbs();
  const Wide dup = 1.1 * e * d.cwiseProduct(g.cwiseAbs());
  const Wide dgate = e * d.cwiseProduct(u.cwiseAbs()).cwiseProduct((1.1 + 0.5 * (1 + e) * g.cwiseAbs().array()).matrix());
  const Wide bound = dup * weights(mlp.up).cwiseAbs() + dgate * weights(mlp.gate).cwiseAbs();
  const Wide off = (rounded.dx - exact.dx).cast<double>().cwiseAbs();
  CHECK((off.array() <= bound.array() + 1e-5).all());
  CHECK(off.maxCoeff() > 1e-5);
}

TEST_CASE("GatedMlp refuses to go back in another precision than it went forth") {
  const auto mlp = make<float>(5, 9, Gate::silu, true);
  const Matrix<float> x = Matrix<float>::Ones(3, 5);
  const Pass full, mixed{.precision = Precision::mixed};
  GatedMlp<float>::Cache cache;
  Gradients<float> none;
  Matrix<float> y(3, 5), dx = x;
  for (const auto& [there, back] : {std::pair(full, mixed), std::pair(mixed, full)}) {
    mlp.forward(back, x, cache, y);
    mlp.forward(there, x, cache, y);
    CHECK_THROWS_AS(mlp.backward(back, x, cache, x, dx, none), ShapeError);
    CHECK(dx == x);
    mlp.backward(there, x, cache, x, y, none);
  }
}
