#include "tern/adapters/lora_xs.hpp"

#include <vector>

#include "support/layer_contract.hpp"
#include "tern/weights/dense.hpp"

using namespace tern;
using namespace tern::test;

namespace {

template <class S>
typename LoraXs<S>::Directions directions(Index in, Index out, Index rank) {
  Random random(1);
  return std::make_shared<SingularDirections<S>>(
      singular_directions<S>({}, Dense<S>(random_matrix<S>(out, in, random)), rank));
}

}  // namespace

TEST_CASE_TEMPLATE("LoraXs keeps the adapter contract, users mixed in one batch", S, float, double) {
  const Index users[] = {0, 2, 2, 1, 0};
  Pass pass;
  pass.user = users;
  for (const Index rank : {1, 4})
    check_adapter_contract(LoraXs<S>(directions<S>(8, 6, rank), S(3), 3), {.tokens = 5, .in = 8, .out = 6, .seed = 3},
                           pass);
  check_adapter_contract(LoraXs<S>(directions<S>(8, 6, 2), S(3)), {.tokens = 5, .in = 8, .out = 6, .seed = 3});
}

TEST_CASE("LoraXs starts as no change; a middle of c * identity is c of the weights in their largest directions") {
  Random random(2);
  const Index rank = 6;
  const Matrix<double> w = random_matrix<double>(rank, 9, random), x = random_matrix<double>(4, 9, random);
  const auto all =
      std::make_shared<SingularDirections<double>>(singular_directions<double>({}, Dense<double>(w), rank));
  LoraXs<double> adapter(all, 2 * rank);
  CHECK(adapter.scale() == 2);
  LoraXs<double>::Cache cache;
  Matrix<double> y = Matrix<double>::Zero(4, rank);
  adapter.forward({}, x, cache, y);
  CHECK(y.isZero(0));
  adapter.middle.value = 0.25 * Matrix<double>::Identity(rank, rank);
  adapter.forward({}, x, cache, y);
  CHECK((y - 0.5 * x * w.transpose()).cwiseAbs().maxCoeff() < 1e-12);
  adapter.middle.value = random_matrix<double>(rank, rank, random);
  y.setZero();
  adapter.forward({}, x, cache, y);
  CHECK((y - 2 * x * (all->up * adapter.middle.value * all->down).transpose()).cwiseAbs().maxCoeff() < 1e-12);
}

TEST_CASE("LoraXs: each user's rows and gradients are those of the user alone, sorted or not") {
  const Index in = 5, out = 4, rank = 2, rows = 9;
  const auto shared = directions<double>(in, out, rank);
  Random random(3);
  LoraXs<double> adapter(shared, 3, 3);
  adapter.middle.value = random_matrix<double>(3 * rank, rank, random);
  const Matrix<double> x = random_matrix<double>(rows, in, random), unedited = random_matrix<double>(rows, out, random),
                       weight = random_matrix<double>(rows, out, random);
  struct Result {
    Matrix<double> y, dy, dx, dmiddle;
  };
  const auto run = [&](const LoraXs<double>& a, const std::vector<Index>& chosen, const std::vector<Index>& users) {
    const auto pick = [&](const Matrix<double>& m) { return Matrix<double>(m(chosen, Eigen::all)); };
    Pass pass;
    pass.user = users;
    const Matrix<double> some = pick(x);
    Result r{pick(unedited), pick(weight), Matrix<double>::Zero(some.rows(), in), {}};
    LoraXs<double>::Cache cache;
    Gradients<double> gradients(a);
    a.forward(pass, some, cache, r.y);
    a.backward(pass, some, cache, r.dy, r.dx, gradients);
    r.dmiddle = gradients.of(a.middle);
    return r;
  };
  const std::vector<Index> everything = {0, 1, 2, 3, 4, 5, 6, 7, 8};
  for (const std::vector<Index>& users : {std::vector<Index>{0, 0, 0, 1, 1, 1, 1, 2, 2}, {2, 0, 1, 1, 0, 2, 2, 0, 1}}) {
    const Result mixed = run(adapter, everything, users);
    CHECK(mixed.dy == weight);
    for (Index user = 0; user < 3; ++user) {
      std::vector<Index> own;
      for (const Index row : everything)
        if (users[static_cast<std::size_t>(row)] == user) own.push_back(row);
      LoraXs<double> alone(shared, 3);
      alone.middle.value = adapter.middle.value.middleRows(user * rank, rank);
      const Result one = run(alone, own, {});
      const auto near = [](const auto& a, const auto& b) { return (a - b).cwiseAbs().maxCoeff() < 1e-13; };
      CHECK(near(mixed.dmiddle.middleRows(user * rank, rank), one.dmiddle));
      CHECK(near(mixed.y(own, Eigen::all), one.y));
      CHECK(near(mixed.dx(own, Eigen::all), one.dx));
    }
  }
}

TEST_CASE("LoraXs: copies share the directions; a person has rank * rank numbers") {
  const auto shared = directions<float>(8, 6, 3);
  const LoraXs<float> first(shared, 3, 5), second = first;
  CHECK(first.directions() == second.directions());
  CHECK(count_parameters(first) == 5 * 3 * 3);
}

TEST_CASE("LoraXs refuses other widths, users it does not have, and to be without directions") {
  const auto shared = directions<float>(3, 4, 2);
  LoraXs<float> adapter(shared, 1, 2);
  LoraXs<float>::Cache cache;
  Gradients<float> gradients(adapter);
  Matrix<float> x = Matrix<float>::Ones(1, 3), y = Matrix<float>::Ones(1, 4), wide = Matrix<float>::Ones(1, 5), dx = x;
  CHECK_THROWS_WITH_AS(adapter.forward({}, wide, cache, y), "lora-xs: expected x [* x 3], got [1 x 5]", ShapeError);
  CHECK_THROWS_WITH_AS(adapter.forward({}, x, cache, wide), "lora-xs: expected y [1 x 4], got [1 x 5]", ShapeError);
  CHECK_THROWS_WITH_AS(adapter.backward({}, x, cache, y, dx, gradients),
                       "lora-xs: expected the cache [1 x 2], got [0 x 0]", ShapeError);
  const std::vector<Index> users = {2};
  Pass pass;
  pass.user = users;
  CHECK_THROWS_WITH_AS(adapter.forward(pass, x, cache, y), "lora-xs: expected a user in [0, 2), got 2", ValueError);
  CHECK_THROWS_WITH_AS(LoraXs<float>(nullptr, 1), "lora-xs: expected at least 1 singular direction, got none",
                       ValueError);
  CHECK_THROWS_WITH_AS(LoraXs<float>(shared, 1, 0), "lora-xs: expected at least 1 user, got 0", ValueError);
  CHECK_THROWS_WITH_AS(LoraXs<float>().forward({}, x, cache, y),
                       "lora-xs: expected at least 1 singular direction, got none", ValueError);
}
