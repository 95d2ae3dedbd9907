#include "tern/experiment/experiments/judge.hpp"

#include <doctest/doctest.h>

#include <set>

#include "experiment/synthetic.hpp"

using namespace tern;
using doctest::Approx;
using synthetic::about;
using synthetic::Study;

TEST_CASE("experiments: each has an id of its own, a title and a question") {
  std::set<std::string> ids;
  for (const experiments::Experiment& e : experiments::all()) {
    CAPTURE(e.id);
    CHECK(ids.insert(e.id).second);
    CHECK(std::string(e.title) != "");
    CHECK(std::string(e.question).back() == '?');
  }
  const ShootoutOptions options;
  for (const std::string& id : options.experiments) CHECK(ids.contains(id));
}

TEST_CASE("judge: only what the protocol asks for, in its order, the same every time") {
  Study s(12, {"E9", "E1"});
  s.contender("x").contender("y").everybody("x", about(0.4, 0.02)).everybody("y", about(0.3));
  const Findings f = s.judge(), again = s.judge();
  REQUIRE(f.experiments.size() == 2);
  CHECK(f.experiments[0].id == "E1");
  CHECK(f.experiments[1].id == "E9");
  CHECK(f.experiments[0].claims[0].bootstrap->low == again.experiments[0].claims[0].bootstrap->low);
}

TEST_CASE("judge: a claim's numbers do not depend on what else is asked") {
  Study s(24, {"E1"});  // more than 20 users: sign flips are drawn
  s.contender("x").contender("y").contender("z");
  s.everybody("x", about(0.4, 0.2)).everybody("y", about(0.35)).everybody("z", about(0.3));
  const Claim before = s.judge().experiments[0].claims[0];
  s.results.protocol.roles.rivals = {"z", "y"};
  const Claim after = s.judge().experiments[0].claims[1];
  CHECK(before.b == after.b);
  CHECK(before.users.p == after.users.p);
  CHECK(before.bootstrap->high == after.bootstrap->high);
}

TEST_CASE("judge: a planted null is rarely called a difference") {
  // 12 users, x and y alike but for noise between users of 0.1 nats: of 200 such studies about 5% may err.
  int wrong = 0;
  for (std::uint64_t trial = 0; trial < 200; ++trial) {
    Random random(trial);
    Study s(12);
    s.contender("x").contender("y").everybody("y", about(0.3));
    s.everybody("x", [&](const std::string&) { return 0.3 + 0.1 * random.normal(); });
    const experiments::Evidence evidence(s.results);
    Claim c = experiments::compare(evidence, {.a = "x", .b = "y"}, s.users(), experiments::own_adapters("x", "y"));
    experiments::answer(c, s.results.protocol);
    wrong += c.answer == Answer::better || c.answer == Answer::worse;
  }
  CHECK(wrong <= 21);  // P(more than 21 of 200 at 5%) < 0.001
  CHECK(wrong >= 1);   // and the test is not blind
}
