#include "tern/experiment/experiments/heterogeneity.hpp"

#include <doctest/doctest.h>

#include "experiment/synthetic.hpp"

using namespace tern;
using doctest::Approx;
using synthetic::about;
using synthetic::find;
using synthetic::Study;

TEST_CASE("E11: claims by group, none from fewer than six users") {
  // u0 ... u7 write mail, where x is ahead of y; the other four chat, where it is behind.
  Study s(12, {"E11"});
  for (int i = 0; i < 12; ++i) s.user(i).kind = i < 8 ? "mail" : "chat";
  s.contender("x").contender("y").everybody("y", about(0.3));
  s.everybody("x", [](const std::string& u) { return std::stoi(u.substr(1)) < 8 ? about(0.4, 0.01)(u) : about(0.2, 0.01)(u); });
  const Finding f = find(s.judge(), "E11");
  CHECK(f.answer == Answer::measured);
  REQUIRE(f.claims.size() == 2);  // mail over the base and over y
  CHECK(f.claims[1].a == "adapter x, mail");
  CHECK(f.claims[1].answer == Answer::better);
  CHECK(f.claims[1].users.users == 8);
  CHECK(f.sentence.find("Of 2 comparisons, 2 are decided. Adapter x, mail against the base: better (") == 0);
  const Table& kinds = f.tables.at(0);
  CHECK(kinds.title == "By kind");
  CHECK(kinds.rows[0][3].text == "−10.5% (4 users, no claim)");
  CHECK(kinds.rows[1][3].text.find(", better") != std::string::npos);
  CHECK(f.tables.at(1).title == "By size of text");  // everybody writes English
  CHECK(f.tables.at(1).rows[0][0].text == "20,000 to 23,000 tokens");
}

TEST_CASE("E11: too few in every group makes no claim, and says so") {
  Study s(9, {"E11"});
  s.contender("x").contender("y").everybody("x", about(0.4)).everybody("y", about(0.3));
  const Finding f = find(s.judge(), "E11");
  CHECK(f.claims.empty());
  CHECK(f.sentence == "No group has 6 users: the tables show margins, and no claim is made.");
}
