#include "tern/experiment/experiments/budget.hpp"

#include <doctest/doctest.h>

#include "experiment/synthetic.hpp"

using namespace tern;
using doctest::Approx;
using synthetic::about;
using synthetic::find;
using synthetic::Study;

namespace {

/// Gains at 1/5, 1/2, 1 and 3 budgets of 100 s.
Study budgets(std::vector<double> gains) {
  Study s(6, {"E12"});
  s.contender("x").everybody("x", about(gains[2]));
  s.like({.contender = "x", .budget = 0.2}, about(gains[0]));
  s.like({.contender = "x", .budget = 0.5}, about(gains[1]));
  s.like({.contender = "x", .budget = 3}, about(gains[3]));
  return s;
}

}  // namespace

TEST_CASE("E12: seconds to 90% lie between budgets, linear in log seconds") {
  const Finding f = find(budgets({0.1, 0.2, 0.3, 0.4}).judge(), "E12");
  CHECK(f.answer == Answer::measured);
  // 0.36 lies 0.6 of the way from 0.3 at 100 s to 0.4 at 300 s.
  CHECK(*f.numbers[0].second == Approx(100 * std::pow(3, 0.6)));
  CHECK(f.sentence == "Adapter x: 90% of what 3 budgets gain after 193 s (6 users).");
  const auto& chart = std::get<CurveChart>(f.figures.at(0).picture);
  REQUIRE(chart.lines.size() == 1);
  CHECK(chart.lines[0].points[0].first == Approx(20));
  CHECK(chart.lines[0].points[3].second == Approx(1 - std::exp(-0.4)));
}

TEST_CASE("E12: the shortest run may have it already, and some gain nothing") {
  CHECK(find(budgets({0.4, 0.4, 0.4, 0.4}).judge(), "E12").sentence.find("after at most 20 s") != std::string::npos);
  const Finding f = find(budgets({-0.1, -0.1, -0.2, -0.3}).judge(), "E12");
  CHECK(!f.numbers[0].second.has_value());
  CHECK(f.sentence.find("no gain over the base after 300 s") != std::string::npos);
}

TEST_CASE("E12: seconds are those that steps stand for; pilots are counted beside") {
  Study s = budgets({0.1, 0.2, 0.3, 0.4});
  for (AdapterRecord& a : s.results.adapters) a.seconds *= 7;  // a busy machine
  const Finding f = find(s.judge(), "E12");
  CHECK(*f.numbers[0].second == Approx(100 * std::pow(3, 0.6)));
  CHECK(f.numbers[1].first == "seconds of pilots, adapter x");
  CHECK(*f.numbers[1].second == Approx(6 * 100));  // three rates of two pilots
}

TEST_CASE("E12: users who lack a budget do not count; one budget is no curve") {
  Study s = budgets({0.1, 0.2, 0.3, 0.4});
  s.fail({.contender = "x", .user = "u0", .budget = 3});
  CHECK(find(s.judge(), "E12").sentence.find("(5 users)") != std::string::npos);
  Study one(6, {"E12"});
  one.contender("x").everybody("x", about(0.3));
  CHECK(one.judge().find("E12") == nullptr);
}

TEST_CASE("E12: needs three more budgets of the sweep's users") {
  ShootoutOptions options;
  options.contenders = {"x", "y"};
  options.roles = {"x", {"y"}, "y"};
  Index asked = 0;
  experiments::budget::needs({.options = options, .users = Study(4).results.users, .sweep = {"u1"}},
                             [&](const experiments::Need& n) {
                               CHECK(n.setting.user == "u1");
                               CHECK(n.setting.budget != 1);
                               ++asked;
                             });
  CHECK(asked == 6);
}
