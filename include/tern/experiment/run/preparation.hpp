#pragma once
/// What stands before the tasks: steps of a budget, learning rates, and which candidate stands for a contender.
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

/// One run of a search for a rate.
struct Pilot {
  std::string id;
  Contender leaf;
  double rate = 0;
  std::string user;
};

/// Calibration and pilots: what they are, and what the journal's come to. Borrows all.
class Preparation {
 public:
  Preparation(const Registration& run, Workshop& workshop, const Journal& journal)
      : run_(run), workshop_(workshop), journal_(journal) {}

  /// What calibration and pilots found so far; a contender whose search is not over has no pilots there. `open` gets
  /// the runs that its search asks for. Nothing where there is no calibration yet.
  std::optional<Prepared> so_far(std::vector<Pilot>& open) {
    const auto measured = journal_.find(run_.calibration);
    if (!measured) return std::nullopt;
    Prepared p{run_.protocol, {}};
    take(*measured, p);
    for (const Contender& c : run_.contenders) choose(c, p, open);
    return p;
  }

  /// A contender's candidates, or itself; those of all.
  std::vector<Contender> leaves(const Contender& c) { return with_candidates({c}, workshop_.view()); }
  std::vector<Contender> leaves() { return with_candidates(run_.contenders, workshop_.view()); }

  /// The seconds of a step of each leaf, in turns on this machine, as the journal keeps them.
  Outcome measure_steps(const CalibrationOptions& options = {}) {
    Outcome measured{.id = run_.calibration};
    const Stopwatch watch;
    for (const auto& [name, seconds] : calibrate(workshop_.trainer(), leaves(), names_of(run_.users), options)) {
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
  /// Goes on with a search as far as the journal has outcomes; the runs to do then.
  std::vector<Pilot> advance(RateSearch& search, const Contender& leaf, const ProtocolRecord& protocol) const {
    for (;;) {
      std::vector<Pilot> missing;
      const auto questions = search.open();
      for (const auto& q : questions) {
        Pilot pilot{{}, leaf, q.rate, search.users()[q.pilot]};
        pilot.id = pilot_id(leaf, q.rate, pilot.user, protocol);
        if (const auto outcome = journal_.find(pilot.id))
          search.record(q, outcome->loss);
        else
          missing.push_back(std::move(pilot));
      }
      if (questions.empty() || !missing.empty()) return missing;
    }
  }

  /// Finds the contender's rate, and its candidate where it has several: the one of the lowest mean loss. False where
  /// pilots are missing; they are added to `open`.
  bool choose(const Contender& contender, Prepared& p, std::vector<Pilot>& open) {
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
    const std::size_t open_before = open.size();
    for (const Contender& leaf : among) {
      RateSearch rates = search(leaf);
      for (Pilot& missing : advance(rates, leaf, p.protocol)) open.push_back(std::move(missing));
      if (open.size() > open_before) continue;
      const auto loss = rates.best_loss();
      losses[leaf.name] = loss;
      if (best && !(loss && (!lowest || *loss < *lowest))) continue;
      lowest = loss;
      best.emplace(leaf, rates.result());
    }
    if (open.size() > open_before) return false;
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

  const Registration& run_;
  Workshop& workshop_;
  const Journal& journal_;
};

}  // namespace tern
