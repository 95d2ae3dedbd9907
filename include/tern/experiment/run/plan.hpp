#pragma once
/// What a run costs, beforehand.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "tern/experiment/run/perform.hpp"
#include "tern/experiment/run/preparation.hpp"

namespace tern {

/// What a run would cost, what is in its journal not counted again. How many pilots there are is known once they ran:
/// grids are extended while the best rate lies at an end. Hence least and most; a run without surprises is near the
/// least.
struct ShootoutPlan {
  struct Row {
    std::string contender, title;
    Index parameters = 0, steps = 0, runs = 0;
    double seconds_a_step = 0;
  };
  std::vector<Row> contenders;  ///< candidates one by one
  std::size_t tasks = 0, waiting = 0;
  std::size_t pilots = 0, least_pilots = 0;  ///< `pilots`: the most
  double seconds = 0, least_seconds = 0;     ///< `seconds`: with the most pilots
  std::uint64_t memory = 0, disk = 0;
};

/// Seconds of a task as calibration and scoring so far say.
inline double expected_seconds(const Task& task, const ProtocolRecord& protocol, const ShootoutOptions& options,
                               const Workshop& workshop) {
  const Evaluator& evaluator = workshop.evaluator();
  const double users = task.everybody ? static_cast<double>(workshop.users().size()) : 1;
  const double scoring = users * evaluator.seconds_of(options.eval_tokens);
  const auto calibration = protocol.calibration.find(task.setting.contender);
  if (task.setting.is_base() || !task.setting.form.empty() || calibration == protocol.calibration.end()) return scoring;
  const Index steps = steps_of(task.setting, protocol);
  return scoring + static_cast<double>(steps) * calibration->second.seconds_a_step +
         static_cast<double>(curve_points(steps) + 1) * evaluator.seconds_of(options.validation_tokens);
}

namespace detail {

/// What is known without running a pilot: rates and candidates of contenders whose pilots are all in the journal. The
/// others' are counted into `plan`; their slowest candidate stands for them.
inline void replay_pilots(const Registration& run, Workshop& workshop, Preparation& preparation, Prepared& p,
                          ShootoutPlan& plan) {
  for (const Contender& c : run.contenders) {
    std::vector<Pilot> open;
    if (preparation.choose(c, p, open)) continue;
    for (const Contender& leaf : preparation.leaves(c)) {
      RateSearch search = preparation.search(leaf);
      preparation.advance(search, leaf, p.protocol);
      const Calibration calibration = p.protocol.calibration[leaf.name];
      const double seconds = static_cast<double>(calibration.steps) * calibration.seconds_a_step +
                             2 * workshop.evaluator().seconds_of(run.options.validation_tokens);
      plan.least_pilots += static_cast<std::size_t>(search.least_left());
      plan.pilots += static_cast<std::size_t>(search.most_left());
      plan.least_seconds += seconds * static_cast<double>(search.least_left());
      plan.seconds += seconds * static_cast<double>(search.most_left());
      Calibration& stands = p.protocol.calibration[c.name];
      if (calibration.seconds_a_step >= stands.seconds_a_step) stands = calibration;
    }
  }
}

}  // namespace detail

/// Measures a few steps of each contender, and the base on one user's validation text. Keeps nothing.
inline ShootoutPlan plan_run(const Registration& run, Workshop& workshop, const Journal& journal) {
  ShootoutPlan plan;
  Prepared p{run.protocol, {}};
  Preparation preparation(run, workshop, journal);
  preparation.take(preparation.measure_steps({.rounds = 3, .most_seconds = 20}), p);
  if (const auto earlier = journal.find(run.calibration)) {  // its steps are the run's, whatever this machine can do
    const auto here = p.protocol.calibration;
    preparation.take(*earlier, p);
    for (auto& [name, calibration] : p.protocol.calibration)
      if (const auto at = here.find(name); at != here.end()) calibration.seconds_a_step = at->second.seconds_a_step;
  }
  Trainer& trainer = workshop.trainer();
  workshop.evaluator().validation(trainer.model(), trainer.cache().decoder, trainer.pass(), run.users.front().name);
  Index largest_copy = 0;
  for (const Contender& c : preparation.leaves()) {
    const TrainedAdapter adapter = trainer.fresh(c, {});
    const Calibration& calibration = p.protocol.calibration[c.name];
    plan.contenders.push_back(
        {c.name, c.title, adapter.parameters(), calibration.steps, 0, calibration.seconds_a_step});
    if (adapter.is_copy()) largest_copy = std::max(largest_copy, adapter.parameters());
  }
  detail::replay_pilots(run, workshop, preparation, p, plan);

  const auto tasks = named_tasks(run, p.protocol, workshop.base().fingerprint);
  plan.tasks = tasks.size();
  for (const Task& t : tasks) {
    const auto chosen = p.chosen.find(t.setting.contender);
    const std::string& trains = chosen == p.chosen.end() ? t.setting.contender : chosen->second.name;
    for (auto& row : plan.contenders) row.runs += row.contender == trains;
    if (journal.done(t.id)) continue;
    ++plan.waiting;
    const double seconds = expected_seconds(t, p.protocol, run.options, workshop);
    plan.seconds += seconds, plan.least_seconds += seconds;
    const auto chunks = static_cast<std::uint64_t>(run.options.eval_tokens / run.options.context + 1);
    plan.disk += 4096 + 24 * chunks * (t.everybody ? run.users.size() : 1);
  }
  const Base& base = workshop.base();
  plan.memory = base.model.weight_bytes() + (base.ternary ? base.ternary->weight_bytes() : 0) +
                (run.options.wants("E10") ? base.model.weight_bytes() : 0) +  // of the 4-bit copy, at most
                trainer.cache().decoder.bytes() + full_bytes(largest_copy, run.options.state);
  return plan;
}

}  // namespace tern
