#pragma once
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tern/experiment/options.hpp"
#include "tern/experiment/users.hpp"
#include "tern/io/atomic_file.hpp"

namespace tern {

/// One piece of work: an adapter trained and evaluated, or (without a format) the bare base evaluated.
struct Task {
  std::string id{};
  std::string format{};    ///< empty: the base
  std::size_t user = 0;    ///< whose text trains; of the base: unused
  Index seed = 0;
  std::string data = "real";      ///< "real", "uniform", "shuffled"
  std::string weights = "dense";
  bool every_user = false;        ///< evaluated on everybody's text (E4), or on the user's own

  bool is_base() const { return format.empty(); }
};

/// A stable hash of all that determines a task's outcome: never threads or paths. It names the task's file.
inline std::string task_id(const Task& t, const Base& base, const Users& users, const ShootoutOptions& o,
                           const std::vector<Contender>& table) {
  nlohmann::json key = {{"version", 1},
                        {"base", base.fingerprint},
                        {"weights", t.weights},
                        {"precision", o.precision},
                        {"gradients", o.gradients},
                        {"format", t.format},
                        {"texts", o.texts},
                        {"context", o.context},
                        {"eval_tokens", o.eval_tokens}};
  if (!t.is_base()) {
    key["user"] = users.users[t.user].split_hash;
    key["name"] = users.users[t.user].name;
    key["seed"] = t.seed;
    key["data"] = t.data;
    key["budget"] = to_json(o.budget);
    key["validation_tokens"] = o.validation_tokens;
    key["trials"] = o.trials;
    key["trial_share"] = o.trial_share;
    key["patience"] = o.patience;
    key["rates"] = find_contender(table, t.format).rates;
  }
  if (t.is_base() || t.every_user)
    for (const User& u : users.users) key["evaluated_on"].push_back(u.split_hash);
  return sha256_hex(bytes_of(key.dump())).substr(0, 16);
}

/// The tasks of a shootout, in the order in which they run: the base first, then for each user every format, then the
/// other seeds, the noise floors (which need the real run's learning rate) and the ternary runs.
inline std::vector<Task> plan_tasks(const Base& base, const Users& users, const ShootoutOptions& o,
                                    const std::vector<Contender>& table) {
  std::vector<Task> tasks;
  const auto add = [&](Task t) {
    t.id = task_id(t, base, users, o, table);
    tasks.push_back(std::move(t));
  };
  const bool compares = o.wants("E1") || o.wants("E2") || o.wants("E3") || o.wants("E4") || o.wants("E9") || o.wants("E12");
  const bool six = o.wants("E6") && base.ternary.has_value();
  add({.weights = o.weights_name()});
  if (six && !o.weights) add({.weights = "ternary"});
  for (std::size_t u = 0; u < users.users.size(); ++u)
    for (const std::string& format : o.formats)
      if (compares || (six && format == "norm"))
        add({.format = format, .user = u, .weights = o.weights_name(), .every_user = o.wants("E4")});
  if (six && !o.weights)
    for (std::size_t u = 0; u < users.users.size(); ++u) add({.format = "norm", .user = u, .weights = "ternary"});
  if (o.wants("E3"))
    for (std::size_t u = 0; u < users.users.size(); ++u)
      for (const std::string& format : o.noise_formats)
        if (std::find(o.formats.begin(), o.formats.end(), format) != o.formats.end())
          for (const char* data : {"uniform", "shuffled"})
            add({.format = format, .user = u, .data = data, .weights = o.weights_name()});
  if (o.wants("E2"))
    for (Index seed = 1; seed < o.seeds; ++seed)
      for (std::size_t u = 0; u < users.users.size(); ++u)
        for (const std::string& format : o.formats) add({.format = format, .user = u, .seed = seed, .weights = o.weights_name()});
  return tasks;
}

/// Finished tasks on disk, one file each, written whole or not at all. Which files exist is the only state there is:
/// a killed run goes on by being run again.
class Journal {
 public:
  explicit Journal(const std::filesystem::path& out) : folder_(out / "tasks") {
    std::filesystem::create_directories(folder_);
  }

  std::filesystem::path path(const std::string& id) const { return folder_ / (id + ".json"); }

  /// What a finished task left; nothing if it is not done, or its file is damaged (it is then done again).
  std::optional<nlohmann::json> find(const std::string& id) const {
    std::ifstream file(path(id));
    if (!file) return std::nullopt;
    nlohmann::json result = nlohmann::json::parse(file, nullptr, false);
    if (result.is_discarded() || result.value("id", "") != id) return std::nullopt;
    return result;
  }
  bool done(const std::string& id) const { return find(id).has_value(); }

  void write(const std::string& id, nlohmann::json result) const {
    result["id"] = id;
    write_file(path(id), result.dump(1) + "\n");
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace tern
