#include "tern/statistics/answer.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "statistics/simulated_users.hpp"

using namespace tern;
using namespace tern::statistics;
using doctest::Approx;

namespace {

Comparison compared(const std::vector<double>& d, const Rules& rules = {}) {
  Random random(1);
  return compare(d, random, rules);
}

Judgement judged(const std::vector<double>& d) {
  const Comparison c = compared(d);
  return judge(c, c.p);
}

/// Twelve users around `mean`, a third of them each at it, `away` above and `away` below.
std::vector<double> twelve(double mean, double away) {
  std::vector<double> d;
  for (int i = 0; i < 12; ++i) d.push_back(mean + away * (i % 3 - 1));
  return d;
}

}  // namespace

TEST_CASE("answer: each of the four, and the other way round") {
  CHECK(judged(twelve(0.1, 0.05)).answer == Answer::better);
  CHECK(judged(twelve(-0.1, 0.05)).answer == Answer::worse);
  CHECK(judged(twelve(0.005, 0.05)).answer == Answer::equivalent);
  CHECK(judged(twelve(-0.005, 0.05)).answer == Answer::equivalent);
  const Judgement open = judged(twelve(0.04, 0.1));
  CHECK(open.answer == Answer::undecided);
  CHECK(open.reason == Reason::too_few_users);
  CHECK_FALSE(judged(twelve(0.1, 0.05)).within_margin);
  CHECK_FALSE(judged(twelve(0.1, 0.05)).users_needed.has_value());
}

TEST_CASE("answer: a small difference that is real is better, and within the margin") {
  const Judgement small = judged(twelve(0.01, 0.005));
  CHECK(small.answer == Answer::better);
  CHECK(small.within_margin);
}

TEST_CASE("answer: the adjusted p decides, and never against the interval") {
  const Comparison c = compared(twelve(0.1, 0.05));
  CHECK(judge(c, 0.05).answer == Answer::better);
  CHECK(judge(c, 0.0501).answer == Answer::undecided);
  CHECK(judge(compared(twelve(-0.1, 0.05)), 0.05).answer == Answer::worse);
  CHECK(judge(compared(twelve(-0.1, 0.05)), 0.0501).answer == Answer::undecided);
  const Comparison wide = compared(twelve(0.04, 0.1));
  CHECK(wide.difference.contains(0));
  CHECK(judge(wide, 0.001).answer == Answer::undecided);
}

TEST_CASE("answer: obstacles void whatever was measured") {
  const Comparison c = compared(twelve(0.1, 0.05));
  for (const Reason reason : {Reason::not_tuned, Reason::control_void, Reason::too_few_users}) {
    const Judgement j = judge(c, c.p, {}, reason);
    CHECK(j.answer == Answer::undecided);
    CHECK(j.reason == reason);
    CHECK(j.users_needed.has_value() == (reason == Reason::too_few_users));
  }
}

TEST_CASE("answer: few users never decide; adapters that agree are equivalent") {
  for (const std::size_t n : {1u, 2u, 5u}) {
    const Judgement j = judged(std::vector<double>(n, 0.3));
    CHECK(j.answer == Answer::undecided);
    CHECK(j.reason == Reason::too_few_users);
    CHECK(j.users_needed.has_value() == (n > 1));
  }
  CHECK(judged(std::vector<double>(5, 0.3)).users_needed == 6);
  CHECK(judged(std::vector<double>(6, 0.3)).answer == Answer::better);
  CHECK(judged(std::vector<double>(6, -0.3)).answer == Answer::worse);
  CHECK(judged(std::vector<double>(6, 0.0)).answer == Answer::equivalent);
  CHECK(judged(std::vector<double>(5, 0.0)).answer == Answer::undecided);
  CHECK(judged(std::vector<double>(1000, 0.3)).answer == Answer::better);
  const Comparison one = compared({0.3});
  CHECK(one.difference.point == 0.3);
  CHECK(one.difference.high == std::numeric_limits<double>::infinity());
  CHECK(one.p == 1);
  CHECK(one.equivalence.p() == 1);
}

TEST_CASE("answer: so many users would show a difference of 5%, or that there is none") {
  const std::vector<double> d = twelve(0.04, 0.1);
  const double edge = equivalence_margin(), deviation = moments(d).deviation;
  const Index needed = judged(d).users_needed.value();
  CHECK(needed ==
        std::max(users_for_difference(edge, deviation).value(), users_for_equivalence(edge, deviation).value()));
  CHECK(needed > 12);
  CHECK_FALSE(judged(twelve(0, 1e6)).users_needed.has_value());
}

TEST_CASE("answer: swapping a and b swaps better and worse, and nothing else") {
  Random random(3);
  int seen[4] = {};
  for (int round = 0; round < 300; ++round) {
    std::vector<double> d(6 + random.below(15)), swapped;
    const double mean = 0.1 * (random.uniform() - 0.5), spread = 0.15 * random.uniform();
    for (double& x : d) x = mean + spread * random.normal();
    for (const double x : d) swapped.push_back(-x);
    const Judgement one = judged(d), two = judged(swapped);
    const Answer turned = one.answer == Answer::better  ? Answer::worse
                          : one.answer == Answer::worse ? Answer::better
                                                        : one.answer;
    CHECK(two.answer == turned);
    CHECK(two.within_margin == one.within_margin);
    CHECK(two.users_needed == one.users_needed);
    ++seen[static_cast<int>(one.answer)];
  }
  for (const int count : seen) CHECK(count > 10);
}

TEST_CASE("answer: the numbers are the parts'") {
  const std::vector<double> d = {0.021, -0.013, 0.034, 0.008, -0.019, 0.011, 0.027};
  const Comparison c = compared(d, {.alpha = 0.1, .share = 0.1});
  CHECK(c.users == 7);
  CHECK(c.difference.low == t_interval(d, 0.9).low);
  CHECK(c.deviation == moments(d).deviation);
  CHECK(c.p == 0.25);
  CHECK(c.equivalence.p() == equivalence(moments(d), equivalence_margin(0.1)).p());
}

TEST_CASE("answer: what cannot be compared is named") {
  CHECK_THROWS_WITH_AS(compared({}), "compare: expected at least 1 value, got 0", ValueError);
  CHECK_THROWS_WITH_AS(compared({1, std::nan("")}), "compare: expected a finite value 1, got nan", ValueError);
  CHECK_THROWS_AS(compared({1, 2}, {.alpha = 0}), ValueError);
  CHECK_THROWS_AS(compared({1, 2}, {.share = 1}), ValueError);
  CHECK_THROWS_WITH_AS(judge(compared({1, 2}), 1.5), "judge: expected a p in [0, 1], got 1.500000", ValueError);
}

TEST_CASE("answer: better or worse is said in at most 5.5% where nothing differs") {
  // 20,000 experiments: a share of 5% stays below 5.5% by three standard deviations.
  const int experiments = 20'000;
  const SimulatedUsers population(12, {.correlation = 0.6}, 1);
  Random random(7);
  int claims = 0;
  for (int e = 0; e < experiments; ++e) {
    const Comparison c = compare(user_differences(population.draw(random)), random);
    const bool differs = c.p <= 0.05 && !c.difference.contains(0);
    claims += differs;
    if (e % 100 == 0) {  // judge looks up how many users would do, which takes too long for 20,000
      const Answer answer = judge(c, c.p).answer;
      CHECK((answer == Answer::better || answer == Answer::worse) == differs);
    }
  }
  CHECK(claims <= 0.055 * experiments);
  CHECK(claims >= 0.04 * experiments);
}
