#pragma once
/// Finished pieces of work on disk.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "tern/experiment/results_json.hpp"
#include "tern/io/atomic_file.hpp"

namespace tern {

/// What a task left: an adapter and its losses, the base's losses, or a pilot's validation loss.
struct Outcome {
  std::string id;
  std::vector<AdapterRecord> adapter{};  ///< one, or none
  std::vector<CellRecord> cells{};
  std::optional<double> loss{};        ///< of a pilot: nats per token; none: it diverged
  double seconds = 0;                  ///< that the task took
};

namespace detail::results_json {
template <class V>
void members(V& v, Outcome& o) {
  v("id", o.id), v("seconds", o.seconds), v("loss", o.loss), v("adapter", o.adapter), v("cells", o.cells);
}
}  // namespace detail::results_json

/// One file a task, written whole or not at all. Which files exist is the only state there is: a killed run goes on by
/// being run again.
class Journal {
 public:
  /// The one below `out`, which need not be there to be asked.
  explicit Journal(const std::filesystem::path& out) : folder_(out / "tasks") {}

  const std::filesystem::path& folder() const { return folder_; }

  /// Makes the folder. Throws IoError where it cannot be made.
  void open() const {
    std::error_code error;
    std::filesystem::create_directories(folder_, error);
    if (error) throw IoError(in_quotes(folder_.string()) + ": " + error.message());
  }

  /// What a finished task left; nothing if it is not done, or its file is damaged (it is then done again).
  std::optional<Outcome> find(const std::string& id) const {
    std::ifstream file(folder_ / (id + ".json"), std::ios::binary);
    if (!file) return std::nullopt;
    const std::string text(std::istreambuf_iterator<char>(file), {});
    try {
      namespace d = detail::results_json;
      Outcome outcome;
      d::decode(d::Json::parse(text), d::Place{"task " + id}, outcome);
      if (outcome.id == id) return outcome;
    } catch (const Error&) {
    } catch (const nlohmann::json::exception&) {
    }
    return std::nullopt;
  }
  bool done(const std::string& id) const { return find(id).has_value(); }

  /// After open(). Throws IoError.
  void write(const Outcome& outcome) const {
    write_file(folder_ / (outcome.id + ".json"), detail::results_json::lay_out(detail::results_json::encode(outcome)));
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace tern
