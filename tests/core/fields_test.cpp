#include "tern/core/fields.hpp"

#include <doctest/doctest.h>

using namespace tern;

namespace {

Parameter<double> parameter(Index rows, Index columns) {
  return Parameter<double>(Matrix<double>::Ones(rows, columns));
}

struct Leaf {
  Parameter<double> weight = parameter(2, 3), bias = parameter(1, 3);
  template <class Self, class F>
  static void fields(Self& self, F&& f) {
    f("weight", self.weight);
    f("bias", self.bias);
  }
};

struct Tree {
  std::vector<Leaf> leaves = std::vector<Leaf>(2);
  std::optional<Leaf> maybe;
  Parameter<double> own = parameter(1, 1);
  int packed = 0;  // no parameter: storage
  template <class Self, class F>
  static void fields(Self& self, F&& f) {
    f("leaves", self.leaves);
    f("maybe", self.maybe);
    f("", self.own);
    f("packed", self.packed);
  }
};

std::vector<std::string> paths(const Tree& tree) {
  std::vector<std::string> found;
  for_each_parameter(tree, [&](std::string_view path, const auto&) { found.emplace_back(path); });
  return found;
}

}  // namespace

TEST_CASE("fields: parameters are visited in the order of the lists, by dotted paths") {
  Tree tree;
  CHECK(paths(tree) ==
        std::vector<std::string>{"leaves.0.weight", "leaves.0.bias", "leaves.1.weight", "leaves.1.bias", ""});
  tree.maybe.emplace();
  CHECK(paths(tree).size() == 7);
  CHECK(paths(tree)[4] == "maybe.weight");
  CHECK(count_parameters(tree) == 3 * 9 + 1);
}
