#include "tern/experiment/experiments/storage.hpp"

#include <doctest/doctest.h>

#include "experiment/synthetic.hpp"

using namespace tern;
using synthetic::about;
using synthetic::find;
using synthetic::Study;

TEST_CASE("E9: bytes as stored, and fleets") {
  Study s(3, {"E9"});
  s.contender("x", 9216).contender("absent", 5).everybody("x", about(0.1));
  const Finding f = find(s.judge(), "E9");
  CHECK(f.answer == Answer::measured);
  REQUIRE(f.tables.at(0).rows.size() == 1);
  CHECK(f.tables[0].rows[0][2].text == "9.22 kB");
  CHECK(f.tables[0].rows[0][3].text == "1.98 GB");  // 215,000 * 9,216 bytes
  CHECK(f.tables[0].rows[0][4].text == "92.2 GB");
  CHECK(f.sentence == "Adapter x: 9.22 kB a user, 92.2 GB for 10,000,000 users.");
  CHECK(Study(3, {"E9"}).judge().find("E9") == nullptr);
}
