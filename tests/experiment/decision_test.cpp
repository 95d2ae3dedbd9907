#include "tern/experiment/experiments/decision.hpp"

#include <doctest/doctest.h>

#include "experiment/synthetic.hpp"

using namespace tern;
using synthetic::about;
using synthetic::Study;

namespace {

/// A contender that gains `own`, on generic text `by_generic`, and on others' texts `other`.
void add(Study& s, const std::string& name, std::uint64_t bytes, double own, double by_generic, double other,
         double spread = 0.01) {
  s.contender(name, bytes);
  s.matrix(name, about(own, spread), [=](const std::string&, const std::string&) { return other; });
  for (const std::string& u : s.users()) s.results.protocol.generic[u] = "en";
  s.like({.contender = name, .data = {Data::Kind::generic, "en"}}, about(by_generic));
}

Study study() { return Study(12, {"E1", "E3", "E4", "E9"}); }

bool says(const Decision& d, const char* what) { return d.sentence.find(what) != std::string::npos; }

}  // namespace

TEST_CASE("decision: the cheapest that is equivalent to the best") {
  Study s = study();
  add(s, "x", 1000, 0.40, 0.1, 0.1);
  add(s, "y", 50'000, 0.41, 0.1, 0.1);
  const Decision d = s.judge().decision;
  CHECK(d.contender == "x");
  CHECK(says(d, "Default: adapter x, 1.00 kB a user, 215 MB for 215,000 users, 10.0 GB for 10,000,000 users."));
  CHECK(d.reason.find("it is the cheapest within 5% of adapter y, which gains most") == 0);
}

TEST_CASE("decision: a cheap one that is worse by more than the margin is passed over") {
  Study s = study();
  add(s, "x", 1000, 0.3, 0.1, 0.1);
  add(s, "y", 50'000, 0.5, 0.1, 0.1);
  const Decision d = s.judge().decision;
  CHECK(d.contender == "y");
  CHECK(says(d, "Not within the margin of the best: adapter x (worse)."));
}

TEST_CASE("decision: undecided is not equivalent") {
  Study s = study();
  add(s, "x", 1000, 0.46, 0.0, 0.0, 0.3);
  add(s, "y", 50'000, 0.5, 0.0, 0.0);
  const Decision d = s.judge().decision;
  CHECK(d.contender == "y");
  CHECK(says(d, "adapter x (undecided (too few users: 12"));
}

TEST_CASE("decision: who gains most is no default where the gain is not personal") {
  Study s = study();
  add(s, "x", 1000, 0.3, 0.1, 0.1);
  add(s, "y", 50'000, 0.6, 0.6, 0.1);
  add(s, "z", 500, 0.6, 0.1, 0.6);
  const Decision d = s.judge().decision;
  CHECK(d.contender == "x");
  CHECK(says(d, "adapter y (E3: equivalent within 5%)"));
  CHECK(says(d, "adapter z (E4: equivalent within 5%)"));
}

TEST_CASE("decision: better by less than the margin is not admissible") {
  Study s = study();
  add(s, "x", 1000, 0.42, 0.38, 0.1, 0.002);
  const Decision d = s.judge().decision;
  CHECK(d.contender.empty());
  CHECK(says(d, "adapter x (E3: better, by less than 5%)"));
}

TEST_CASE("decision: E4's interval must clear the margin with its lower end") {
  Study s = study();
  add(s, "x", 1000, 0.46, 0.1, 0.4, 0.04);
  const Decision d = s.judge().decision;
  CHECK(d.contender.empty());
  CHECK(says(d, "E4: better, by less than 5% at the interval's lower end"));
}

TEST_CASE("decision: nobody admissible is no default; nobody tested is none either, and not the same") {
  Study s = study();
  add(s, "x", 1000, 0.3, 0.3, 0.3);
  Decision d = s.judge().decision;
  CHECK(d.contender.empty());
  CHECK(d.reason == "no contender's gain is shown to be the person's own");
  CHECK(says(d, " The fallback, adapter x, takes 1.00 kB a user, and its perplexity is 25.9% lower than the base's."));

  Study untested(12);
  untested.contender("x").everybody("x", about(0.4));
  d = untested.judge().decision;
  CHECK(d.contender.empty());
  CHECK(d.reason == "whether a gain is the person's own was not tested");
  CHECK(says(d, "adapter x (not tested by E3 and E4)"));
}

TEST_CASE("decision: a contender that was not tested is never the default") {
  Study s = study();
  add(s, "x", 50'000, 0.3, 0.1, 0.1);
  s.contender("y", 10).everybody("y", about(0.9));
  const Decision d = s.judge().decision;
  CHECK(d.contender == "x");
  CHECK(says(d, "Not admissible: adapter y (not tested by E3 and E4)."));
}

TEST_CASE("decision: runs that failed for somebody who cannot win do not choose the best") {
  Study s = study();
  add(s, "x", 1000, 0.30, 0.1, 0.1);
  const std::string ahead = s.users().front();  // by whom alone y gains most
  s.contender("y", 50'000).matrix("y", [=](const std::string& u) { return u == ahead ? 0.6 : 0.29; },
           [](const std::string&, const std::string&) { return 0.1; });
  s.like({.contender = "y", .data = {Data::Kind::generic, "en"}}, about(0.1));
  const std::string without = s.judge().decision.sentence;
  CHECK(without.find("Default: adapter y") == 0);
  s.contender("z").everybody("z", about(0.2));
  s.fail({.contender = "z", .user = ahead});
  const Decision d = s.judge().decision;
  CHECK(d.sentence == without + " Not admissible: adapter z (not tested by E3 and E4).");
}

TEST_CASE("decision: speaks only of what ran") {
  Study s = study();
  add(s, "x", 1000, 0.3, 0.1, 0.1);
  s.contender("absent");
  const Decision d = s.judge().decision;
  CHECK(!says(d, "absent"));
  CHECK(d.tables.at(0).rows.size() == 1);
  CHECK(Study(12).judge().decision.sentence.empty());
}

TEST_CASE("decision: int8 where E7 finds it harmless, fp32 with the reason where not") {
  for (const bool harmless : {true, false}) {
    Study s(12, {"E1", "E3", "E4", "E7", "E9"});
    add(s, "x", 1000, 0.4, 0.1, 0.1, 0);
    s.like({.contender = "x", .form = "int8"}, about(harmless ? 0.398 : 0.35, 0.001));
    const Decision d = s.judge().decision;
    CHECK(d.contender == "x");
    CHECK(d.storage == (harmless ? "int8" : "fp32"));
    CHECK(says(d, harmless ? "Stored in int8 it takes" : "It is stored in fp32: in int8 it loses 17% ["));
  }
}

TEST_CASE("decision: nobody is admissible; clusters with residuals are the default where they keep enough") {
  for (const double kept : {0.36, 0.2}) {
    Study s(12, {"E1", "E3", "E4", "E8", "E9"});
    add(s, "x", 1000, 0.4, 0.1, 0.4, 0);  // others' adapters do as well
    s.like({.contender = "x", .form = "cluster+int4"}, about(kept, 0.001));
    const Decision d = s.judge().decision;
    CHECK(d.contender == (kept > 0.3 ? "x" : ""));
    CHECK(d.storage == (kept > 0.3 ? "cluster+int4" : ""));
    CHECK(says(d, kept > 0.3 ? "which keep 90% [" : "No default: no contender's gain is shown to be the person's own"));
  }
}
