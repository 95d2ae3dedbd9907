#include "tern/experiment/experiments/sharing.hpp"

#include <doctest/doctest.h>

#include "experiment/synthetic.hpp"

using namespace tern;
using doctest::Approx;
using synthetic::about;
using synthetic::find;
using synthetic::Study;

namespace {

/// x gains 0.4; what each form keeps is said. Users fall into two clusters in turns.
Study shared(double mean, double others, double cluster, double int4, double residual) {
  Study s(12, {"E8"});
  s.contender("x").everybody("x", about(0.4));
  const double gains[] = {mean, others, cluster, int4, residual};
  for (std::size_t i = 0; i < 5; ++i)
    s.like({.contender = "x", .form = experiments::sharing::forms[i].first}, about(gains[i], 0.005));
  for (AdapterRecord& a : s.results.adapters)
    if (a.setting.form == "cluster") a.group = std::stoi(a.setting.user.substr(1)) % 2 + 1;
  return s;
}

}  // namespace

TEST_CASE("E8: people who can share are told from people who cannot") {
  const Finding together = find(shared(0.38, 0.38, 0.39, 0.39, 0.4).judge(), "E8");
  CHECK(together.answer == Answer::measured);
  REQUIRE(together.numbers.size() == 5);
  CHECK(*together.numbers[1].second == Approx(0.95));
  CHECK(together.claims[1].within_margin);
  const Finding apart = find(shared(0.1, 0.02, 0.1, 0.36, 0.38).judge(), "E8");
  CHECK(*apart.numbers[1].second == Approx(0.05));
  CHECK(apart.claims[1].answer == Answer::worse);
  CHECK(*apart.numbers[4].second == Approx(0.95));
  CHECK(apart.sentence.find("the mean of all others 5% [") != std::string::npos);
}

TEST_CASE("E8: what is stored once is divided among the people; clusters are listed") {
  const Finding f = find(shared(0.38, 0.38, 0.39, 0.39, 0.4).judge(), "E8");
  const auto& rows = f.tables.at(1).rows;
  REQUIRE(rows.size() == 5);
  CHECK(rows[0][1].text == words::bytes(1000.0 / 12));
  CHECK(rows[2][1].text == words::bytes(2 * 1000.0 / 12));
  const Table& clusters = f.tables.at(2);
  REQUIRE(clusters.rows.size() == 2);
  CHECK(clusters.rows[1][2].text.starts_with("u1 (prose, en), u3 (prose, en)"));
  CHECK(f.figures.size() == 1);  // no matrix was measured
}

TEST_CASE("E8: the matrix is drawn in the clusters' order where E4 measured it") {
  Study s(12, {"E8"});
  s.contender("x").matrix("x", about(0.4), [](const std::string&, const std::string&) { return 0.1; });
  s.like({.contender = "x", .form = "cluster"}, about(0.2));
  for (AdapterRecord& a : s.results.adapters)
    if (a.setting.form == "cluster") a.group = std::stoi(a.setting.user.substr(1)) % 2 + 1;
  const Finding f = find(s.judge(), "E8");
  REQUIRE(f.figures.size() == 2);
  const auto& map = std::get<HeatMap>(f.figures[1].picture);
  CHECK(map.rows[1] == "u2");
  CHECK(map.row_groups[0] == "cluster 1");
  CHECK(map.row_groups[6] == "cluster 2");
  CHECK(*map.values[0][0] == Approx(1 - std::exp(-0.4)));
  CHECK(*map.values[0][1] == Approx(1 - std::exp(-0.1)));
}

TEST_CASE("E8: needs three people at least") {
  ShootoutOptions options;
  options.contenders = {"x"};
  options.roles = {"x", {}, ""};
  const auto count = [&](int people) {
    int n = 0;
    experiments::sharing::needs({.options = options, .users = Study(people).results.users}, [&](const experiments::Need&) { ++n; });
    return n;
  };
  CHECK(count(2) == 0);
  CHECK(count(3) == 3 * 6);
}
