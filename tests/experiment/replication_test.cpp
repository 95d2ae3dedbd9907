#include "tern/experiment/experiments/replication.hpp"

#include <doctest/doctest.h>

#include "experiment/synthetic.hpp"

using namespace tern;
using doctest::Approx;
using synthetic::about;
using synthetic::find;
using synthetic::Study;

namespace {

/// x against y, which gains 0.3; x gains `first` with seed 0 and `second` with seed 1.
Study seeds(synthetic::Gain first, synthetic::Gain second, int with_second = 12) {
  Study s(12, {"E1", "E2"});
  s.results.protocol.seeds = 2;
  s.contender("x").contender("y").everybody("x", first).everybody("y", about(0.3));
  for (int i = 0; i < with_second; ++i) {
    const std::string user = "u" + std::to_string(i);
    s.run({.contender = "x", .user = user, .seed = 1}, second(user));
    s.run({.contender = "y", .user = user, .seed = 1}, 0.3);
  }
  return s;
}

}  // namespace

TEST_CASE("E2: an answer that stands") {
  const Finding f = find(seeds(about(0.4, 0.02), about(0.42, 0.02)).judge(), "E2");
  CHECK(f.answer == Answer::better);
  REQUIRE(f.claims.size() == 3);
  CHECK(f.claims[0].margin().point == Approx(1 - std::exp(-0.11)));
  CHECK(f.claims[1].margin().point == Approx(1 - std::exp(-0.10)));
  CHECK(f.claims[2].margin().point == Approx(1 - std::exp(-0.12)));
  CHECK(f.sentence.find("Alone: better by seed 0 and better by seed 1.") != std::string::npos);
  CHECK(f.sentence.find("stand with seeds as a random effect") != std::string::npos);
}

TEST_CASE("E2: a win that one seed made up does not stand") {
  const Finding f = find(seeds(about(0.4, 0.02), about(0.2, 0.02)).judge(), "E2");
  CHECK(f.answer == Answer::undecided);
  CHECK(f.reason == "the first seed alone answers otherwise against adapter y (mean of 2 seeds)");
  CHECK(f.sentence.find("better by seed 0 and worse by seed 1") != std::string::npos);
}

TEST_CASE("E2: spread between seeds is told from spread between users") {
  // Seeds move users apart by +-0.1 each way; users themselves do not differ.
  const auto up = [](const std::string& u) { return 0.4 + (std::stoi(u.substr(1)) % 2 ? 0.1 : -0.1); };
  const auto down = [](const std::string& u) { return 0.4 - (std::stoi(u.substr(1)) % 2 ? 0.1 : -0.1); };
  Finding f = find(seeds(up, down).judge(), "E2");
  CHECK(*f.numbers[0].second == 0);                        // between users
  CHECK(*f.numbers[1].second == Approx(std::sqrt(0.02)));  // between seeds: variance of -0.1 and 0.1
  // The other way round: users apart, seeds alike.
  f = find(seeds(up, up).judge(), "E2");
  CHECK(*f.numbers[0].second == Approx(std::sqrt(0.12 / 11)).epsilon(1e-6));
  CHECK(*f.numbers[1].second == Approx(0).epsilon(1e-6));
}

TEST_CASE("E2: only users with two seeds count, and that is said") {
  const Finding f = find(seeds(about(0.4, 0.02), about(0.42, 0.02), 6).judge(), "E2");
  CHECK(f.claims[0].users.users == 6);
  CHECK(f.notes.front().find("Against adapter y, 6 of 12 users have more than one seed") == 0);
}

TEST_CASE("E2: absent with one seed; needs the further ones of champion and rivals that run") {
  Study s = seeds(about(0.4), about(0.4), 0);
  CHECK(s.judge().find("E2") == nullptr);

  ShootoutOptions options;
  options.contenders = {"x", "y", "z"};
  options.roles = {"x", {"y", "absent"}, "y"};
  options.seeds = 3;
  std::vector<std::string> asked;
  experiments::replication::needs({.options = options, .users = Study(2).results.users, .seeded = {"u0"}},
                                  [&](const experiments::Need& n) { asked.push_back(describe(n.setting)); });
  CHECK(asked == std::vector<std::string>{"x for u0, seed 1", "x for u0, seed 2", "y for u0, seed 1", "y for u0, seed 2"});
}
