#include "tern/adapters/adapter_set.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "support/layer_contract.hpp"
#include "tern/adapters/lora.hpp"
#include "tern/adapters/user_gain.hpp"

using namespace tern;
using namespace tern::test;

namespace {

constexpr SiteId query{0, Site::query}, norm{1, Site::mlp_norm};

/// y = factor * y + shift, so that order matters.
struct Affine {
  using Scalar = double;
  struct Cache {};
  Affine(double f, double s) : factor(Matrix<double>::Constant(1, 1, f)), shift(s) {}
  void forward(const Pass&, In<double>, Cache&, Out<double> y) const {
    y = (factor.value(0, 0) * y.array() + shift).matrix().eval();
  }
  void backward(const Pass&, In<double>, Cache&, Out<double> dy, Out<double> dx, Gradients<double>&) const {
    dx += shift * dy;
    dy *= factor.value(0, 0);
  }
  template <class Self, class F>
  static void fields(Self& self, F&& f) {
    f("factor", self.factor);
  }
  Parameter<double> factor;
  double shift;
};

AdapterSet<double> two_sites(Index users = 1) {
  Random random(1);
  AdapterSet<double> set;
  set.attach(norm, "gain", UserGain<double>(GainKind::relative, Matrix<double>::Ones(1, 6), 1e-6, users));
  set.attach(query, "lora", Lora<double>(4, 6, 2, 8, random, users));
  set.attach(query, "second", Lora<double>(4, 6, 1, 8, random, users));
  for_each_parameter(set, [&](std::string_view, auto& p) {
    p.value += random_matrix<double>(p.value.rows(), p.value.cols(), random, 0.5);
  });
  return set;
}

std::vector<std::string> paths(const AdapterSet<double>& set) {
  std::vector<std::string> all;
  for_each_parameter(set, [&](std::string_view path, const auto&) { all.emplace_back(path); });
  return all;
}

}  // namespace

TEST_CASE("adapter set: applies adapters in the order of attaching, and undoes them in reverse") {
  AdapterSet<double> set;
  set.attach(query, "first", Affine(2, 3));
  set.attach(query, "then", Affine(5, 7));
  AdapterSet<double>::Cache cache;
  Gradients<double> gradients;
  const Matrix<double> x = Matrix<double>::Zero(1, 1);
  Matrix<double> y = Matrix<double>::Constant(1, 1, 1), dx = Matrix<double>::Zero(1, 1), dy = Matrix<double>::Ones(1, 1);
  set.forward(query, {}, x, cache, y);
  CHECK(y(0, 0) == 5 * (2 * 1 + 3) + 7);
  set.backward(query, {}, x, cache, dy, dx, gradients);
  CHECK(dx(0, 0) == 7 * 1 + 3 * 5);
  CHECK(dy(0, 0) == 5 * 2);
}

TEST_CASE("adapter set: a site where nothing is attached passes everything on") {
  const auto set = two_sites();
  AdapterSet<double>::Cache cache;
  Gradients<double> gradients(set);
  const Matrix<double> x = Matrix<double>::Ones(2, 4);
  Matrix<double> y = Matrix<double>::Constant(2, 6, 3), dy = y, dx = Matrix<double>::Zero(2, 4);
  set.forward({0, Site::key}, {}, x, cache, y);
  set.backward({0, Site::key}, {}, x, cache, dy, dx, gradients);
  CHECK(y.isConstant(3));
  CHECK(dy.isConstant(3));
  CHECK(dx.isZero(0));
  CHECK(set.bytes(cache) == 0);
}

TEST_CASE("adapter set: gradients match finite differences, several users in one batch") {
  auto set = two_sites(2);
  Random random(5);
  const Index users[] = {1, 0, 0, 1, 1};
  Pass pass;
  pass.user = users;
  Matrix<double> x = random_matrix<double>(5, 4, random), unedited = random_matrix<double>(5, 6, random);
  const Matrix<double> weight = random_matrix<double>(5, 6, random);
  Matrix<double> y = unedited, dy = weight, dx = Matrix<double>::Zero(5, 4);
  AdapterSet<double>::Cache cache;
  Gradients<double> gradients(set);
  set.forward(query, pass, x, cache, y);
  set.backward(query, pass, x, cache, dy, dx, gradients);
  const auto loss = [&] {
    AdapterSet<double>::Cache own;
    Matrix<double> out = unedited;
    set.forward(query, pass, x, own, out);
    return (out.array() * weight.array()).sum();
  };
  check_gradient("dx", x, dx, loss);
  check_gradient("dy", unedited, dy, loss);
  check_parameter_gradients(set, gradients, loss);
}

TEST_CASE("adapter set: parameters are named by site and adapter, in the order of sites") {
  const auto set = two_sites();
  CHECK(paths(set) == std::vector<std::string>{"blocks.0.query.lora.down", "blocks.0.query.lora.up",
                                               "blocks.0.query.second.down", "blocks.0.query.second.up",
                                               "blocks.1.mlp_norm.gain.gain"});
  CHECK(count_parameters(set) == 2 * (4 + 6) + (4 + 6) + 6);
  std::vector<SiteId> visited;
  set.each([&](SiteId id, std::string_view, const Parameter<double>&) { visited.push_back(id); });
  CHECK(visited == std::vector<SiteId>{query, query, query, query, norm});
  const auto sites = set.sites();
  CHECK(std::vector<SiteId>(sites.begin(), sites.end()) == std::vector<SiteId>{query, norm});
  CHECK_FALSE(set.empty());
  CHECK(AdapterSet<double>().empty());
}

TEST_CASE("adapter set: a copy has adapters of its own; attach returns the one that is held") {
  auto set = two_sites();
  auto copy = set;
  for_each_parameter(copy, [](std::string_view, auto& p) { p.value.setZero(); });
  for_each_parameter(set, [](std::string_view, const auto& p) { CHECK_FALSE(p.value.isZero(0)); });
  CHECK(paths(copy) == paths(set));
  copy = set;
  Matrix<double> first;
  for_each_parameter(copy, [&](std::string_view, const auto& p) {
    if (first.size() == 0) first = p.value;
  });
  CHECK_FALSE(first.isZero(0));
  Affine& held = set.attach({3, Site::down}, "affine", Affine(2, 3));
  held.factor.value(0, 0) = 11;
  AdapterSet<double>::Cache cache;
  const Matrix<double> x = Matrix<double>::Zero(1, 1);
  Matrix<double> y = Matrix<double>::Ones(1, 1);
  set.forward({3, Site::down}, {}, x, cache, y);
  CHECK(y(0, 0) == 14);
}

TEST_CASE("adapter set: one cache serves one set after another; its bytes are what adapters keep") {
  const auto set = two_sites();
  AdapterSet<double> other;
  other.attach(query, "affine", Affine(2, 3));
  AdapterSet<double>::Cache cache;
  const Matrix<double> x = Matrix<double>::Ones(3, 4);
  Matrix<double> y = Matrix<double>::Ones(3, 6);
  set.forward(query, {}, x, cache, y);
  CHECK(set.bytes(cache) == 3 * (2 + 1) * sizeof(double));  // scale * x * down^T of both
  other.forward(query, {}, x, cache, y);
  Matrix<double> dy = y, dx = Matrix<double>::Zero(3, 4);
  Gradients<double> gradients;
  CHECK_THROWS_WITH_AS(set.backward(query, {}, x, cache, dy, dx, gradients),
                       "adapters: backward at 'blocks.0.query': expected the cache of a forward pass", ValueError);
  AdapterSet<double>::Cache empty;
  CHECK_THROWS_AS(set.backward(query, {}, x, empty, dy, dx, gradients), ValueError);
  CHECK(dy == y);
  CHECK(dx.isZero(0));
}
