#pragma once
#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "tern/experiment/lab.hpp"
#include "tern/experiment/report.hpp"
#include "tern/experiment/results.hpp"
#include "tern/experiment/verdict.hpp"

namespace tern {

/// What a run says while it works. Each may be empty.
struct ShootoutHooks {
  /// After each task, and before the first: how many are done of how many, the seconds left, what is next.
  std::function<void(std::size_t done, std::size_t of, double seconds_left, const std::string& next)> progress;
  const std::atomic<bool>* interrupted = nullptr;
};

/// A shootout over loaded parts. Borrows all.
class Shootout {
 public:
  Shootout(const Base& base, const Users& users, const ShootoutOptions& options, const Pass& pass,
           const std::vector<Contender>& table = contenders())
      : base_(base), users_(users), options_(options), table_(table), pass_(pass) {
    validate(options, table);
    tasks_ = plan_tasks(base, users, options, table);
  }

  const std::vector<Task>& tasks() const { return tasks_; }

  /// Does what is not done yet, each task written to `out`/tasks at once, then writes results.json, report.md,
  /// report.html and, where everybody's adapter met everybody's text, heat_map.svg. Returns the results, or nothing
  /// where it was interrupted. Throws IoError.
  std::optional<nlohmann::json> run(const std::filesystem::path& out, const ShootoutHooks& hooks = {}) {
    const Journal journal(out);
    std::map<std::string, std::unique_ptr<Lab>> labs;  // by weights
    for (const Task& task : tasks_)
      if (auto& lab = labs[task.weights]; !lab)
        lab = std::make_unique<Lab>(base_, model_of(task), users_, options_, table_, pass_, hooks.interrupted);

    Pace pace(*this, journal);
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      const Task& task = tasks_[i];
      if (journal.done(task.id)) continue;
      if (hooks.interrupted != nullptr && hooks.interrupted->load()) return std::nullopt;
      if (hooks.progress) hooks.progress(pace.done(), tasks_.size(), pace.left(), describe_task(task));
      const Stopwatch watch;
      const auto result = perform(*labs.at(task.weights), task, journal, out);
      if (!result) return std::nullopt;
      journal.write(task.id, *result);
      pace.finished(task, watch.seconds());
    }
    if (hooks.progress) hooks.progress(tasks_.size(), tasks_.size(), 0, "");
    nlohmann::json results = collect_results(base_, users_, options_, table_, tasks_, journal, pass_);
    results["verdicts"] = verdicts(results);
    write_reports(out, results);
    return results;
  }

  /// Time, memory and disk of run(), from a few measured steps of each format. Trains nothing that is kept.
  nlohmann::json plan(const std::filesystem::path& out) {
    Lab lab(base_, base_.model, users_, options_, table_, pass_);
    nlohmann::json formats;
    double seconds = 0, disk = 0;
    Index largest = 0;
    double text_seconds = 0;
    std::size_t caches = 0;
    std::set<std::string> run;  // E6 runs norm-only whatever is compared
    for (const Task& t : tasks_)
      if (!t.is_base()) run.insert(t.format);
    for (const std::string& f : run) {
      const auto cost = lab.measure(f);
      formats[f] = {{"seconds_a_step", cost.step}, {"seconds_an_eval_text", cost.text}, {"parameters", cost.parameters},
                    {"bytes", cost.parameters * 4}};
      largest = std::max(largest, cost.parameters);
      caches = std::max(caches, cost.cache_bytes);
      text_seconds = std::max(text_seconds, cost.text);
    }
    std::size_t waiting = 0;
    for (const Task& t : tasks_) {
      if (std::filesystem::exists(out / "tasks" / (t.id + ".json"))) continue;
      ++waiting;
      const double texts = static_cast<double>((t.is_base() || t.every_user ? users_.users.size() : 1)) *
                           static_cast<double>(options_.texts);
      seconds += texts * text_seconds;
      if (t.is_base()) continue;
      const double step = formats[t.format]["seconds_a_step"];
      const double training =
          options_.budget.steps != Budget::any_steps ? static_cast<double>(options_.budget.steps) * step : options_.budget.seconds;
      const double tried = t.data == "real" ? static_cast<double>(options_.trials) * options_.trial_share : 0;
      seconds += training * (1 + tried) + (11 + (t.data == "real" ? 2 * static_cast<double>(options_.trials) : 0)) * text_seconds *
                                              static_cast<double>(options_.validation_tokens) /
                                              static_cast<double>(options_.eval_tokens);
      const double bytes = formats[t.format]["bytes"];
      disk += 8192 + texts * 600 + (bytes <= (16 << 20) ? bytes : 0);
    }
    // Weights once; a full fine-tune adds its copy, gradients, two moments and the best so far; caches as measured.
    const double weights =
        static_cast<double>(base_.model.weight_bytes() + (base_.ternary ? base_.ternary->weight_bytes() : 0));
    const double memory = weights + static_cast<double>(largest) * 4 * 5 + static_cast<double>(caches);
    return {{"tasks", tasks_.size()}, {"tasks_waiting", waiting}, {"seconds", seconds}, {"memory_bytes", memory},
            {"disk_bytes", disk},     {"formats", formats}};
  }

  static void write_reports(const std::filesystem::path& out, const nlohmann::json& results) {
    write_file(out / "results.json", results.dump(1) + "\n");
    write_file(out / "report.md", report_markdown(results));
    write_file(out / "report.html", report_html(results));
    const std::string first = results.at("protocol").at("formats").at(0);
    if (results.at("verdicts").contains("E4")) write_file(out / "heat_map.svg", heat_map_svg(results, first));
  }

 private:
  /// How long is left, from what tasks of the same format took.
  class Pace {
   public:
    Pace(const Shootout& shootout, const Journal& journal) : shootout_(shootout) {
      for (const Task& t : shootout.tasks_)
        if (journal.done(t.id))
          ++done_;
        else
          waiting_[key(t)] += 1;
    }
    std::size_t done() const { return done_; }
    void finished(const Task& t, double seconds) {
      ++done_;
      waiting_[key(t)] -= 1;
      auto& [total, count] = taken_[key(t)];
      total += seconds;
      count += 1;
    }
    double left() const {
      double all = 0, n = 0, seconds = 0;
      for (const auto& [k, t] : taken_) all += t.first, n += t.second;
      for (const auto& [k, waiting] : waiting_) {
        const auto at = taken_.find(k);
        const double each = at != taken_.end() ? at->second.first / at->second.second : n > 0 ? all / n : guess();
        seconds += waiting * each;
      }
      return seconds;
    }

   private:
    double guess() const {
      return shootout_.options_.budget.steps == Budget::any_steps ? shootout_.options_.budget.seconds * 1.6 : 60;
    }
    static std::string key(const Task& t) { return t.format + "/" + t.data + "/" + t.weights + (t.every_user ? "/all" : ""); }

    const Shootout& shootout_;
    std::size_t done_ = 0;
    std::map<std::string, double> waiting_;
    std::map<std::string, std::pair<double, double>> taken_;
  };

  std::optional<nlohmann::json> perform(Lab& lab, const Task& task, const Journal& journal,
                                        const std::filesystem::path& out) {
    if (task.is_base()) return lab.evaluate_base(task);
    std::optional<double> rate;
    if (task.data != "real")
      for (const Task& t : tasks_)
        if (t.format == task.format && t.user == task.user && t.seed == 0 && t.data == "real" && t.weights == task.weights)
          if (const auto real = journal.find(t.id)) rate = real->at("adapter").at("learning_rate").get<double>();
    return lab.run(task, rate, task.data == "real" && task.seed == 0 ? out / "adapters" : std::filesystem::path());
  }

  std::string describe_task(const Task& t) const {
    if (t.is_base()) return "base, " + t.weights;
    std::string text = t.format + " for " + users_.users[t.user].name;
    if (t.data != "real") text += ", " + t.data + " tokens";
    if (t.weights != "dense") text += ", " + t.weights;
    if (t.seed > 0) text += ", seed " + std::to_string(t.seed);
    return text;
  }

  /// The base's own model, or its ternary twin.
  const PackedDecoder<float>& model_of(const Task& task) const {
    return task.weights == options_.weights_name() ? base_.model : base_.ternary.value();
  }

  const Base& base_;
  const Users& users_;
  const ShootoutOptions& options_;
  const std::vector<Contender>& table_;
  Pass pass_;
  std::vector<Task> tasks_;
};

}  // namespace tern
