#include "tern/experiment/experiments/noise_floor.hpp"

#include <doctest/doctest.h>

#include "experiment/synthetic.hpp"

using namespace tern;
using doctest::Approx;
using synthetic::about;
using synthetic::find;
using synthetic::Study;

namespace {

constexpr auto generic = Data::Kind::generic;

/// x gains `own` on own text and `by_generic` on generic text; `controlled` users have such text.
Study floor_of(double own, double by_generic, double spread = 0.01, int controlled = 12, int users = 12) {
  Study s(users, {"E3"});
  s.contender("x").contender("y").everybody("x", about(own));
  for (int i = 0; i < controlled; ++i) {
    const std::string user = "u" + std::to_string(i);
    s.results.protocol.generic[user] = "en-prose";
    s.run({.contender = "x", .user = user, .data = {generic, "en-prose"}}, about(by_generic, spread)(user));
  }
  s.like({.contender = "x", .data = {Data::Kind::uniform}}, about(-0.2));
  s.like({.contender = "x", .data = {Data::Kind::shuffled}}, about(own / 2));
  return s;
}

}  // namespace

TEST_CASE("E3: a personal gain, split into base -> generic -> own") {
  const Finding f = find(floor_of(0.4, 0.1).judge(), "E3");
  CHECK(f.answer == Answer::better);
  REQUIRE(f.claims.size() == 1);
  CHECK(f.claims[0].family == "E3+E4");
  CHECK(f.claims[0].margin().point == Approx(1 - std::exp(-0.3)));
  CHECK(experiments::holds_over_generic(f.claims[0], {}));
  CHECK(f.numbers[0].second == Approx(0.1));
  CHECK(f.numbers[1].second == Approx(0.3));
  CHECK(f.numbers[2].second == Approx(0.75));
  CHECK(f.sentence.find("generic text brings 25% and the person's own text 75%.") != std::string::npos);
  const auto& stack = std::get<StackChart>(f.figures.at(0).picture);
  REQUIRE(stack.rows.size() == 12);
  CHECK(*stack.rows[3].parts[0] + *stack.rows[3].parts[1] == Approx(0.4));
}

TEST_CASE("E3: other data are shown beside it, as shares of the own gain") {
  const Finding f = find(floor_of(0.4, 0.1).judge(), "E3");
  const Table& controls = f.tables.at(2);
  REQUIRE(controls.rows.size() == 4);  // nobody ran on others' text
  CHECK(controls.rows[0][4].text == "100%");
  CHECK(controls.rows[1][4].text == "25%");
  CHECK(controls.rows[2][0].text == "own tokens, shuffled");
  CHECK(controls.rows[2][4].text == "50%");
  CHECK(controls.rows[3][4].text == "−50%");
}

TEST_CASE("E3: all of it regularisation or language: equivalent to generic text") {
  const Finding f = find(floor_of(0.4, 0.4).judge(), "E3");
  CHECK(f.answer == Answer::equivalent);
  CHECK(!experiments::holds_over_generic(f.claims[0], {}));
}

TEST_CASE("E3: better than generic text, and by too little to hold") {
  const Finding f = find(floor_of(0.42, 0.4, 0.005).judge(), "E3");
  CHECK(f.answer == Answer::better);
  CHECK(!experiments::holds_over_generic(f.claims[0], {}));
  CHECK(f.sentence.find("That is less than the 5% that the protocol asks for.") != std::string::npos);
}

TEST_CASE("E3: too few users with generic text make it void, with the reason") {
  Finding f = find(floor_of(0.4, 0.1, 0.01, 5).judge(), "E3");
  CHECK(f.answer == Answer::voided);
  CHECK(f.reason == "only 5 of 12 users have generic text of their language and kind, 6 are needed");
  CHECK(f.sentence.find("void (only 5 of 12 users") != std::string::npos);
  CHECK(f.notes.front().find("u5, u6, u7, u8, u9, u10 and u11") != std::string::npos);

  f = find(floor_of(0.4, 0.1, 0.01, 0).judge(), "E3");
  CHECK(f.answer == Answer::voided);
  CHECK(f.reason.find("none of 12 users have") == 0);
  CHECK(f.claims[0].users.users == 0);

  CHECK(find(floor_of(0.4, 0.1, 0.01, 6).judge(), "E3").answer == Answer::better);
  CHECK(find(floor_of(0.4, 0.1, 0.01, 5, 5).judge(), "E3").answer == Answer::undecided);  // all have it: too few users
}

TEST_CASE("E3: other contenders have a family of their own") {
  Study s = floor_of(0.4, 0.1);
  s.everybody("y", about(0.5)).like({.contender = "y", .data = {generic, "en-prose"}}, about(0.48, 0.2));
  const Finding f = find(s.judge(), "E3");
  REQUIRE(f.claims.size() == 2);
  CHECK(f.claims[1].family == "E3+E4 of y");
  CHECK(f.answer == f.claims[0].answer);
  CHECK(f.claims[1].answer == Answer::undecided);
}

TEST_CASE("E3: absent without control runs") {
  Study s(12, {"E3"});
  s.contender("x").everybody("x", about(0.4));
  CHECK(s.judge().find("E3") == nullptr);
}

TEST_CASE("E3: needs every control of the champion, generic text of the others") {
  Study s(3);
  ShootoutOptions options;
  options.contenders = {"x", "y"};
  options.roles = {"x", {"y"}, "y"};
  s.user(2).language = "de";
  const experiments::Design design{.options = options, .users = s.results.users, .generic = {{"u0", "en-prose"}}};
  std::vector<std::string> asked;
  experiments::noise_floor::needs(design, [&](const experiments::Need& n) { asked.push_back(describe(n.setting)); });
  CHECK(asked == std::vector<std::string>{"x for u0, generic:en-prose", "x for u0, uniform", "x for u0, shuffled",
                                          "x for u0, others", "x for u1, uniform", "x for u1, shuffled",
                                          "x for u1, others", "x for u2, uniform", "x for u2, shuffled",
                                          "y for u0, generic:en-prose"});
}
