#pragma once
/// What is left of a run, piece by piece: its calibration, then pilots, then tests.
#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tern/experiment/run/perform.hpp"
#include "tern/experiment/run/preparation.hpp"
#include "tern/experiment/run/tasks.hpp"

namespace tern {

struct Calibrate {};

/// A piece of work for one process.
struct Work {
  std::string id;
  std::variant<Calibrate, Pilot, Task> piece;

  /// "pilot: LoRA-r4 ..., rate 0.001"
  std::string what() const {
    if (std::holds_alternative<Calibrate>(piece)) return "calibration";
    if (const auto* pilot = std::get_if<Pilot>(&piece))
      return "pilot: " + describe(Setting{.contender = pilot->leaf.name, .user = pilot->user}) + ", rate " +
             words::general(pilot->rate, 2);
    return describe(std::get<Task>(piece).setting);
  }
};

/// What is left. A test's id names the rate that it trains at, and which tests there are depends on the chosen
/// candidates' steps: so tests have no ids before the last pilot is done.
struct WorkLeft {
  std::optional<Prepared> prepared;  ///< once it is calibrated
  std::vector<Work> open;            ///< may be done now, in any order; best in this one
  std::vector<Task> tests;           ///< done or not; none before the pilots are done
  std::size_t undone = 0;            ///< of these; those in a form wait for the adapters they are made of

  /// Nothing is left: the results may be collected.
  bool over() const { return open.empty(); }
  const Work* find(const std::string& id) const {
    for (const Work& w : open)
      if (w.id == id) return &w;
    return nullptr;
  }
};

inline WorkLeft work_left(const Registration& run, Workshop& workshop, const Journal& journal) {
  WorkLeft left;
  std::vector<Pilot> pilots;
  left.prepared = Preparation(run, workshop, journal).so_far(pilots);
  if (!left.prepared) left.open.push_back({run.calibration, Calibrate{}});
  for (Pilot& p : pilots) {
    std::string id = p.id;
    left.open.push_back({std::move(id), std::move(p)});
  }
  if (!left.over()) return left;
  left.tests = named_tasks(run, left.prepared->protocol, workshop.base().fingerprint);
  const std::vector<std::string> users = names_of(run.users);
  std::set<Setting> missing;
  for (const Task& t : left.tests)
    if (!journal.done(t.id)) missing.insert(t.setting);
  for (const Task& t : left.tests) {
    const auto of = sources(t.setting, users);
    if (missing.contains(t.setting) && std::none_of(of.begin(), of.end(), [&](const Setting& s) { return missing.contains(s); }))
      left.open.push_back({t.id, t});
  }
  left.undone = missing.size();
  return left;
}

/// Does a piece. Nothing where it was interrupted. Throws IoError.
inline std::optional<Outcome> perform(const Work& work, const WorkLeft& left, const Registration& run,
                                      Workshop& workshop, const Journal& journal, const std::filesystem::path& out) {
  const Stopwatch watch;
  std::optional<Outcome> outcome;
  if (std::holds_alternative<Calibrate>(work.piece))
    outcome = Preparation(run, workshop, journal).measure_steps();
  if (workshop.interrupted()) return std::nullopt;  // steps that did not run have no cost
  if (const auto* pilot = std::get_if<Pilot>(&work.piece))
    outcome = perform(*pilot, *left.prepared, workshop);
  if (const auto* task = std::get_if<Task>(&work.piece)) {
    const auto id_of = [&](const Setting& s) {
      const auto at = std::find_if(left.tests.begin(), left.tests.end(), [&](const Task& t) { return t.setting == s; });
      return at == left.tests.end() ? std::string() : at->id;
    };
    const Setting& s = task->setting;
    outcome = s.form.empty() ? perform(*task, run, *left.prepared, workshop, out)
                             : perform_form(*task, s.is_base() ? Contender{} : left.prepared->chosen.at(s.contender), journal, workshop,
                                            out, id_of);
  }
  if (outcome) outcome->seconds = watch.seconds();
  return outcome;
}

}  // namespace tern
