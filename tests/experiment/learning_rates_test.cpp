#include "tern/experiment/learning_rates.hpp"

#include <doctest/doctest.h>

using namespace tern;

namespace {

/// The rates that a search asks for where the loss is `loss`, and the one it settles on.
template <class F>
std::pair<std::vector<double>, double> search(Index trials, F loss) {
  LearningRateSearch s({0.1, 0.3, 0.9}, trials);
  std::vector<double> tried;
  while (const auto rate = s.next()) {
    tried.push_back(*rate);
    s.record(*rate, loss(*rate));
  }
  return {tried, s.best()};
}

void check_equal(const std::vector<double>& got, const std::vector<double>& expected) {
  REQUIRE(got.size() == expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == doctest::Approx(expected[i]));
}

}  // namespace

TEST_CASE("learning rates: the search goes beyond an end, as far as there are trials") {
  const auto [up, high] = search(5, [](double rate) { return 1 / rate; });
  check_equal(up, {0.1, 0.3, 0.9, 2.7, 8.1});
  CHECK(high == doctest::Approx(8.1));
  const auto [down, low] = search(5, [](double rate) { return rate; });
  check_equal(down, {0.1, 0.3, 0.9, 0.1 / 3, 0.1 / 9});
  CHECK(low == doctest::Approx(0.1 / 9));
}

TEST_CASE("learning rates: inside, it halves towards the better neighbour") {
  const auto [tried, best] = search(5, [](double rate) { return std::abs(std::log(rate / 0.5)); });
  check_equal(tried, {0.1, 0.3, 0.9, std::sqrt(0.3 * 0.9), std::sqrt(0.3 * std::sqrt(0.3 * 0.9))});
  CHECK(best == doctest::Approx(std::sqrt(0.3 * 0.9)));
}

TEST_CASE("learning rates: divergence drives it down; no further trials than asked for") {
  const double never = std::numeric_limits<double>::infinity();
  check_equal(search(5, [&](double) { return never; }).first, {0.1, 0.3, 0.9, 0.1 / 3, 0.1 / 9});
  check_equal(search(3, [&](double rate) { return rate > 0.2 ? never : 1.0; }).first, {0.1, 0.3, 0.9});
}
