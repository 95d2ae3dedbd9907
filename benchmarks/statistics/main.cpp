// How often the statistics are right, on users whose truth is known: the tables of docs/statistics.md.
//
//     tern-benchmark-statistics [EXPERIMENTS]        default 20,000 an entry: some minutes
#include <cstdio>
#include <cstdlib>

#include "statistics/simulated_users.hpp"
#include "tern/statistics/answer.hpp"
#include "tern/statistics/design_effect.hpp"
#include "tern/statistics/hierarchical_bootstrap.hpp"

using namespace tern;
using namespace tern::statistics;

namespace {

const Rules rules{.sign_flip = {.draws = 1999}};

/// In percent of the experiments.
struct Rates {
  double t = 0, bootstrap = 0, pooled = 0, longer = 0;
  double small_p = 0, difference = 0, equivalent = 0;
};

/// What `experiments` with this truth give; the bootstrap, which costs most, is asked in a tenth of them.
Rates simulate(Index users, const Truth& truth, int experiments, bool intervals) {
  const SimulatedUsers population(users, truth, 1);
  Random random(static_cast<std::uint64_t>(100 * users) + static_cast<std::uint64_t>(10 * truth.correlation) +
                (truth.skewed ? 50 : 0));
  Rates rates;
  const double one = 100.0 / experiments;
  for (int e = 0; e < experiments; ++e) {
    const std::vector<UserDifferences> drawn = population.draw(random);
    const Comparison c = compare(user_differences(drawn), random, rules);
    const Judgement j = judge(c, c.p, rules);
    rates.small_p += one * (c.p <= rules.alpha);
    rates.difference += one * (j.answer == Answer::better || j.answer == Answer::worse);
    rates.equivalent += one * (c.equivalence.p() <= rules.alpha);
    if (!intervals) continue;
    rates.t += one * c.difference.contains(truth.mean);
    std::vector<std::vector<double>> chunks;
    std::vector<double> all;
    for (const UserDifferences& user : drawn) {
      chunks.emplace_back();
      for (const DocumentDifferences& document : user)
        for (const ChunkDifference& chunk : document)
          chunks.back().push_back(chunk.nats / static_cast<double>(chunk.tokens));
      all.insert(all.end(), chunks.back().begin(), chunks.back().end());
    }
    rates.pooled += one * t_interval(all).contains(truth.mean);
    rates.longer += design_effect(chunks).interval_factor() / experiments;
    if (e % 10 == 0)
      rates.bootstrap += 10 * one * hierarchical_bootstrap(drawn, random, {.resamples = 999}).contains(truth.mean);
  }
  return rates;
}

}  // namespace

int main(int count, char** arguments) {
  const int experiments = count > 1 ? std::atoi(arguments[1]) : 20'000;
  if (experiments < 10 || experiments % 10 != 0) {
    std::fprintf(stderr, "expected a number of experiments that 10 divides, got '%s'\n", arguments[1]);
    return 2;
  }
  std::printf(
      "| users | users' part | correlation | t | bootstrap | chunks pooled | too short by | false differences: p | "
      "answer |\n");
  std::printf("| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
  for (const bool skewed : {false, true})
    for (const Index users : {12, 24, 40})
      for (const double correlation : {0.3, 0.6, 0.9}) {
        const Rates r = simulate(users, {.correlation = correlation, .skewed = skewed}, experiments, true);
        std::printf("| %td | %s | %.1f | %.1f%% | %.1f%% | %.1f%% | %.1f | %.1f%% | %.1f%% |\n", users,
                    skewed ? "skewed" : "normal", correlation, r.t, r.bootstrap, r.pooled, r.longer, r.small_p,
                    r.difference);
        std::fflush(stdout);
      }
  std::printf("\n| users | difference found | formula | equality found | formula | equality claimed at the edge |\n");
  std::printf("| --- | --- | --- | --- | --- | --- |\n");
  const double edge = equivalence_margin(rules.share);
  for (const Index users : {6, 8, 12, 24, 40}) {
    const Truth equal{.correlation = 0.6}, apart{.mean = edge, .correlation = 0.6};
    const double deviation = SimulatedUsers(users, equal, 1).deviation();
    const Rates at_edge = simulate(users, apart, experiments, false);
    std::printf("| %td | %.1f%% | %.1f%% | %.1f%% | %.1f%% | %.1f%% |\n", users, at_edge.difference,
                100 * power_of_difference(users, edge, deviation),
                simulate(users, equal, experiments, false).equivalent,
                100 * power_of_equivalence(users, edge, deviation), at_edge.equivalent);
    std::fflush(stdout);
  }
}
