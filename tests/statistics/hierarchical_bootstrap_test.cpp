#include "tern/statistics/hierarchical_bootstrap.hpp"

#include <doctest/doctest.h>

#include "statistics/simulated_users.hpp"

using namespace tern;
using namespace tern::statistics;
using doctest::Approx;

namespace {

std::vector<UserDifferences> draw(Index users, std::uint64_t seed, const Truth& truth = {}) {
  Random random(seed);
  return SimulatedUsers(users, truth, 1).draw(random);
}

}  // namespace

TEST_CASE("hierarchical_bootstrap: the point is the mean over users, the interval near the t interval's") {
  const auto users = draw(40, 2, {.mean = 0.05});
  Random random(3);
  const Interval bootstrap = hierarchical_bootstrap(users, random), t = t_interval(user_differences(users));
  CHECK(bootstrap.point == t.point);
  // Of normal values both have the same length but for what 10,000 resamples (3%) and 40 users leave to chance.
  CHECK(bootstrap.high - bootstrap.low == Approx(t.high - t.low).epsilon(0.15));
  CHECK(bootstrap.contains(bootstrap.point));
}

TEST_CASE("hierarchical_bootstrap: of a thousand users it is the t interval") {
  const auto users = draw(1000, 15);
  Random random(16);
  const Interval bootstrap = hierarchical_bootstrap(users, random, {.resamples = 999});
  const Interval t = t_interval(user_differences(users));
  // The 2.5% quantile of 999 resamples has a standard error of sqrt(0.025 * 0.975 / 999) / density(1.96) = 0.085
  // of 1.96.
  CHECK(bootstrap.high - bootstrap.low == Approx(t.high - t.low).epsilon(5 * 0.085 / 1.96 / std::sqrt(2)));
}

TEST_CASE("hierarchical_bootstrap: 95% cover the truth about as often for 12, 24 and 40 users") {
  // 1,000 experiments: nearly three standard deviations of the share covered are 2 points, so 93% to 97%.
  const int experiments = 1000;
  for (const Index users : {12, 24, 40}) {
    const SimulatedUsers population(users, {.mean = 0.03, .correlation = 0.6}, 1);
    Random random(static_cast<std::uint64_t>(users));
    int covered = 0;
    for (int e = 0; e < experiments; ++e)
      covered += hierarchical_bootstrap(population.draw(random), random, {.resamples = 199}).contains(0.03);
    CAPTURE(users);
    CHECK(covered >= 0.93 * experiments);
    CHECK(covered <= 0.97 * experiments);
  }
}

TEST_CASE("hierarchical_bootstrap: follows skew") {
  // Many small differences and a few large ones: what we did not see lies above rather than below.
  Random random(4);
  const Interval interval = hierarchical_bootstrap(draw(24, 5, {.correlation = 0.9, .skewed = true}), random);
  CHECK(interval.high - interval.point > 1.2 * (interval.point - interval.low));
}

TEST_CASE("hierarchical_bootstrap: equal chunks give no width, scaling scales") {
  const std::vector<UserDifferences> same(5, UserDifferences(3, DocumentDifferences(4, {25, 100})));
  Random random(6);
  const Interval none = hierarchical_bootstrap(same, random);
  CHECK(none.low == 0.25);
  CHECK(none.high == 0.25);

  auto users = draw(12, 7);
  Random one(8), two(8);
  const Interval before = hierarchical_bootstrap(users, one);
  for (UserDifferences& user : users)
    for (DocumentDifferences& document : user)
      for (ChunkDifference& chunk : document) chunk.nats *= 2;
  const Interval after = hierarchical_bootstrap(users, two);
  CHECK(after.low == Approx(2 * before.low));
  CHECK(after.high == Approx(2 * before.high));
}

TEST_CASE("hierarchical_bootstrap: two users tell next to nothing") {
  // Half of the resamples are one user twice: no spread between users, so their t is without bound.
  const std::vector<UserDifferences> two = {{{{10, 100}}}, {{{20, 100}}}};
  Random random(9);
  const Interval interval = hierarchical_bootstrap(two, random);
  CHECK(interval.low == -std::numeric_limits<double>::infinity());
  CHECK(interval.high == std::numeric_limits<double>::infinity());
  CHECK(interval.point == Approx(0.15));
}

TEST_CASE("hierarchical_bootstrap: the generator decides") {
  const auto users = draw(12, 10);
  Random one(11), two(11), three(12);
  const Interval first = hierarchical_bootstrap(users, one), second = hierarchical_bootstrap(users, two);
  CHECK(first.low == second.low);
  CHECK(first.high == second.high);
  CHECK(first.low != hierarchical_bootstrap(users, three).low);
}

TEST_CASE("hierarchical_bootstrap: documents and chunks are drawn, each with its share of the spread") {
  // Documents of means 1 and 4, chunks 1 and 2 around them. Of a redrawn mean of 2 documents of 2 chunks the documents
  // give (2.25) / 2, the chunks (1 + 4) / 2 / 4.
  const UserDifferences user = {{{0, 1}, {2, 1}}, {{2, 1}, {6, 1}}};
  Random random(13);
  const int draws = 40'000;
  double mean = 0, squares = 0;
  for (int i = 0; i < draws; ++i) {
    const double d = statistics::detail::redrawn_difference(user, random);
    mean += d / draws;
    squares += (d - 2.5) * (d - 2.5) / draws;
  }
  const double variance = 2.25 / 2 + 2.5 / 4;
  CHECK(std::abs(mean - 2.5) < 5 * std::sqrt(variance / draws));
  CHECK(squares == Approx(variance).epsilon(5 * std::sqrt(2.0 / draws)));
}

TEST_CASE("hierarchical_bootstrap: what cannot be drawn from is named") {
  Random random(1);
  const auto users = draw(3, 1);
  auto hole = users;
  hole[1][2].clear();
  CHECK_THROWS_WITH_AS(hierarchical_bootstrap(hole, random),
                       "hierarchical bootstrap: user 1, document 2: expected at least 1 chunk, got 0", ValueError);
  CHECK_THROWS_AS(hierarchical_bootstrap({}, random), ValueError);
  CHECK_THROWS_AS(hierarchical_bootstrap(std::span(users).first(1), random), ValueError);
  CHECK_THROWS_AS(hierarchical_bootstrap(std::vector<UserDifferences>{{}, {}}, random), ValueError);
  CHECK_THROWS_WITH_AS(hierarchical_bootstrap(users, random, {.resamples = 38}),
                       "hierarchical bootstrap: expected at least 39 resamples for this level, got 38", ValueError);
  CHECK_NOTHROW(hierarchical_bootstrap(users, random, {.resamples = 39}));
  CHECK_THROWS_AS(hierarchical_bootstrap(users, random, {.level = 1}), ValueError);
}
