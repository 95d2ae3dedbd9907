#include "tern/experiment/run/pilot.hpp"

#include <doctest/doctest.h>

#include <functional>

using namespace tern;

namespace {

using Loss = std::function<std::optional<double>(double rate, std::size_t pilot)>;

/// Runs a search to its end; returns how many runs it asked for.
int answer_all(RateSearch& search, const Loss& loss) {
  int asked = 0;
  while (const auto q = search.next()) {
    REQUIRE(++asked < 1000);
    CHECK(search.least_left() > 0);
    CHECK(search.most_left() >= search.least_left());
    search.record(*q, loss(q->rate, q->pilot));
  }
  return asked;
}

/// A valley in log(rate), its bottom at `best`.
double valley(double rate, double best) { return 3 + std::pow(std::log(rate / best), 2); }

std::vector<double> rates(const PilotRecord& record) {
  std::vector<double> all;
  for (const RateTrial& t : record.rates) all.push_back(t.rate);
  return all;
}

const std::vector<double> grid = {1e-3, 3e-3, 9e-3};

}  // namespace

TEST_CASE("pilot: a best rate inside the grid needs no other one") {
  RateSearch search({"a", "b"}, grid, 8);
  CHECK(search.least_left() == 6);
  CHECK(search.most_left() == 16);
  CHECK(answer_all(search, [](double r, std::size_t) { return valley(r, 3e-3); }) == 6);
  CHECK(search.least_left() == 0);
  CHECK(search.most_left() == 0);
  const PilotRecord found = search.result();
  CHECK(found.users == std::vector<std::string>{"a", "b"});
  CHECK(rates(found) == grid);
  CHECK(found.chosen == 3e-3);
  CHECK(found.for_pilot == std::vector<double>{3e-3, 3e-3});
  CHECK(found.interior);
  CHECK(search.best_loss().value() == doctest::Approx(3));
  CHECK(found.rates[0].loss[1].value() == doctest::Approx(valley(1e-3, 3e-3)));
}

TEST_CASE("pilot: a grid is extended on the side where the best rate lies at its end") {
  for (const double best : {1e-4, 8e-2}) {
    CAPTURE(best);
    RateSearch search({"a", "b"}, grid, 8);
    answer_all(search, [&](double r, std::size_t) { return valley(r, best); });
    const PilotRecord found = search.result();
    CHECK(found.interior);
    CHECK(std::abs(std::log(found.chosen / best)) < std::log(3));
    const auto all = rates(found);
    CHECK(std::is_sorted(all.begin(), all.end()));
    for (std::size_t i = 1; i < all.size(); ++i) CHECK(all[i] / all[i - 1] == doctest::Approx(3));
    CHECK((best < grid.front() ? all.front() < best : all.back() > best));
    CHECK((best < grid.front() ? all.back() == grid.back() : all.front() == grid.front()));
  }
}

TEST_CASE("pilot: nobody's own text picks their rate") {
  // a's best is low, b's and c's are high: a gets what b and c choose; b and c get what a and the other one choose.
  const double best[] = {1e-3, 9e-3, 9e-3};
  RateSearch search({"a", "b", "c"}, {3e-4, 1e-3, 3e-3, 9e-3, 2.7e-2}, 8);
  answer_all(search, [&](double r, std::size_t pilot) { return valley(r, best[pilot]); });
  const PilotRecord found = search.result();
  CHECK(found.for_pilot[0] == 9e-3);
  CHECK(found.for_pilot[1] == 3e-3);
  CHECK(found.for_pilot[2] == 3e-3);
  CHECK(rate_for(found, "a") == 9e-3);
  CHECK(rate_for(found, "b") == 3e-3);
  CHECK(rate_for(found, "somebody else") == found.chosen);
  CHECK(found.interior);
}

TEST_CASE("pilot: one pilot's choice at an end extends the grid, too") {
  const double best[] = {3e-3, 3e-3, 1};  // without the third nobody would need more than the grid
  RateSearch search({"a", "b", "c"}, grid, 5);
  answer_all(search, [&](double r, std::size_t pilot) { return valley(r, best[pilot]); });
  CHECK(search.result().rates.size() > grid.size());
}

TEST_CASE("pilot: one pilot alone cannot be cross-fitted") {
  RateSearch search({"a"}, grid, 8);
  answer_all(search, [](double r, std::size_t) { return valley(r, 3e-3); });
  CHECK(search.result().for_pilot == std::vector<double>{3e-3});
  CHECK(search.result().interior);
}

TEST_CASE("pilot: a rate at which a pilot diverged is never chosen by all, and none left is told") {
  RateSearch search({"a", "b"}, grid, 8);
  answer_all(search, [](double r, std::size_t pilot) -> std::optional<double> {
    if (r > 2e-3 && pilot == 1) return std::nullopt;
    return 3 - std::log(r);  // ever better, where it does not diverge
  });
  const PilotRecord found = search.result();
  CHECK(found.chosen == 1e-3);
  CHECK(!found.rates[static_cast<std::size_t>(found.rates.size() - 1)].loss[1].has_value());

  RateSearch hopeless({"a", "b"}, grid, 5);
  CHECK(answer_all(hopeless, [](double, std::size_t) { return std::nullopt; }) == 10);
  CHECK(!hopeless.best_loss().has_value());
  CHECK(!hopeless.result().interior);
}

TEST_CASE("pilot: of equal rates the smallest, and a grid that never ends stops at the most") {
  RateSearch flat({"a", "b"}, grid, 6);
  CHECK(answer_all(flat, [](double, std::size_t) { return 3.0; }) == 12);
  CHECK(flat.result().rates.size() == 6);
  CHECK(flat.result().chosen == flat.result().rates.front().rate);
  CHECK(!flat.result().interior);

  RateSearch cramped({"a"}, grid, 1);  // what is given is tried, whatever the limit
  CHECK(answer_all(cramped, [](double r, std::size_t) { return valley(r, 1); }) == 3);
}
