#include "tern/experiment/experiments/precision.hpp"

#include <doctest/doctest.h>

#include "experiment/synthetic.hpp"

using namespace tern;
using doctest::Approx;
using synthetic::about;
using synthetic::find;
using synthetic::Study;

namespace {

/// x gains 0.4, generic text 0.1 of it; in int8 and int4 it gains what is said.
Study rounded(double int8, double int4, double spread = 0.002) {
  Study s(12, {"E7"});
  s.contender("x").everybody("x", about(0.4));
  for (const std::string& u : s.users()) s.results.protocol.generic[u] = "en";
  s.like({.contender = "x", .data = {Data::Kind::generic, "en"}}, about(0.1));
  s.like({.contender = "x", .form = "bf16"}, about(0.4)).like({.contender = "x", .form = "int8"}, about(int8, spread));
  return s.like({.contender = "x", .form = "int4"}, about(int4, spread));
}

}  // namespace

TEST_CASE("E7: the share of the personal gain that is lost, with its interval") {
  const Finding f = find(rounded(0.397, 0.25).judge(), "E7");
  CHECK(f.answer == Answer::measured);
  REQUIRE(f.claims.size() == 3);
  CHECK(f.claims[0].answer == Answer::equivalent);
  CHECK(f.claims[2].margin().point == Approx(1 - std::exp(0.15)));
  REQUIRE(f.numbers.size() == 3);
  CHECK(*f.numbers[0].second == Approx(0));
  CHECK(*f.numbers[1].second == Approx(0.01));  // 0.003 of the 0.3 that are personal
  CHECK(*f.numbers[2].second == Approx(0.5));
  CHECK(f.sentence.find("50% [") != std::string::npos);
  CHECK(f.tables.at(1).rows.size() == 3);
  CHECK(f.tables.at(1).rows[2][4].text == "nobody");
}

TEST_CASE("E7: whoever becomes worse than the base is named, and int8 is then harmful") {
  Study s = rounded(0.397, 0.25);
  const experiments::Evidence before(s.results);
  CHECK(experiments::precision::is_harmless(experiments::precision::loss(before, "x", "int8")));
  CHECK(!experiments::precision::is_harmless(experiments::precision::loss(before, "x", "int4")));
  for (AdapterRecord& a : s.results.adapters)
    if (a.setting.form == "int8" && a.setting.user == "u3")
      for (CellRecord& c : s.results.cells)
        if (c.adapter == a.id)
          for (ChunkLoss& chunk : c.chunks) chunk.nll += 0.5 * static_cast<double>(chunk.tokens);
  const Finding f = find(s.judge(), "E7");
  CHECK(f.tables.at(1).rows[1][4].text == "u3");
  CHECK(f.sentence.find("(worse than the base: u3)") != std::string::npos);
  const experiments::Evidence after(s.results);
  CHECK(!experiments::precision::is_harmless(experiments::precision::loss(after, "x", "int8")));
}

TEST_CASE("E7: without generic text the gain over the base counts") {
  Study s(12, {"E7"});
  s.contender("x").everybody("x", about(0.4)).like({.contender = "x", .form = "int8"}, about(0.38, 0.001));
  const experiments::Evidence evidence(s.results);
  const auto loss = experiments::precision::loss(evidence, "x", "int8");
  CHECK(loss.lost->point == Approx(0.05));
  CHECK(!experiments::precision::is_harmless(loss));  // surely less than a twentieth is asked
}

TEST_CASE("E7: needs champion and rivals in each form, and no copies") {
  ShootoutOptions options;
  options.contenders = {"x", "y"};
  options.roles = {"x", {"y"}, ""};
  const experiments::Design design{.options = options, .users = Study(1).results.users, .copies = {"y"}};
  std::vector<std::string> names;
  experiments::precision::needs(design, [&](const experiments::Need& n) { names.push_back(describe(n.setting)); });
  CHECK(names == std::vector<std::string>{"x for u0", "x for u0, bf16", "x for u0, int8", "x for u0, int4"});
}
