#pragma once
/// What stands before the tasks: steps of a budget, learning rates, and which candidate stands for a contender.
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tern/experiment/run/calibrate.hpp"
#include "tern/experiment/run/fix.hpp"
#include "tern/experiment/run/journal.hpp"
#include "tern/experiment/run/pilot.hpp"
#include "tern/experiment/run/tasks.hpp"
#include "tern/experiment/run/workshop.hpp"

namespace tern {

/// What calibration and pilots found.
struct Prepared {
  ProtocolRecord protocol;                  ///< as registered, with calibration and pilots
  std::map<std::string, Contender> chosen;  ///< what trains under each contender's name
};

/// The pilot run of a contender at a rate on a user; nothing where it was not done.
using PilotRun = std::function<std::optional<Outcome>(const Contender&, double rate, const std::string& user)>;

/// Calibrates, pilots and chooses among candidates. What is in the journal is not done again. Borrows all.
class Preparation {
 public:
  Preparation(const Registration& run, Workshop& workshop, const Journal& journal)
      : run_(run), workshop_(workshop), journal_(journal) {}

  /// Does what is not done yet. Nothing where it was interrupted.
  std::optional<Prepared> prepare(const ShootoutHooks& hooks) {
    Prepared p{run_.protocol, {}};
    auto measured = journal_.find(run_.calibration);
    if (!measured) {
      if (hooks.progress) hooks.progress(0, 0, 0, "calibration");
      measured = measure_steps();
      if (hooks.stopped()) return std::nullopt;  // steps that did not run have no cost
      journal_.write(*measured);
    }
    take(*measured, p);
    for (const Contender& c : run_.contenders)
      if (!choose(c, p, [&](const Contender& leaf, double rate, const std::string& user) {
            return pilot(leaf, rate, user, p.protocol, hooks);
          }))
        return std::nullopt;
    return p;
  }

  /// A contender's candidates, or itself; those of all.
  std::vector<Contender> leaves(const Contender& c) { return with_candidates({c}, workshop_.view()); }
  std::vector<Contender> leaves() { return with_candidates(run_.contenders, workshop_.view()); }

  /// The seconds of a step of each leaf, in turns on this machine, as the journal keeps them.
  Outcome measure_steps(const CalibrationOptions& options = {}) {
    Outcome measured{.id = run_.calibration};
    const Stopwatch watch;
    std::vector<std::string> users;
    for (const UserRecord& u : run_.users) users.push_back(u.name);
    for (const auto& [name, seconds] : calibrate(workshop_.trainer(), leaves(), users, options)) {
      AdapterRecord row;
      row.setting.contender = name;
      row.seconds = seconds;
      row.reason = cpu_name();
      measured.adapter.push_back(row);
    }
    measured.seconds = watch.seconds();
    return measured;
  }
  void take(const Outcome& measured, Prepared& p) const {
    for (const AdapterRecord& row : measured.adapter)
      p.protocol.calibration[row.setting.contender] = {row.seconds, steps_of(p.protocol.budget, row.seconds),
                                                       row.reason};
  }

  /// Where the journal has a pilot run. Its name says what it depends on.
  std::string pilot_id(const Contender& leaf, double rate, const std::string& user,
                       const ProtocolRecord& protocol) const {
    return task_id(task_context(run_, protocol, workshop_.base().fingerprint), "pilot",
                   {.contender = leaf.name, .user = user}, false, rate);
  }

  RateSearch search(const Contender& leaf) const {
    return RateSearch(run_.pilots(), leaf.rates, run_.options.most_rates);
  }
  /// Goes on with a search as far as `pilot` has outcomes: whether it came to its end.
  static bool advance(RateSearch& search, const Contender& leaf, const PilotRun& pilot) {
    while (const auto question = search.next()) {
      const auto outcome = pilot(leaf, question->rate, search.users()[question->pilot]);
      if (!outcome) return false;
      search.record(*question, outcome->loss);
    }
    return true;
  }

  /// Finds the contender's rate, and its candidate where it has several: the one of the lowest mean loss. False where
  /// `pilot` had no outcome.
  bool choose(const Contender& contender, Prepared& p, const PilotRun& pilot) {
    const std::vector<Contender> among = leaves(contender);
    if (run_.options.protocol == Protocol::catalogue) {
      PilotRecord fixed;
      fixed.chosen = catalogue_rate;
      adopt(contender, among.front(), std::move(fixed), {}, p);
      return true;
    }
    std::optional<double> lowest;
    std::map<std::string, std::optional<double>> losses;
    std::optional<std::pair<Contender, PilotRecord>> best;
    for (const Contender& leaf : among) {
      RateSearch rates = search(leaf);
      if (!advance(rates, leaf, pilot)) return false;
      const auto loss = rates.best_loss();
      losses[leaf.name] = loss;
      if (best && !(loss && (!lowest || *loss < *lowest))) continue;
      lowest = loss;
      best.emplace(leaf, rates.result());
    }
    adopt(contender, best->first, std::move(best->second), std::move(losses), p);
    return true;
  }

 private:
  static constexpr double catalogue_rate = 5e-5;

  /// From now on `leaf` trains under the contender's name.
  void adopt(const Contender& contender, const Contender& leaf, PilotRecord found,
             std::map<std::string, std::optional<double>> losses, Prepared& p) {
    if (contender.candidates) {
      found.candidate = leaf.name;
      found.candidates = std::move(losses);
      p.protocol.calibration[contender.name] = p.protocol.calibration[leaf.name];
      for (ContenderRecord& record : p.protocol.contenders)
        if (record.name == contender.name) {
          const ContenderRecord chosen = describe_contender(leaf, workshop_.view(), workshop_.base().model.config);
          record.title = contender.title + " (" + leaf.title + ")";
          record.parameters = chosen.parameters, record.sites = chosen.sites;
        }
    }
    p.protocol.pilots[contender.name] = std::move(found);
    p.chosen[contender.name] = leaf;
  }

  /// One pilot run: the loss on validation text after the full budget, none where it diverged.
  std::optional<Outcome> pilot(const Contender& leaf, double rate, const std::string& user,
                               const ProtocolRecord& protocol, const ShootoutHooks& hooks) {
    const std::string id = pilot_id(leaf, rate, user, protocol);
    if (auto earlier = journal_.find(id)) return earlier;
    if (hooks.stopped()) return std::nullopt;
    const Setting s{.contender = leaf.name, .user = user};
    if (hooks.progress) hooks.progress(0, 0, 0, "pilot: " + describe(s) + ", rate " + words::general(rate, 2));
    const Stopwatch watch;
    Trainer& t = workshop_.trainer();
    TrainedAdapter adapter = t.fresh(leaf, s);
    const FitResult result =
        t.train(adapter, s, {.steps = protocol.calibration.at(leaf.name).steps, .rate = rate, .points = 1},
                [&] { return workshop_.evaluator().validation(adapter.subject(), t.cache(), t.pass(), user); });
    if (result.status == FitStatus::interrupted) return std::nullopt;
    Outcome outcome{.id = id};
    if (result.ok() && !result.curve.empty()) outcome.loss = result.curve.back().validation;
    outcome.seconds = watch.seconds();
    journal_.write(outcome);
    return outcome;
  }

  const Registration& run_;
  Workshop& workshop_;
  const Journal& journal_;
};

}  // namespace tern
