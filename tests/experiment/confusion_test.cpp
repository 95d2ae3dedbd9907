#include "tern/experiment/experiments/confusion.hpp"

#include <doctest/doctest.h>

#include "experiment/synthetic.hpp"

using namespace tern;
using doctest::Approx;
using synthetic::about;
using synthetic::find;
using synthetic::Study;

namespace {

/// Everybody's x on everybody's text: `own` on the own, `other` on others', users apart by `spread`.
Study matrix(double own, double other, double spread = 0.01, int users = 12) {
  Study s(users, {"E4"});
  s.contender("x").matrix("x", about(own, spread), [=](const std::string&, const std::string&) { return other; });
  return s;
}

}  // namespace

TEST_CASE("E4: an own gain") {
  const Finding f = find(matrix(0.4, 0.1).judge(), "E4");
  CHECK(f.answer == Answer::better);
  CHECK(f.claims[0].margin().point == Approx(1 - std::exp(-0.3)));
  CHECK(experiments::holds_over_others(f.claims[0], {}));
  CHECK(f.numbers[0].second == Approx(1 - std::exp(-0.3)));
  CHECK(f.sentence.find("The gain is the person's own: at least 5% at the interval's lower end.") != std::string::npos);
}

TEST_CASE("E4: anybody's adapter would do: equivalent") {
  const Finding f = find(matrix(0.4, 0.4).judge(), "E4");
  CHECK(f.answer == Answer::equivalent);
  CHECK(!experiments::holds_over_others(f.claims[0], {}));
}

TEST_CASE("E4: better, with a lower end below the margin, does not hold") {
  const Finding f = find(matrix(0.46, 0.4, 0.04).judge(), "E4");
  CHECK(f.answer == Answer::better);
  CHECK(f.claims[0].margin().point > 0.05);
  CHECK(f.claims[0].margin().low < 0.05);
  CHECK(!experiments::holds_over_others(f.claims[0], {}));
  CHECK(f.sentence.find("The interval's lower end is below the 5%") != std::string::npos);
}

TEST_CASE("E4: the best other counts, not the mean") {
  Study s(12, {"E4"});
  s.contender("x").matrix("x", about(0.4, 0.01), [](const std::string& owner, const std::string&) {
    return owner == "u0" || owner == "u1" ? 0.4 : 0.0;
  });
  const Finding f = find(s.judge(), "E4");
  CHECK(f.answer == Answer::equivalent);
  CHECK(*f.numbers[0].second > 0.2);  // over the mean other
}

TEST_CASE("E4: others of a foreign language neither win nor lose it") {
  // Within a language anybody's adapter does as well as the own; across languages it does harm.
  Study s(12, {"E4"});
  for (int i = 6; i < 12; ++i) s.user(i).language = "de";
  s.contender("x").matrix("x", about(0.4, 0.01), [&](const std::string& owner, const std::string& text) {
    return (std::stoi(owner.substr(1)) < 6) == (std::stoi(text.substr(1)) < 6) ? 0.4 : -0.5;
  });
  const Finding f = find(s.judge(), "E4");
  CHECK(f.answer == Answer::equivalent);
  const Table& elsewhere = f.tables.at(1);
  CHECK(elsewhere.rows[0][2].text.find("+33.0%") == 0);
  CHECK(elsewhere.rows[0][3].text.find("−64.9%") == 0);
  const auto& map = std::get<HeatMap>(f.figures[0].picture);
  CHECK(map.row_groups[0] == "de");
  CHECK(map.rows[0] == "u6");
  CHECK(map.row_groups[1].empty());
  CHECK(map.row_groups[6] == "en");
  CHECK(*map.values[0][0] == Approx(1 - std::exp(-about(0.4, 0.01)("u6"))));
  CHECK(*map.values[0][6] == Approx(1 - std::exp(0.5)));
}

TEST_CASE("E4: who writes alone in a language is left out and named; where most do, it is void") {
  Study s = matrix(0.4, 0.1);
  s.user(3).language = "de";
  Finding f = find(s.judge(), "E4");
  CHECK(f.claims[0].users.users == 11);
  CHECK(f.answer == Answer::better);
  CHECK(f.notes.front() == "Nobody else writes the language of u3 (de): left out of the answer.");

  for (int i = 0; i < 8; ++i) s.user(i).language = "l" + std::to_string(i);
  f = find(s.judge(), "E4");
  CHECK(f.answer == Answer::voided);
  CHECK(f.reason == "only 4 of 12 users have another user of their language, 6 are needed");
}

TEST_CASE("E4: Holm over the champion's E3 and E4") {
  Study s = matrix(0.4, 0.1);
  s.results.protocol.experiments = {"E3", "E4"};
  for (const std::string& u : s.users()) s.results.protocol.generic[u] = "en";
  s.like({.contender = "x", .data = {Data::Kind::generic, "en"}}, about(0.1));
  const Findings all = s.judge();
  CHECK(find(all, "E3").claims[0].comparisons == 2);
  CHECK(find(all, "E4").claims[0].p_adjusted == Approx(2 * find(all, "E4").claims[0].users.p));
}

TEST_CASE("E4: absent without other people's texts; needs everybody's") {
  Study s(12, {"E4"});
  s.contender("x").everybody("x", about(0.4));
  CHECK(s.judge().find("E4") == nullptr);

  ShootoutOptions options;
  options.contenders = {"x", "y"};
  Index asked = 0;
  experiments::confusion::needs({.options = options, .users = s.results.users}, [&](const experiments::Need& n) {
    CHECK(n.everybody);
    ++asked;
  });
  CHECK(asked == 24);
}
