#include "tern/adapters/user_rows.hpp"

#include <doctest/doctest.h>

#include <array>
#include <vector>

using namespace tern;

namespace {

std::vector<std::array<Index, 3>> runs(const std::vector<Index>& users, Index rows) {
  Pass pass;
  pass.user = users;
  std::vector<std::array<Index, 3>> all;
  each_run_of_a_user(pass, rows, [&](Index user, Index first, Index n) { all.push_back({user, first, n}); });
  return all;
}

}  // namespace

TEST_CASE("rows of one user that follow each other are one run; without users all rows are user 0's") {
  using Runs = std::vector<std::array<Index, 3>>;
  CHECK(runs({2, 2, 0, 3, 3, 3, 2}, 7) == Runs{{2, 0, 2}, {0, 2, 1}, {3, 3, 3}, {2, 6, 1}});
  CHECK(runs({}, 5) == Runs{{0, 0, 5}});
  CHECK(runs({4}, 1) == Runs{{4, 0, 1}});
  CHECK(user_of({}, 3) == 0);
}
