#pragma once
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include "tern/experiment/experiments/judge.hpp"
#include "tern/experiment/report.hpp"
#include "tern/experiment/run/hooks.hpp"
#include "tern/experiment/run/plan.hpp"
#include "tern/experiment/run/validate.hpp"

namespace tern {

/// A shootout over loaded parts: registration, calibration and pilots, the tasks of its experiments, findings, reports.
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
  /// report.html. Nothing where it was interrupted. Throws IoError.
  std::optional<std::pair<Results, Findings>> run(const std::filesystem::path& out, const ShootoutHooks& hooks = {}) {
    workshop_.obey(hooks.interrupted);
    const Journal journal(out);
    journal.open();
    register_protocol(out, unmeasured_, hooks);
    const auto prepared = Preparation(run_, workshop_, journal).prepare(hooks);
    if (!prepared) return std::nullopt;
    const auto tasks = named_tasks(run_, prepared->protocol, workshop_.base().fingerprint);
    if (!perform_all(tasks, *prepared, journal, out, hooks)) return std::nullopt;
    Results results = collect(tasks, *prepared, journal);
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
  /// False where it was interrupted.
  bool perform_all(const std::vector<Task>& tasks, const Prepared& prepared, const Journal& journal,
                   const std::filesystem::path& out, const ShootoutHooks& hooks) {
    std::vector<const Task*> waiting;
    for (const Task& t : tasks)
      if (!journal.done(t.id)) waiting.push_back(&t);
    const auto expected = [&](const Task& t) {
      return expected_seconds(t, prepared.protocol, run_.options, workshop_);
    };
    const auto say = [&](std::size_t next, double left) {
      const std::size_t done = tasks.size() - waiting.size() + next;
      if (hooks.progress)
        hooks.progress(done, tasks.size(), left, next < waiting.size() ? describe(waiting[next]->setting) : "");
    };
    Pace pace;
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if (hooks.stopped()) return false;
      double left = 0;
      for (std::size_t later = i; later < waiting.size(); ++later) left += expected(*waiting[later]);
      say(i, pace.of(left));
      const Stopwatch watch;
      auto outcome = perform(*waiting[i], run_, prepared, workshop_, out);
      if (!outcome) return false;
      outcome->seconds = watch.seconds();
      journal.write(*outcome);
      pace.finished(expected(*waiting[i]), outcome->seconds);
    }
    say(waiting.size(), 0);
    return true;
  }

  Results collect(const std::vector<Task>& tasks, const Prepared& prepared, const Journal& journal) const {
    Results results = unmeasured_;
    results.protocol = prepared.protocol;
    for (const Task& t : tasks) {
      auto outcome = journal.find(t.id);
      if (!outcome) continue;
      for (AdapterRecord& a : outcome->adapter) results.adapters.push_back(std::move(a));
      for (CellRecord& c : outcome->cells) results.cells.push_back(std::move(c));
    }
    return results;
  }

  Workshop workshop_;
  Registration run_;
  Results unmeasured_;
};

}  // namespace tern
