// The two runs of docs/results by users: recorded_runs.py extracted the numbers and prints the answers expected here.
#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "tern/statistics/answer.hpp"
#include "tern/statistics/margin.hpp"
#include "tern/statistics/multiplicity.hpp"

using namespace tern;
using namespace tern::statistics;
using doctest::Approx;

namespace {

/// {run, rival} -> d_u of norm-only over it, a value a user.
std::map<std::pair<std::string, std::string>, std::vector<double>> recorded() {
  std::ifstream file(std::string(TERN_SOURCE_DIR) + "/tests/statistics/recorded_runs.csv");
  std::map<std::pair<std::string, std::string>, std::vector<double>> found;
  std::string line;
  std::getline(file, line);
  REQUIRE(line == "run,rival,user,nats,tokens");
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::string run, rival, user;
    double nats = 0;
    Index tokens = 0;
    char comma = 0;
    std::getline(fields, run, ',');
    std::getline(fields, rival, ',');
    std::getline(fields, user, ',');
    fields >> nats >> comma >> tokens;
    REQUIRE(fields);
    found[{run, rival}].push_back(user_difference({{{nats, tokens}}}));
  }
  return found;
}

struct Row {
  const char *run, *rival;
  double point, low, high;  ///< margin of norm-only over the rival, percent
  double flips;             ///< of 4,096 as extreme
  double p;                 ///< of equivalence
  Answer answer;            ///< with Holm over the run's three rivals
};

}  // namespace

TEST_CASE("recorded_runs: users, margins, p and answers are the independent script's") {
  auto runs = recorded();
  REQUIRE(runs.size() == 6);
  for (const std::string run : {"bundled", "smollm2-135m"}) {
    std::vector<Comparison> comparisons;
    std::vector<double> p;
    Random random(1);
    for (const std::string rival : {"lora-r4", "lora-matched", "full"}) {
      comparisons.push_back(compare(runs[{run, rival}], random));
      p.push_back(comparisons.back().p);
    }
    const std::vector<double> adjusted = holm(p);
    std::size_t i = 0;
    for (const Row& row : {Row{"bundled", "lora-r4", -58.05, -86.93, -33.63, 2, 0.9999, Answer::worse},
                           Row{"bundled", "lora-matched", 53.28, 22.61, 71.80, 2, 0.9950, Answer::better},
                           Row{"bundled", "full", -115.63, -223.94, -43.53, 2, 0.9987, Answer::worse},
                           Row{"smollm2-135m", "lora-r4", -8.72, -14.47, -3.25, 16, 0.9172, Answer::worse},
                           Row{"smollm2-135m", "lora-matched", 0.54, -4.60, 5.42, 3346, 0.0422, Answer::equivalent},
                           Row{"smollm2-135m", "full", 0.03, -4.84, 4.67, 4064, 0.0232, Answer::equivalent}}) {
      if (row.run != run) continue;
      CAPTURE(row.run);
      CAPTURE(row.rival);
      const Comparison& c = comparisons[i];
      const Interval percent = margin(c.difference);
      CHECK(c.users == 12);
      CHECK(std::abs(100 * percent.point - row.point) < 0.00501);
      CHECK(std::abs(100 * percent.low - row.low) < 0.00501);
      CHECK(std::abs(100 * percent.high - row.high) < 0.00501);
      CHECK(c.p == row.flips / 4096);
      CHECK(std::abs(c.equivalence.p() - row.p) < 0.0000501);
      CHECK(judge(c, adjusted[i]).answer == row.answer);
      ++i;
    }
  }
}
