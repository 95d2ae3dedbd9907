#include "tern/experiment/experiments/robustness.hpp"

#include <doctest/doctest.h>

#include "experiment/synthetic.hpp"

using namespace tern;
using doctest::Approx;
using synthetic::about;
using synthetic::find;
using synthetic::Study;

namespace {

/// x gains 0.4 over the base and the others' adapter 0.2, without noise; under noise of each level what `own`, `others`
/// and the base lost say.
struct Level {
  double lost, own, others;  ///< nats: of the base; gains over the base without noise
};
Study under(const std::vector<Level>& levels) {
  Study s(12, {"E5"});
  s.contender("x").everybody("x", about(0.4)).like({.contender = "x", .data = {Data::Kind::others}}, about(0.2));
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const std::string form = experiments::robustness::levels[i].second;
    s.base(levels[i].lost, "stored", form);
    s.like({.contender = "x", .form = form}, about(levels[i].own, 0.01));
    s.like({.contender = "x", .data = {Data::Kind::others}, .form = form}, about(levels[i].others));
  }
  return s;
}

}  // namespace

TEST_CASE("E5: up to which noise own adapters beat the base and the others") {
  // Ahead of the base up to 0.1, of the others up to 0.01; at 1 everything is lost.
  const Finding f = find(under({{0, 0.4, 0.2}, {0, 0.4, 0.2}, {0.1, 0.3, 0.1}, {0.5, -0.1, -0.1}, {5, -5, -5}}).judge(), "E5");
  CHECK(f.answer == Answer::measured);
  REQUIRE(f.claims.size() == 10);
  CHECK(f.claims[0].margin().point == Approx(1 - std::exp(-0.4)));
  CHECK(f.claims[0].comparisons == 5);
  CHECK(f.claims[4].margin().point == Approx(1 - std::exp(-0.4)));  // 0.3 over a base that lost 0.1
  CHECK(f.claims[5].margin().point == Approx(1 - std::exp(-0.2)));
  REQUIRE(f.numbers.size() == 2);
  CHECK(*f.numbers[0].second == 0.1);
  CHECK(*f.numbers[1].second == 0.01);
  CHECK(f.sentence == "Adapter x of the person beats the base under noise of up to 0.1 of the hidden state's RMS, and beats the adapter of "
                      "all others of the language under noise of up to 0.01 of the hidden state's RMS.");
  const auto& chart = std::get<CurveChart>(f.figures.at(0).picture);
  CHECK(chart.lines[0].points.size() == 5);
  CHECK(chart.lines[0].points[2].first == 0.01);
  CHECK(f.tables.at(1).rows.size() == 5);
}

TEST_CASE("E5: a gain that the least noise takes is told") {
  const Finding f = find(under({{0, 0, 0}, {0, 0, 0}, {0, 0, 0}, {0, 0, 0}, {0, 0, 0}}).judge(), "E5");
  CHECK(!f.numbers[0].second.has_value());
  CHECK(f.sentence.find("does not surely beat the base even under noise of 0.0001") != std::string::npos);
}

TEST_CASE("E5: needs base, own and others under each noise; nobody's others where there are none, no copies") {
  ShootoutOptions options;
  options.contenders = {"x"};
  options.roles = {"x", {}, ""};
  Study s(2);
  s.user(1).language = "ml";
  const auto names = [&](const experiments::Design& design) {
    std::vector<std::string> all;
    experiments::robustness::needs(design, [&](const experiments::Need& n) { all.push_back(describe(n.setting)); });
    return all;
  };
  experiments::Design design{.options = options, .users = s.results.users};
  const auto apart = names(design);
  CHECK(apart.size() == 5 * (1 + 2 * 2));
  CHECK(apart[0] == "base, stored weights, noise:0.0001");
  CHECK(apart[2] == "x for u0, noise:0.0001");
  design.users[1].language = "en";
  CHECK(names(design).size() == 5 * (1 + 2 * 4));
  design.copies = {"x"};
  CHECK(names(design).empty());
}
