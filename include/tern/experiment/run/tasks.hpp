#pragma once
/// The pieces of work of a shootout, each named by all that determines its outcome.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "tern/experiment/experiments/all.hpp"
#include "tern/experiment/form.hpp"
#include "tern/experiment/results_json.hpp"
#include "tern/experiment/run/pilot.hpp"
#include "tern/experiment/run/registration.hpp"
#include "tern/io/sha256.hpp"

namespace tern {

/// An adapter trained and evaluated, or (a setting without a contender) the bare base evaluated.
struct Task {
  std::string id = {};
  Setting setting;
  bool everybody = false;  ///< scored on everybody's held-out text, or on the user's own
  bool is_source = false;  ///< its adapter is kept: a run in a form is made of it
};

/// What every task of a run has in common, for task_id(): whatever else changes an outcome.
struct TaskContext {
  std::string fingerprint;                        ///< of the base
  std::map<std::string, std::string> split_hash;  ///< user -> of the text
  std::map<std::string, Index> steps;             ///< contender -> of one budget
  std::string options;                            ///< context, evaluation, precision ...
};

/// That of a registered run on the base of that fingerprint, with the steps that `protocol` has from the calibration.
inline TaskContext task_context(const Registration& run, const ProtocolRecord& protocol,
                                const std::string& fingerprint) {
  TaskContext c;
  c.fingerprint = fingerprint;
  for (const UserRecord& u : run.users) c.split_hash[u.name] = u.split_hash;
  for (const auto& [contender, calibration] : protocol.calibration) c.steps[contender] = calibration.steps;
  const ShootoutOptions& o = run.options;
  c.options = protocol.kind + "/" + std::to_string(o.context) + "/" + std::to_string(o.eval_tokens) + "/" +
              std::to_string(o.validation_tokens) + "/" + protocol.weights + "/" + protocol.precision + "/" +
              protocol.gradients + "/" + (o.early_stopping ? "best" : "last") +
              (protocol.state.empty() ? "" : "/" + protocol.state);
  return c;
}

/// A stable hash of all that determines an outcome: never threads or paths. It names the task's file.
inline std::string task_id(const TaskContext& context, const std::string& kind, const Setting& s, bool everybody,
                           double rate = 0) {
  namespace d = detail::results_json;
  AdapterRecord record;
  record.setting = s;
  d::Json key = {{"version", 2},
                 {"kind", kind},
                 {"base", context.fingerprint},
                 {"options", context.options},
                 {"setting", d::encode(record)},
                 {"rate", rate}};
  if (const auto steps = context.steps.find(s.contender); steps != context.steps.end()) key["steps"] = steps->second;
  for (const auto& [user, hash] : context.split_hash)
    if (user == s.user || everybody || parse_form(s.form).is_shared() || s.is_base() || s.user.empty() || s.data.kind == Data::Kind::others)
      key["text"].push_back(hash);
  return sha256_hex(bytes_of(key.dump(-1, ' ', false, d::Json::error_handler_t::replace))).substr(0, 16);
}

/// The tasks that the options' experiments need, in the order in which they run: the bases, then every contender of
/// every user's own text, then the rest in the experiments' order. Each setting once.
inline std::vector<Task> plan_tasks(const experiments::Design& design) {
  std::vector<Task> tasks;
  std::map<Setting, std::size_t> known;
  const auto add = [&](const Setting& setting, bool everybody) {
    const auto [at, is_new] = known.try_emplace(setting, tasks.size());
    if (is_new) tasks.push_back({{}, setting, false});
    Task& task = tasks[at->second];
    task.everybody = task.everybody || everybody || setting.is_base() || setting.user.empty();
  };
  add(base_setting(), true);
  const std::vector<std::string> users = names_of(design.users);
  for (const experiments::Experiment& e : experiments::all())
    if (design.options.wants(e.id))
      e.needs(design, [&](const experiments::Need& need) {
        add(base_setting(need.setting.weights), true);
        for (const Setting& source : sources(need.setting, users)) {
          add(source, false);
          tasks[known.at(source)].is_source = true;
        }
        add(need.setting, need.everybody);
      });
  std::stable_sort(tasks.begin(), tasks.end(), [](const Task& a, const Task& b) {
    const auto order = [](const Task& t) {
      const Setting& s = t.setting;
      if (!s.form.empty()) return 3;
      if (s.is_base()) return 0;
      return s.seed == 0 && s.data.kind == Data::Kind::real && s.weights == "stored" && s.budget == 1 && s.tokens == 0
                 ? 1
                 : 2;
    };
    return order(a) < order(b);
  });
  return tasks;
}

/// plan_tasks() with their ids: of the rate and the candidate that the pilots in `protocol` chose.
inline std::vector<Task> named_tasks(const Registration& run, const ProtocolRecord& protocol,
                                     const std::string& fingerprint) {
  std::vector<Task> tasks = plan_tasks(run.design(protocol));
  const TaskContext context = task_context(run, protocol, fingerprint);
  for (Task& t : tasks) {
    double rate = 0;
    std::string kind = "task";
    if (const auto pilots = protocol.pilots.find(t.setting.contender); pilots != protocol.pilots.end()) {
      rate = rate_for(pilots->second, t.setting.user);
      kind += "/" + pilots->second.candidate;
      if (parse_form(t.setting.form).is_shared())  // others' rates count as well
        for (const UserRecord& u : run.users) kind += "/" + std::to_string(rate_for(pilots->second, u.name));
    }
    if (t.is_source && !t.setting.is_ordinary()) kind += "/kept";
    t.id = task_id(context, kind, t.setting, t.everybody, rate);
  }
  return tasks;
}

}  // namespace tern
