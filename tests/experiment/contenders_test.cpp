#include "tern/experiment/experiments/contenders.hpp"

#include <doctest/doctest.h>

#include "experiment/synthetic.hpp"

using namespace tern;
using doctest::Approx;
using synthetic::about;
using synthetic::find;
using synthetic::Study;

namespace {

/// x against y, which gains 0.3 nats per token; x gains `x`, with a spread between users.
Finding duel(double x, double spread, int users = 12) {
  Study s(users);
  s.contender("x").contender("y").everybody("x", about(x, spread)).everybody("y", about(0.3));
  return find(s.judge(), "E1");
}

}  // namespace

TEST_CASE("E1: each of the four answers, with its margin") {
  SUBCASE("better") {
    const Finding f = duel(0.4, 0.02);
    CHECK(f.answer == Answer::better);
    REQUIRE(f.claims.size() == 2);
    CHECK(f.claims[0].margin().point == Approx(1 - std::exp(-0.1)));
    CHECK(f.claims[0].margin().low > 0);
    CHECK(f.claims[0].bootstrap->contains(0.1));
    CHECK(f.claims[0].strict == 12);
    CHECK(!f.claims[0].within_margin);
    CHECK(f.claims[1].b == "the base");
    CHECK(f.claims[1].margin().point == Approx(1 - std::exp(-0.4)));
    CHECK(f.sentence.find("Adapter x against adapter y: better. Perplexity is 9.5% lower (95% interval") == 0);
    CHECK(f.sentence.find("Strictly first, ahead of every rival: for all 12 users.") != std::string::npos);
  }
  SUBCASE("better, and by less than the margin") {
    const Finding f = duel(0.32, 0.01);
    CHECK(f.answer == Answer::better);
    CHECK(f.sentence.find("better, by less than 5%. Perplexity is 2.0% lower") != std::string::npos);
  }
  SUBCASE("worse") {
    const Finding f = duel(0.2, 0.02);
    CHECK(f.answer == Answer::worse);
    CHECK(f.sentence.find("worse. Perplexity is 10.5% higher") != std::string::npos);
    CHECK(f.sentence.find("lower for none of 12 users") != std::string::npos);
  }
  SUBCASE("equivalent: a null comes out as one") {
    const Finding f = duel(0.3, 0.03);
    CHECK(f.answer == Answer::equivalent);
    CHECK(f.reason.empty());
    CHECK(f.sentence.find("equivalent within 5%") != std::string::npos);
  }
  SUBCASE("undecided, with the users that would do") {
    const Finding f = duel(0.3, 0.3);
    CHECK(f.answer == Answer::undecided);
    REQUIRE(f.claims[0].users_needed.has_value());
    CHECK(*f.claims[0].users_needed > 12);
    CHECK(f.reason.find("too few users: 12, and about ") == 0);
  }
  SUBCASE("five users decide nothing") {
    const Finding f = duel(0.6, 0.01, 5);
    CHECK(f.answer == Answer::undecided);
    CHECK(f.reason.find("too few users: 5") == 0);
  }
}

TEST_CASE("E1: rivals are one family; the base stands by itself") {
  Study s(12);
  s.contender("x").contender("y").contender("z");
  s.everybody("x", about(0.4, 0.02)).everybody("y", about(0.3)).everybody("z", about(0.35));
  const Finding f = find(s.judge(), "E1");
  REQUIRE(f.claims.size() == 3);
  CHECK(f.claims[0].p_adjusted == Approx(2 * f.claims[0].users.p));
  CHECK(f.claims[0].comparisons == 2);
  CHECK(f.claims[2].p_adjusted == f.claims[2].users.p);
  CHECK(f.sentence.find("adjusted for 2 comparisons") != std::string::npos);
}

TEST_CASE("E1: where rivals' answers differ, the best rival's is the answer") {
  Study s(12);
  s.contender("x").contender("weak").contender("strong");
  s.everybody("x", about(0.4, 0.02)).everybody("weak", about(0.2)).everybody("strong", about(0.6));
  const Finding f = find(s.judge(), "E1");
  CHECK(f.claims[0].answer == Answer::better);
  CHECK(f.claims[1].answer == Answer::worse);
  CHECK(f.answer == Answer::worse);
  CHECK(f.sentence.find("Strictly first, ahead of every rival: for none of 12 users.") != std::string::npos);
}

TEST_CASE("E1: a rate at the end of its grid decides nothing, except where nothing is tuned by design") {
  Study s(12);
  s.contender("x").contender("y").everybody("x", about(0.4, 0.02)).everybody("y", about(0.3));
  s.results.protocol.pilots["y"].interior = false;
  Finding f = find(s.judge(), "E1");
  CHECK(f.answer == Answer::undecided);
  CHECK(f.reason == "not tuned: no best learning rate was found inside the grid of adapter y");
  CHECK(f.claims[0].obstacle == statistics::Reason::not_tuned);
  CHECK(f.claims[1].answer == Answer::better);  // x against the base does not rest on y

  s.results.protocol.kind = "catalogue";
  s.results.protocol.pilots.clear();
  f = find(s.judge(), "E1");
  CHECK(f.answer == Answer::better);
  CHECK(f.notes.back().find("Nothing is tuned") == 0);
}

TEST_CASE("E1: a failed run leaves its user out and is named; more than a tenth decide nothing") {
  Study s(12);
  s.contender("x").contender("y").everybody("x", about(0.4, 0.02)).everybody("y", about(0.3));
  s.fail({.contender = "x", .user = "u3"});
  Finding f = find(s.judge(), "E1");
  CHECK(f.claims[0].users.users == 11);
  CHECK(f.claims[0].failed == std::vector<std::string>{"u3"});
  CHECK(f.answer == Answer::better);
  CHECK(f.notes.front().find("1 user (u3), of whom a run failed, left out") == 0);

  s.fail({.contender = "y", .user = "u4"});
  f = find(s.judge(), "E1");
  CHECK(f.answer == Answer::undecided);
  CHECK(f.reason == "runs failed for 2 of 12 users");
  CHECK(f.claims[1].answer == Answer::better);  // against the base one of twelve failed
}

TEST_CASE("E1: losses that are not finite count as a failed run") {
  Study s(12);
  s.contender("x").contender("y").everybody("x", about(0.4, 0.02)).everybody("y", about(0.3));
  for (CellRecord& c : s.results.cells)
    if (c.adapter.find("x for u7") == 0) c.chunks[0].nll = std::nan("");
  const Finding f = find(s.judge(), "E1");
  CHECK(f.claims[0].failed == std::vector<std::string>{"u7"});
}

TEST_CASE("E1: beside the answers, everybody with as many steps as the slowest") {
  Study s(12);
  s.contender("x").contender("y").everybody("x", about(0.4, 0.02)).everybody("y", about(0.3));
  CHECK(find(s.judge(), "E1").tables.at(1).title != "The same at equal steps");  // all make 200
  s.results.protocol.calibration["y"].steps = 50;
  s.like({.contender = "x", .budget = 0.25}, about(0.2, 0.02));
  const Finding f = find(s.judge(), "E1");
  CHECK(f.claims[0].answer == Answer::better);
  const Table& equal = f.tables.at(1);
  CHECK(equal.title == "The same at equal steps");
  REQUIRE(equal.rows.size() == 1);
  CHECK(equal.rows[0][0].text == "adapter x against adapter y");
  CHECK(equal.rows[0].back().text == "worse");  // x had been ahead by its steps

  ShootoutOptions options;
  options.contenders = {"x", "y"};
  options.roles = {"x", {"y"}, ""};
  std::vector<Setting> needed;
  experiments::contenders::needs({.options = options, .users = s.results.users, .steps = {{"x", 200}, {"y", 50}}},
                                 [&](const experiments::Need& n) { needed.push_back(n.setting); });
  CHECK(needed.size() == 36);
  CHECK(std::count(needed.begin(), needed.end(), Setting{.contender = "x", .user = "u3", .budget = 0.25}) == 1);
}

TEST_CASE("E1: what did not run is not spoken of") {
  Study s(12);
  s.contender("x").contender("y").contender("z").everybody("x", about(0.4, 0.02)).everybody("y", about(0.3));
  Finding f = find(s.judge(), "E1");
  CHECK(f.sentence.find("adapter z") == std::string::npos);
  CHECK(f.claims.size() == 2);

  Study alone(12);
  alone.contender("x").contender("y").everybody("y", about(0.3));
  f = find(alone.judge(), "E1");
  CHECK(f.answer == Answer::undecided);
  CHECK(f.reason == "the champion, adapter x, did not run");

  CHECK(Study(12).judge().experiments.empty());
}

TEST_CASE("E1: claims about one user need 12 chunks in 3 documents") {
  Study s(8);
  s.contender("x").contender("y").everybody("x", about(0.4, 0.02)).everybody("y", about(0.3));
  for (CellRecord& c : s.results.cells)
    if (c.user == "u2") c.chunks.pop_back();
  const Finding f = find(s.judge(), "E1");
  CHECK(f.claims[0].users.users == 8);
  const Table& users = f.tables[1];
  CHECK(users.rows[1][1].text.find(", better") != std::string::npos);
  CHECK(users.rows[2][1].text.find(", better") == std::string::npos);
  CHECK(f.notes.back() == "Not testable by themselves, for want of 12 chunks in 3 documents: u2.");
}

TEST_CASE("E1: perplexities are the base's times exp(-gain)") {
  const Finding f = duel(0.4, 0);
  const Table& ppl = f.tables[2];
  REQUIRE(ppl.rows.size() == 12);
  const double base = std::stod(ppl.rows[0][1].text), x = std::stod(ppl.rows[0][2].text);
  CHECK(x / base == Approx(std::exp(-0.4)).epsilon(0.001));
  CHECK(ppl.rows[0][2].strong);
  CHECK(!ppl.rows[0][1].strong);
}

TEST_CASE("E1: needs one run a contender and user") {
  ShootoutOptions options;
  options.contenders = {"x", "y"};
  const experiments::Design design{.options = options, .users = Study(3).results.users};
  std::vector<std::string> asked;
  experiments::contenders::needs(design, [&](const experiments::Need& n) {
    CHECK(!n.everybody);
    asked.push_back(describe(n.setting));
  });
  CHECK(asked.size() == 6);
  CHECK(asked[0] == "x for u0");
}
