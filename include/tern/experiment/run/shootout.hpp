#pragma once
#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "tern/experiment/adapter_file.hpp"
#include "tern/experiment/experiments/judge.hpp"
#include "tern/experiment/report.hpp"
#include "tern/experiment/run/calibrate.hpp"
#include "tern/experiment/run/choose_users.hpp"
#include "tern/experiment/run/describe.hpp"
#include "tern/experiment/run/evaluator.hpp"
#include "tern/experiment/run/generic_texts.hpp"
#include "tern/experiment/run/journal.hpp"
#include "tern/experiment/run/pilot.hpp"
#include "tern/experiment/run/tasks.hpp"
#include "tern/experiment/run/validate.hpp"

namespace tern {

/// What a run says while it works. Each may be empty.
struct ShootoutHooks {
  /// Before each piece of work, and after the last: how many are done of how many are known, the seconds left, what is next.
  std::function<void(std::size_t done, std::size_t of, double seconds_left, const std::string& next)> progress;
  std::function<void(const std::string&)> note;  ///< what a person should know, a sentence
  const std::atomic<bool>* interrupted = nullptr;
};

/// What a run would cost.
struct ShootoutPlan {
  struct Row {
    std::string contender, title;
    Index parameters = 0, steps = 0, runs = 0;
    double seconds_a_step = 0;
  };
  std::vector<Row> contenders;
  std::size_t tasks = 0, waiting = 0, pilots = 0;
  double seconds = 0;
  std::uint64_t memory = 0, disk = 0;
};

/// A shootout over loaded parts: calibration, pilots, the tasks of its experiments, findings, reports. Borrows all.
class Shootout {
 public:
  /// Throws ValueError on options that cannot be.
  Shootout(const Base& base, const Users& users, const GenericTexts& generic, const ShootoutOptions& options,
           const Pass& pass, const std::vector<Contender>& table = contenders())
      : base_(base),
        users_(users),
        generic_(generic),
        options_(options),
        pass_(pass),
        sources_{users.users, generic.tokens, base.model.config.vocabulary},
        evaluator_(base, users, options) {
    validate(options, table);
    for (const std::string& name : options.contenders) {
      const Contender& contender = find_contender(table, name);
      if (const std::string why = refusal(contender); !why.empty())
        fixed_.refused[name] = why;
      else
        asked_.push_back(contender);
    }
    options_.contenders.clear();
    for (const Contender& c : asked_) options_.contenders.push_back(c.name);
    if (!options_.runs(options_.roles.champion))
      throw ValueError("roles.champion: expected a contender that can run, got " + in_quotes(options_.roles.champion) +
                       ", which is refused: " + fixed_.refused[options_.roles.champion]);
    std::erase_if(options_.roles.rivals, [&](const std::string& r) { return !options_.runs(r); });
    describe_design();
  }
  Shootout(const Shootout&) = delete;
  Shootout& operator=(const Shootout&) = delete;

  /// What is fixed before the first task, with its hash.
  const ProtocolRecord& protocol() const { return fixed_; }

  /// Does what is not done yet, each piece written to `out`/tasks at once, then writes results.json, report.md and
  /// report.html. Nothing where it was interrupted. Throws IoError.
  std::optional<std::pair<Results, Findings>> run(const std::filesystem::path& out, const ShootoutHooks& hooks = {}) {
    hooks_ = &hooks;
    const Journal journal(out);
    register_protocol(out);
    Results results;
    results.protocol = fixed_;
    if (!prepare(journal, results.protocol)) return std::nullopt;
    std::vector<Task> tasks = planned(results.protocol);
    Pace pace;
    for (const Task& t : tasks) pace.add(expected_seconds(t, results.protocol), journal.done(t.id));
    for (const Task& task : tasks) {
      if (journal.done(task.id)) continue;
      if (stopped()) return std::nullopt;
      say(pace, tasks.size(), describe(task.setting));
      const Stopwatch watch;
      auto outcome = perform(task, results.protocol, out);
      if (!outcome) return std::nullopt;
      outcome->seconds = watch.seconds();
      journal.write(*outcome);
      pace.finished(expected_seconds(task, results.protocol), outcome->seconds);
    }
    say(pace, tasks.size(), "");
    collect(tasks, journal, results);
    Findings findings = experiments::judge(results);
    write_reports(out, results, findings);
    return std::pair(std::move(results), std::move(findings));
  }

  /// Time, memory and disk of run(), from a few measured steps of each contender. Keeps nothing.
  ShootoutPlan plan(const std::filesystem::path& out) {
    ShootoutHooks none;
    hooks_ = &none;
    ShootoutPlan plan;
    ProtocolRecord protocol = fixed_;
    const auto leaves = all_leaves();
    const auto seconds = measure_steps(leaves, {.rounds = 3, .most_seconds = 20});
    Index largest = 0;
    for (const Contender& c : leaves) {
      protocol.calibration[c.name] = {seconds.at(c.name), steps_in(seconds.at(c.name)), cpu_name()};
      const TrainedAdapter adapter = trainer("stored").fresh(c, {});
      plan.contenders.push_back({c.name, c.title, adapter.parameters(), protocol.calibration[c.name].steps, 0, seconds.at(c.name)});
      if (adapter.is_copy()) largest = std::max(largest, adapter.parameters());
    }
    for (const Contender& c : asked_)  // a candidate stands for it, whichever: the slowest
      if (c.candidates)
        for (const Contender& leaf : leaves_of(c)) {
          Calibration& stands = protocol.calibration[c.name];
          if (protocol.calibration[leaf.name].seconds_a_step >= stands.seconds_a_step) stands = protocol.calibration[leaf.name];
        }
    const auto tasks = planned(protocol);
    plan.tasks = tasks.size();
    for (const Task& t : tasks) {
      if (!t.setting.is_base())
        for (auto& row : plan.contenders) row.runs += row.contender == t.setting.contender;
      if (std::filesystem::exists(out / "tasks" / (t.id + ".json"))) continue;
      ++plan.waiting;
      plan.seconds += expected_seconds(t, protocol);
      plan.disk += 4096 + 24 * static_cast<std::uint64_t>(options_.eval_tokens / options_.context + 1) * (t.everybody ? users_.users.size() : 1);
    }
    if (options_.protocol == Protocol::standard)
      for (const Contender& leaf : leaves) {
        const double runs = 4.0 * static_cast<double>(pilots().size());  // three rates and about one more
        plan.pilots += static_cast<std::size_t>(runs);
        const Calibration& c = protocol.calibration[leaf.name];
        plan.seconds += runs * (static_cast<double>(c.steps) * c.seconds_a_step + 2 * evaluator_.seconds_of(options_.validation_tokens));
      }
    plan.memory = base_.model.weight_bytes() + (base_.ternary ? base_.ternary->weight_bytes() : 0) +
                  trainer("stored").cache().decoder.bytes() + full_bytes(largest);
    return plan;
  }

  /// results.json, report.md, report.html. Throws IoError.
  static void write_reports(const std::filesystem::path& out, const Results& results, const Findings& findings) {
    write_file(out / "results.json", to_json(results, findings));
    write_file(out / "report.md", report_markdown(results, findings));
    write_file(out / "report.html", report_html(results, findings));
  }

 private:
  /// How long is left, from what is expected of each piece and how that has come true.
  class Pace {
   public:
    void add(double expected, bool done) {
      if (done)
        ++done_;
      else
        left_ += expected;
    }
    void finished(double expected, double seconds) {
      ++done_;
      left_ -= expected, expected_ += expected, taken_ += seconds;
    }
    std::size_t done() const { return done_; }
    double left() const { return expected_ > 0 ? left_ * taken_ / expected_ : left_; }

   private:
    std::size_t done_ = 0;
    double left_ = 0, expected_ = 0, taken_ = 0;
  };

  // ---- what is fixed

  /// A copy of the base in floats, its gradients and Adam's two moments.
  static std::uint64_t full_bytes(Index parameters) { return static_cast<std::uint64_t>(parameters) * 16; }

  std::string refusal(const Contender& contender) const {
    if (!contender.trains_base) return {};
    const auto w = options_.weights;
    if (w && *w != WeightFormat::f32 && *w != WeightFormat::bf16)
      return "the base's weights train, and " + std::string(name(*w)) + " weights cannot";
    const std::uint64_t needed = full_bytes(parameters(base_.model.config));
    if (needed > options_.memory)
      return "weights, gradients and two moments take " + words::bytes(static_cast<double>(needed)) + ", of which there are " +
             words::bytes(static_cast<double>(options_.memory));
    return {};
  }

  void describe_design() {
    for (const User& u : users_.users) {
      records_.push_back(describe_user(u));
    }
    fixed_.generic = generic_.of_user;
    fixed_.kind = name(options_.protocol);
    fixed_.roles = options_.roles;
    for (const Contender& c : asked_) fixed_.contenders.push_back(describe_contender(c));
    fixed_.margin = options_.margin;
    fixed_.context = options_.context, fixed_.eval_tokens = options_.eval_tokens, fixed_.seeds = options_.seeds;
    fixed_.budget = options_.protocol == Protocol::catalogue ? Budget::of_steps(100) : options_.budget;
    fixed_.experiments = options_.experiments;
    fixed_.weights = options_.weights ? std::string(name(*options_.weights)) : "stored";
    fixed_.precision = options_.precision == Precision::full ? "full" : "mixed";
    fixed_.gradients = options_.gradients == GradientRounding::none      ? "float"
                       : options_.gradients == GradientRounding::nearest ? "int8"
                                                                         : "int8-stochastic";
    std::string everything = base_.fingerprint + detail::results_json::encode(fixed_).dump();
    for (const UserRecord& u : records_) everything += u.name + u.split_hash;
    fixed_.hash = sha256_hex(bytes_of(everything)).substr(0, 16);
  }

  ContenderRecord describe_contender(const Contender& c) {
    ContenderRecord record{c.name, c.title, c.trains_base, 0, ""};
    if (c.candidates) return record;  // known once the pilots have chosen
    AdapterSet<float> set;
    Random random(0);
    c.attach(view(), set, random);
    record.parameters = c.trains_base ? parameters(base_.model.config) : count_parameters(set);
    record.sites = c.trains_base ? "every weight" : describe_sites(set.sites());
    return record;
  }

  /// Before the first task the output holds what is fixed and nothing else.
  void register_protocol(const std::filesystem::path& out) {
    const auto path = out / "results.json";
    std::ifstream file(path, std::ios::binary);
    if (file) {
      const std::string text(std::istreambuf_iterator<char>(file), {});
      try {
        const Results earlier = from_json(text, shown(path.string()));
        if (earlier.protocol.hash == fixed_.hash) return;
        const auto kept = out / ("results-" + earlier.protocol.hash + ".json");
        write_file(kept, text);
        note("the options are others than those of the earlier run in " + in_quotes(out.string()) +
             "; its results are kept in " + kept.filename().string());
      } catch (const FormatError& e) {
        note(std::string("an earlier results.json cannot be read and is replaced: ") + e.what());
      }
    }
    Results registered;
    registered.tern = describe_build(options_.commit, pass_, options_.threads);
    registered.base = describe_base(base_);
    registered.protocol = fixed_;
    registered.users = records_;
    registered.left_out = users_.left_out;
    write_file(path, to_json(registered, {}));
  }

  // ---- calibration and pilots

  std::vector<Contender> leaves_of(const Contender& c) {
    return c.candidates ? c.candidates(view()) : std::vector<Contender>{c};
  }
  std::vector<Contender> all_leaves() {
    std::vector<Contender> all;
    for (const Contender& c : asked_)
      for (Contender& leaf : leaves_of(c)) all.push_back(std::move(leaf));
    return all;
  }
  std::vector<std::string> pilots() const { return spread_over_kinds(records_, options_.pilots, "pilot"); }

  Index steps_in(double seconds_a_step) const { return steps_of(fixed_.budget, seconds_a_step); }

  std::map<std::string, double> measure_steps(const std::vector<Contender>& leaves, const CalibrationOptions& options = {}) {
    return calibrate(trainer("stored"), leaves, users_.users.front().name, options);
  }

  /// Calibrates, pilots and chooses among candidates; false where it was interrupted.
  bool prepare(const Journal& journal, ProtocolRecord& protocol) {
    const auto leaves = all_leaves();
    const std::string calibration = "calibration-" + fixed_.hash;
    std::optional<Outcome> earlier = journal.find(calibration);
    if (!earlier) {
      if (hooks_->progress) hooks_->progress(0, 0, 0, "calibration");
      Outcome measured{.id = calibration};
      const Stopwatch watch;
      for (const auto& [name, seconds] : measure_steps(leaves)) {
        AdapterRecord row;
        row.setting.contender = name;
        row.seconds = seconds;
        row.reason = cpu_name();
        measured.adapter.push_back(row);
      }
      measured.seconds = watch.seconds();
      journal.write(measured);
      earlier = std::move(measured);
    }
    for (const AdapterRecord& row : earlier->adapter)
      protocol.calibration[row.setting.contender] = {row.seconds, steps_in(row.seconds), row.reason};
    for (const Contender& c : asked_)
      if (!choose(journal, c, protocol)) return false;
    return true;
  }

  /// Finds the contender's rate, and its candidate where it has several.
  bool choose(const Journal& journal, const Contender& contender, ProtocolRecord& protocol) {
    if (options_.protocol == Protocol::catalogue) {
      chosen_[contender.name] = leaves_of(contender).front();
      if (contender.candidates) protocol.calibration[contender.name] = protocol.calibration[chosen_[contender.name].name];
      PilotRecord fixed;
      fixed.chosen = catalogue_rate;
      if (contender.candidates) fixed.candidate = chosen_[contender.name].name;
      protocol.pilots[contender.name] = fixed;
      return true;
    }
    std::optional<double> best;
    std::map<std::string, std::optional<double>> losses;
    for (const Contender& leaf : leaves_of(contender)) {
      RateSearch search(pilots(), leaf.rates, options_.most_rates);
      while (const auto question = search.next()) {
        const auto loss = pilot(journal, leaf, question->rate, search.result().users[question->pilot], protocol);
        if (!loss) return false;
        search.record(*question, loss->loss);
      }
      const auto lowest = search.best_loss();
      losses[leaf.name] = lowest;
      const bool first = !chosen_.contains(contender.name);
      if (!first && !(lowest && (!best || *lowest < *best))) continue;
      best = lowest;
      chosen_[contender.name] = leaf;
      protocol.pilots[contender.name] = search.result();
    }
    if (contender.candidates) {
      const Contender& leaf = chosen_[contender.name];
      protocol.pilots[contender.name].candidate = leaf.name;
      protocol.pilots[contender.name].candidates = losses;
      protocol.calibration[contender.name] = protocol.calibration[leaf.name];
      for (ContenderRecord& record : protocol.contenders)
        if (record.name == contender.name) {
          const ContenderRecord chosen = describe_contender(leaf);
          record.title = contender.title + " (" + leaf.title + ")";
          record.parameters = chosen.parameters, record.sites = chosen.sites;
        }
    }
    return true;
  }

  /// One pilot run: the loss on validation text after the full budget. Nothing where it was interrupted.
  std::optional<Outcome> pilot(const Journal& journal, const Contender& leaf, double rate, const std::string& user,
                               const ProtocolRecord& protocol) {
    const Setting s{.contender = leaf.name, .user = user};
    const std::string id = task_id(context(protocol), "pilot", s, false, rate);
    if (auto earlier = journal.find(id)) return earlier;
    if (stopped()) return std::nullopt;
    if (hooks_->progress)
      hooks_->progress(0, 0, 0, "pilot: " + describe(s) + ", rate " + words::general(rate, 2));
    const Stopwatch watch;
    Trainer& t = trainer("stored");
    TrainedAdapter adapter = t.fresh(leaf, s);
    const FitResult result = t.train(adapter, s, {.steps = protocol.calibration.at(leaf.name).steps, .rate = rate, .points = 1},
                                     [&] { return evaluator_.validation(adapter.subject(), t.cache(), t.pass(), user); });
    if (result.status == FitStatus::interrupted) return std::nullopt;
    Outcome outcome{.id = id};
    if (result.ok() && !result.curve.empty()) outcome.loss = result.curve.back().validation;
    outcome.seconds = watch.seconds();
    journal.write(outcome);
    return outcome;
  }

  // ---- tasks

  TaskContext context(const ProtocolRecord& protocol) const {
    TaskContext c;
    c.fingerprint = base_.fingerprint;
    for (const UserRecord& u : records_) c.split_hash[u.name] = u.split_hash;
    for (const auto& [contender, calibration] : protocol.calibration) c.steps[contender] = calibration.steps;
    c.options = fixed_.kind + "/" + std::to_string(options_.context) + "/" + std::to_string(options_.eval_tokens) + "/" +
                std::to_string(options_.validation_tokens) + "/" + fixed_.weights + "/" + fixed_.precision + "/" +
                fixed_.gradients + "/" + (options_.early_stopping ? "best" : "last");
    return c;
  }

  experiments::Design design() const {
    return {options_, records_, fixed_.generic, base_.ternary.has_value(),
            spread_over_kinds(records_, options_.sweep_users, "sweep")};
  }

  std::vector<Task> planned(const ProtocolRecord& protocol) const {
    std::vector<Task> tasks = plan_tasks(design());
    const TaskContext c = context(protocol);
    for (Task& t : tasks) {
      double rate = 0;
      std::string kind = "task";
      if (const auto pilots = protocol.pilots.find(t.setting.contender); pilots != protocol.pilots.end()) {
        rate = rate_for(pilots->second, t.setting.user);
        kind += "/" + pilots->second.candidate;
      }
      t.id = task_id(c, kind, t.setting, t.everybody, rate);
    }
    return tasks;
  }

  Index steps_of_task(const Setting& s, const ProtocolRecord& protocol) const {
    const double steps = static_cast<double>(protocol.calibration.at(s.contender).steps);
    return std::max<Index>(1, std::llround(steps * s.budget));
  }

  double expected_seconds(const Task& t, const ProtocolRecord& protocol) const {
    const double users = t.everybody ? static_cast<double>(users_.users.size()) : 1;
    double seconds = users * evaluator_.seconds_of(options_.eval_tokens);
    if (t.setting.is_base()) return seconds;
    const auto c = protocol.calibration.find(t.setting.contender);
    if (c != protocol.calibration.end())
      seconds += static_cast<double>(steps_of_task(t.setting, protocol)) * c->second.seconds_a_step +
                 13 * evaluator_.seconds_of(options_.validation_tokens);
    return seconds;
  }

  /// Nothing where it was interrupted.
  std::optional<Outcome> perform(const Task& task, const ProtocolRecord& protocol, const std::filesystem::path& out) {
    const Setting& s = task.setting;
    Trainer& t = trainer(s.weights);
    Outcome outcome{.id = task.id};
    if (s.is_base()) {
      for (const User& u : users_.users) {
        outcome.cells.push_back(evaluator_.score(t.model(), t.cache().decoder, t.pass(), u.name));
        outcome.cells.back().weights = s.weights;
      }
      return outcome;
    }
    const Contender& contender = chosen_.at(s.contender);
    AdapterRecord record{.id = task.id, .setting = s};
    record.learning_rate = rate_for(protocol.pilots.at(s.contender), s.user);
    TrainedAdapter adapter = t.fresh(contender, s);
    const std::string judged = s.user.empty() ? users_.users.front().name : s.user;
    const FitResult result =
        t.train(adapter, s,
                {.steps = steps_of_task(s, protocol),
                 .rate = record.learning_rate,
                 .constant_rate = options_.protocol == Protocol::catalogue},
                [&] { return evaluator_.validation(adapter.subject(), t.cache(), t.pass(), judged); });
    if (result.status == FitStatus::interrupted) return std::nullopt;
    record.parameters = adapter.parameters();
    record.bytes = sizeof(float) * static_cast<std::uint64_t>(record.parameters);
    record.steps = result.steps, record.seconds = result.seconds;
    for (const FitPoint& p : result.curve)
      if (p.validation && std::isfinite(*p.validation)) record.curve.push_back({p.step, p.seconds, std::exp(*p.validation)});
    if (!result.ok()) {
      record.ok = false, record.reason = result.reason;
    } else {
      if (!adapter.is_copy() && record.bytes <= most_kept && s == Setting{.contender = s.contender, .user = s.user}) {
        std::filesystem::create_directories(out / "adapters");
        record.bytes = save_adapter(out / "adapters" / (task.id + ".adapter"), adapter.set(), contender.name, base_.fingerprint);
      }
      try {
        for (const User& u : users_.users) {
          if (!task.everybody && u.name != s.user) continue;
          CellRecord cell = evaluator_.score(adapter.subject(), t.cache(), t.pass(), u.name);
          cell.adapter = task.id, cell.weights = s.weights;
          outcome.cells.push_back(std::move(cell));
        }
      } catch (const DivergedError& e) {
        record.ok = false, record.reason = e.what();
        outcome.cells.clear();
      }
    }
    outcome.adapter.push_back(std::move(record));
    return outcome;
  }

  void collect(const std::vector<Task>& tasks, const Journal& journal, Results& results) const {
    results.tern = describe_build(options_.commit, pass_, options_.threads);
    results.base = describe_base(base_);
    results.users = records_;
    results.left_out = users_.left_out;
    for (const Task& t : tasks) {
      auto outcome = journal.find(t.id);
      if (!outcome) continue;
      for (AdapterRecord& a : outcome->adapter) results.adapters.push_back(std::move(a));
      for (CellRecord& c : outcome->cells) results.cells.push_back(std::move(c));
    }
  }

  // ---- small things

  /// The trainer of the base's own model or of its ternary twin, made when it is first needed.
  Trainer& trainer(const std::string& weights) {
    auto& t = trainers_[weights == "ternary" && base_.ternary ? "ternary" : "stored"];
    if (!t)
      t = std::make_unique<Trainer>(weights == "ternary" && base_.ternary ? *base_.ternary : base_.model, sources_, options_,
                                    pass_, base_.prefix());
    t->interrupted = hooks_ != nullptr ? hooks_->interrupted : nullptr;
    return *t;
  }
  const ModelView& view() { return trainer("stored").view(); }
  bool stopped() const { return hooks_->interrupted != nullptr && hooks_->interrupted->load(); }
  void note(const std::string& text) const {
    if (hooks_->note) hooks_->note(text);
  }
  void say(const Pace& pace, std::size_t of, const std::string& next) const {
    if (hooks_->progress) hooks_->progress(pace.done(), of, pace.left(), next);
  }

  static constexpr double catalogue_rate = 5e-5;
  static constexpr std::uint64_t most_kept = 16u << 20;  // bytes of an adapter

  const Base& base_;
  const Users& users_;
  const GenericTexts& generic_;
  ShootoutOptions options_;
  Pass pass_;
  TrainingSources sources_;
  Evaluator evaluator_;
  std::vector<Contender> asked_;               // that can run, as the options name them
  std::map<std::string, Contender> chosen_;    // what trains under each name
  std::vector<UserRecord> records_;
  ProtocolRecord fixed_;
  std::map<std::string, std::unique_ptr<Trainer>> trainers_;
  const ShootoutHooks* hooks_ = nullptr;
};

}  // namespace tern
