#pragma once
#include <chrono>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tern/experiment/experiments/judge.hpp"
#include "tern/experiment/report.hpp"
#include "tern/experiment/run/hooks.hpp"
#include "tern/experiment/run/pace.hpp"
#include "tern/experiment/run/plan.hpp"
#include "tern/experiment/run/validate.hpp"
#include "tern/experiment/run/work.hpp"
#include "tern/experiment/run/worker.hpp"

namespace tern {

/// A shootout over loaded parts: registration, its pieces of work, findings, reports.
/// Borrows base, users and generic texts.
class Shootout {
 public:
  /// Throws ValueError on options that cannot be, or a champion that is refused.
  Shootout(const Base& base, const Users& users, const GenericTexts& generic, const ShootoutOptions& options,
           const Pass& pass, const std::vector<Contender>& table = contenders())
      : workshop_(base, users, generic, validate(options, table), pass), run_(fix(options, table, generic, workshop_)) {
    unmeasured_.tern = describe_build(options.commit, pass, options.threads);
    unmeasured_.base = describe_base(base);
    unmeasured_.protocol = run_.protocol;
    unmeasured_.users = run_.users;
    unmeasured_.left_out = users.left_out;
  }
  Shootout(const Shootout&) = delete;
  Shootout& operator=(const Shootout&) = delete;

  /// What is fixed before the first task, with its hash.
  const ProtocolRecord& protocol() const { return run_.protocol; }

  /// Does what is not done yet, each piece written to `out`/tasks at once, then writes results.json, report.md and
  /// report.html. Other processes may do the same, or single pieces of it, at the same time: no two are at one piece.
  /// Nothing where it was interrupted. Throws IoError.
  std::optional<std::pair<Results, Findings>> run(const std::filesystem::path& out, const ShootoutHooks& hooks = {}) {
    enter(out, hooks);
    const Journal journal(out);
    const WorkClaims claims(journal.folder());
    Pace pace;
    std::set<std::string> elsewhere;  // who has them was said
    for (WorkLeft left = work_left(run_, workshop_, journal); !left.over(); left = work_left(run_, workshop_, journal)) {
      bool came = false;
      for (std::size_t i = 0; i < left.open.size(); ++i) {
        const Work& work = left.open[i];
        if (hooks.stopped()) return std::nullopt;
        say(left, i, pace, hooks);
        const double expected = expected_seconds(work, left);
        const Stopwatch watch;
        std::string holder;
        const WorkStatus how = do_once(journal, claims, work.id, [&] { return perform(work, left, run_, workshop_, journal, out); }, &holder);
        if (how == WorkStatus::interrupted) return std::nullopt;
        if (how == WorkStatus::done) pace.finished(expected, watch.seconds());
        if (how == WorkStatus::elsewhere && elsewhere.insert(work.id).second && hooks.note)
          hooks.note(work.what() + ": " + holder + " is at it");
        came = came || how != WorkStatus::elsewhere;
      }
      if (!came) std::this_thread::sleep_for(std::chrono::milliseconds(500));
    }
    if (hooks.stopped()) return std::nullopt;
    return collect(out, hooks);
  }

  /// What run() has yet to do: pieces for process after process, on any machine. Registers the run. Throws IoError.
  WorkLeft left(const std::filesystem::path& out, const ShootoutHooks& hooks = {}) {
    enter(out, hooks);
    return work_left(run_, workshop_, Journal(out));
  }

  /// Does one piece of left(), as run() would. An id that is neither open nor done is an error: its pilots are not done,
  /// or it is of another run. `holder`: who has it, where it is elsewhere. Throws ValueError and IoError.
  WorkStatus perform_one(const std::filesystem::path& out, const std::string& id, const ShootoutHooks& hooks = {},
                   std::string* holder = nullptr) {
    const WorkLeft left = this->left(out, hooks);
    const Journal journal(out);
    if (journal.done(id)) return WorkStatus::earlier;
    const Work* work = left.find(id);
    if (work == nullptr)
      throw ValueError("task: expected the id of work that is left, got " + in_quotes(id) +
                       (left.tests.empty() ? "; calibration and pilots come first" : ""));
    return do_once(journal, WorkClaims(journal.folder()), id,
                   [&] { return perform(*work, left, run_, workshop_, journal, out); }, holder);
  }

  /// Results, findings and reports of a run that is over; nothing where work is left. Throws IoError.
  std::optional<std::pair<Results, Findings>> collect(const std::filesystem::path& out, const ShootoutHooks& hooks = {}) {
    const WorkLeft left = this->left(out, hooks);
    if (!left.over()) return std::nullopt;
    const Journal journal(out);
    WorkClaims(journal.folder()).tidy([&](const std::string& id) { return journal.done(id); });
    if (hooks.progress) hooks.progress(left.tests.size(), left.tests.size(), 0, "");
    Results results = unmeasured_;
    results.protocol = left.prepared->protocol;
    for (const Task& t : left.tests) {
      auto outcome = journal.find(t.id);
      if (!outcome) continue;
      for (AdapterRecord& a : outcome->adapter) results.adapters.push_back(std::move(a));
      for (CellRecord& c : outcome->cells) results.cells.push_back(std::move(c));
    }
    Findings findings = experiments::judge(results);
    write_reports(out, results, findings);
    return std::pair(std::move(results), std::move(findings));
  }

  /// Time, memory and disk of what run() has yet to do, from a few measured steps of each contender. Keeps nothing.
  ShootoutPlan plan(const std::filesystem::path& out) {
    workshop_.obey(nullptr);
    return plan_run(run_, workshop_, Journal(out));
  }

  /// results.json, report.md, report.html and, for pages that show one picture, the first heat map. Throws IoError.
  static void write_reports(const std::filesystem::path& out, const Results& results, const Findings& findings) {
    write_file(out / "results.json", to_json(results, findings));
    write_file(out / "report.md", report_markdown(results, findings));
    write_file(out / "report.html", report_html(results, findings));
    for (const Finding& f : findings.experiments)
      for (const Figure& figure : f.figures)
        if (const auto* map = std::get_if<HeatMap>(&figure.picture))
          return write_file(out / "heat_map.svg", report::heat_map_svg(*map, figure.title));
  }

 private:
  /// Makes the folder, and puts on disk what is fixed.
  void enter(const std::filesystem::path& out, const ShootoutHooks& hooks) {
    workshop_.obey(hooks.interrupted);
    Journal(out).open();
    register_protocol(out, unmeasured_, hooks);
  }

  /// Nothing is expected of calibration and pilots: nobody knows how many there will be.
  double expected_seconds(const Work& work, const WorkLeft& left) const {
    const Task* test = std::get_if<Task>(&work.piece);
    return test ? tern::expected_seconds(*test, left.prepared->protocol, run_.options, workshop_) : 0;
  }

  void say(const WorkLeft& left, std::size_t next, const Pace& pace, const ShootoutHooks& hooks) const {
    if (!hooks.progress) return;
    if (left.tests.empty()) return hooks.progress(0, 0, 0, left.open[next].what());
    double seconds = 0;
    for (std::size_t later = next; later < left.open.size(); ++later) seconds += expected_seconds(left.open[later], left);
    hooks.progress(left.tests.size() - left.undone + next, left.tests.size(), pace.of(seconds), left.open[next].what());
  }

  Workshop workshop_;
  Registration run_;
  Results unmeasured_;
};

}  // namespace tern
