#include "tern/experiment/experiments/ternary_base.hpp"

#include <doctest/doctest.h>

#include "experiment/synthetic.hpp"

using namespace tern;
using doctest::Approx;
using synthetic::about;
using synthetic::find;
using synthetic::Study;

namespace {

/// The ternary base is 0.5 nats worse; x gains 0.4 on the dense base and comes to `own` over the dense base on the
/// ternary one, the shared adapter to `healed`.
Study twin(double own, double healed, double spread = 0.01) {
  Study s(12, {"E6"});
  s.base(0.5, "ternary").contender("x").everybody("x", about(0.4));
  s.like({.contender = "x", .weights = "ternary"}, about(own, spread));
  for (const std::string& u : s.users()) s.results.protocol.generic[u] = "en";
  s.run({.contender = "x", .data = {Data::Kind::generic, "en"}, .weights = "ternary"}, s.users(), about(healed));
  return s;
}

}  // namespace

TEST_CASE("E6: what is kept, the gap, and gain that is not repair") {
  const Finding f = find(twin(0.3, 0.1).judge(), "E6");
  CHECK(f.answer == Answer::worse);
  REQUIRE(f.claims.size() == 2);
  CHECK(f.claims[0].margin().point == Approx(1 - std::exp(0.1)));
  CHECK(f.claims[1].answer == Answer::better);
  CHECK(f.claims[1].margin().point == Approx(1 - std::exp(-0.2)));
  CHECK(*f.numbers[0].second == Approx(0.75));
  CHECK(*f.numbers[1].second < 0.75);
  CHECK(*f.numbers[2].second > 0.75);
  CHECK(f.sentence.find("Kept of the gain on the dense base: 75% [") != std::string::npos);
}

TEST_CASE("E6: nothing lost is equivalent; a gain that is all repair is told") {
  const Finding f = find(twin(0.4, 0.4).judge(), "E6");
  CHECK(f.answer == Answer::equivalent);
  CHECK(f.claims[1].answer == Answer::equivalent);
  CHECK(*f.numbers[0].second == Approx(1));
}

TEST_CASE("E6: kept has the delta method's interval") {
  // x_u = (0.3, 0.5), y_u = (0.4, 0.6): R = 0.8, x - R y = (-0.02, 0.02), deviation 0.0283, t(0.975; 1) = 12.7062.
  const std::vector<double> x = {0.3, 0.5}, wide = {0.3, 0.5, 0.3, 0.5, 0.3, 0.5}, y = {0.4, 0.6, 0.4, 0.6, 0.4, 0.6};
  const auto kept = experiments::ternary_base::kept(wide, y, 0.95);
  REQUIRE(kept.has_value());
  CHECK(kept->point == Approx(0.8));
  const double deviation = 0.02 * std::sqrt(6.0 / 5), t = 2.5705818;  // t(0.975; 5)
  CHECK(kept->high - kept->point == Approx(t * deviation / std::sqrt(6) / 0.5).epsilon(1e-6));
  CHECK(!experiments::ternary_base::kept({0.3}, {0.4}, 0.95).has_value());
  CHECK(!experiments::ternary_base::kept(x, {-0.1, 0.2}, 0.95).has_value());  // no certain gain to keep
}

TEST_CASE("E6: without a shared adapter it says that repair cannot be told") {
  Study s(12, {"E6"});
  s.base(0.5, "ternary").contender("x").everybody("x", about(0.4)).like({.contender = "x", .weights = "ternary"}, about(0.3));
  const Finding f = find(s.judge(), "E6");
  CHECK(f.claims.size() == 1);
  CHECK(f.sentence.find("cannot be told from repair") != std::string::npos);
}

TEST_CASE("E6: needs the twin, and the stored weights") {
  ShootoutOptions options;
  options.contenders = {"x"};
  options.roles = {"x", {}, "x"};
  experiments::Design design{.options = options, .users = Study(2).results.users,
                             .generic = {{"u0", "en"}, {"u1", "en"}}, .ternary_twin = true};
  std::vector<std::string> asked;
  const auto ask = [&](const experiments::Need& n) { asked.push_back(describe(n.setting) + (n.everybody ? "!" : "")); };
  experiments::ternary_base::needs(design, ask);
  CHECK(asked == std::vector<std::string>{"x for u0, ternary weights", "x for u1, ternary weights",
                                          "x for everybody, generic:en, ternary weights!"});
  asked.clear();
  design.ternary_twin = false;
  experiments::ternary_base::needs(design, ask);
  CHECK(asked.empty());
}
