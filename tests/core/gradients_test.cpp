#include "tern/core/gradients.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace tern;

namespace {

struct Pair {
  Parameter<double> a{Matrix<double>::Ones(2, 3)}, b{Matrix<double>::Ones(1, 3)}, none;
  template <class Self, class F>
  static void fields(Self& self, F&& f) {
    f("a", self.a);
    f("b", self.b);
    f("none", self.none);
  }
};

}  // namespace

TEST_CASE("gradients: zero ones for every parameter of the layers, in the order of their lists") {
  const Pair one, two;
  const Gradients<double> gradients(one, two);
  REQUIRE(gradients.size() == 4);
  CHECK(gradients.count() == 18);
  CHECK(gradients.bytes() == 18 * sizeof(double));
  CHECK(gradients.find(one.a) == &gradients[0]);
  CHECK(gradients.find(one.b) == &gradients[1]);
  CHECK(gradients.find(two.a) == &gradients[2]);
  CHECK(&gradients.of(two.b) == &gradients[3]);
  CHECK(gradients[2].rows() == 2);
  CHECK(gradients[2].cols() == 3);
  for (std::size_t i = 0; i < 4; ++i) CHECK(gradients[i].isZero(0));
  CHECK(gradients.find(two.none) == nullptr);
}

TEST_CASE("gradients: what is not there is frozen") {
  Pair pair;
  Gradients<double> gradients;
  CHECK(gradients.size() == 0);
  CHECK(gradients.count() == 0);
  CHECK(gradients.find(pair.a) == nullptr);
  CHECK_THROWS_WITH_AS(gradients.of(pair.a), "gradients: expected a parameter that trains, got a frozen one", ValueError);
  gradients.add(pair, [](std::string_view path) { return path == "b"; });
  CHECK(gradients.find(pair.a) == nullptr);
  REQUIRE(gradients.find(pair.b) != nullptr);
  CHECK(gradients.count() == 3);
}

TEST_CASE("gradients: adding a parameter again keeps what is there") {
  Pair pair;
  Gradients<double> gradients(pair);
  gradients[0].setConstant(3);
  gradients.add(pair.a);
  gradients.add(pair, [](std::string_view) { return true; });
  CHECK(gradients.size() == 2);
  CHECK(gradients.of(pair.a).isConstant(3));
  gradients.set_zero();
  CHECK(gradients.of(pair.a).isZero(0));
}

TEST_CASE("gradients: each parameter finds its own among many, in whatever order they lie") {
  std::vector<Parameter<float>> all;
  for (Index i = 0; i < 100; ++i) all.emplace_back(Matrix<float>(Matrix<float>::Ones(1, i + 1)));
  Gradients<float> gradients;
  for (std::size_t i = 0; i < 100; i += 3) gradients.add(all[(i * 37) % 100]);
  for (std::size_t i = 0; i < 100; ++i) {
    const bool trains = (i * 73) % 100 % 3 == 0;  // 73 * 37 = 1 modulo 100
    const Matrix<float>* found = gradients.find(all[i]);
    REQUIRE((found != nullptr) == trains);
    if (trains) CHECK(found->cols() == static_cast<Index>(i) + 1);
  }
}

TEST_CASE("gradients: a copy belongs to the same parameters and has numbers of its own") {
  Pair pair;
  Gradients<double> gradients(pair);
  Gradients<double> copy = gradients;
  copy.find(pair.a)->setConstant(5);
  CHECK(gradients.of(pair.a).isZero(0));
  CHECK(copy.of(pair.a).isConstant(5));
}

TEST_CASE("gradients: in bf16 are matrices whose layer can add to such; all else is in S") {
  Parameter<float> matrix(Matrix<float>::Ones(2, 3)), row(Matrix<float>::Ones(1, 3)), adapter(Matrix<float>::Ones(2, 3));
  matrix.takes_bf16 = row.takes_bf16 = true;
  Gradients<float> gradients(StateType::bf16, matrix, row, adapter);
  CHECK(gradients.state() == StateType::bf16);
  REQUIRE(gradients.size() == 3);
  CHECK(gradients.held(0).type() == StateType::bf16);
  CHECK(gradients.held(1).type() == StateType::full);
  CHECK(gradients.held(2).type() == StateType::full);
  CHECK(gradients.count() == 15);
  CHECK(gradients.bytes() == 6 * 2 + 9 * 4);
  CHECK(gradients.find_bf16(matrix) == &gradients.held(0).bf16());
  CHECK(gradients.find_bf16(row) == nullptr);
  CHECK(gradients.find_bf16(adapter) == nullptr);
  CHECK(gradients.find(row) == &gradients[1]);
  CHECK(gradients.find(adapter) == &gradients[2]);
  const char* refusal = "state matrix: expected one in full, got one in bf16";
  CHECK_THROWS_WITH_AS(gradients.find(matrix), refusal, ValueError);
  CHECK_THROWS_WITH_AS(gradients.of(matrix), refusal, ValueError);
  CHECK_THROWS_WITH_AS(gradients[0], refusal, ValueError);
  gradients.held(0).bf16()(0, 0) = 0x3f80;
  gradients[1].setOnes();
  gradients.set_zero();
  CHECK(all_zero(gradients.held(0).size(), gradients.held(0).bf16().data()));
  CHECK(gradients[1].isZero(0));
  CHECK(Gradients<float>(matrix).held(0).type() == StateType::full);
  Parameter<float> frozen(Matrix<float>::Ones(2, 3));
  frozen.takes_bf16 = true;
  CHECK(gradients.find_bf16(frozen) == nullptr);
}
