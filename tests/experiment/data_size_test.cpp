#include "tern/experiment/experiments/data_size.hpp"

#include <doctest/doctest.h>

#include "experiment/synthetic.hpp"

using namespace tern;
using doctest::Approx;
using synthetic::about;
using synthetic::find;
using synthetic::Study;

namespace {

/// x needs little text, y much: with all of it they gain the same.
Study sizes() {
  Study s(8, {"E13"});
  s.contender("x").contender("y").everybody("x", about(0.4)).everybody("y", about(0.4));
  s.like({.contender = "x", .tokens = 4096}, about(0.3, 0.01)).like({.contender = "y", .tokens = 4096}, about(0.1));
  s.like({.contender = "x", .tokens = 16384}, about(0.36)).like({.contender = "y", .tokens = 16384}, about(0.3, 0.01));
  return s;
}

}  // namespace

TEST_CASE("E13: gain against size, and the champion's margin at each") {
  const Finding f = find(sizes().judge(), "E13");
  CHECK(f.answer == Answer::measured);
  REQUIRE(f.claims.size() == 3);
  CHECK(f.claims[0].b == "adapter y at 4,096 tokens");
  CHECK(f.claims[0].answer == Answer::better);
  CHECK(f.claims[0].margin().point == Approx(1 - std::exp(-0.2)));
  CHECK(f.claims[0].comparisons == 3);
  CHECK(f.claims[2].b == "adapter y at all tokens");
  CHECK(f.claims[2].answer == Answer::equivalent);
  CHECK(f.sentence.find("Of what all text gains with adapter x, 4,096 tokens bring 75% and 16,384 tokens bring 90% (8 users).") == 0);
  const auto& chart = std::get<CurveChart>(f.figures.at(0).picture);
  CHECK(chart.lines[1].points[0] == std::pair(4096.0, chart.lines[1].points[0].second));
  CHECK(chart.lines[1].points[2].first == Approx(23'500));  // mean of 20,000 ... 27,000
}

TEST_CASE("E13: who has less text skips that size and the curve") {
  Study s = sizes();
  s.user(0).train_tokens = 10'000;
  std::erase_if(s.results.adapters, [](const AdapterRecord& a) { return a.setting.user == "u0" && a.setting.tokens == 16384; });
  const Finding f = find(s.judge(), "E13");
  CHECK(f.claims[0].users.users == 8);
  CHECK(f.claims[1].users.users == 7);
  CHECK(f.claims[1].missing.empty());
  CHECK(f.tables.at(1).rows[0][1].text == "7");
}

TEST_CASE("E13: absent without part of the text; needs two sizes of the sweep's users who have them") {
  Study s(3, {"E13"});
  s.contender("x").everybody("x", about(0.4));
  CHECK(s.judge().find("E13") == nullptr);

  ShootoutOptions options;
  options.contenders = {"x", "y"};
  options.roles = {"x", {"y"}, "y"};
  s.user(1).train_tokens = 16384;
  std::vector<std::string> asked;
  experiments::data_size::needs({.options = options, .users = s.results.users, .sweep = {"u0", "u1"}},
                                [&](const experiments::Need& n) { asked.push_back(describe(n.setting)); });
  CHECK(asked == std::vector<std::string>{"x for u0, 4096 tokens", "x for u0, 16384 tokens", "y for u0, 4096 tokens",
                                          "y for u0, 16384 tokens", "x for u1, 4096 tokens", "y for u1, 4096 tokens"});
}
