#pragma once
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tern/io/packed_tensors.hpp"
#include "tern/train/optimizer.hpp"

namespace tern {

/// A training run on disk: parameters, optimiser moments and whatever else determines its future, as JSON. Two are kept,
/// written in turn, each whole or not at all; the newest readable one wins, so a damaged file costs one interval.
class CheckpointFolder {
 public:
  explicit CheckpointFolder(std::filesystem::path folder) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
  }

  /// `run` names what must not change between parts of a run (configuration, data, seed); `state` is what moves
  /// (step, seconds, data cursor). Throws IoError.
  template <class Model, std::floating_point S>
  void save(const Model& model, const OptimizerState<S>& optimizer, const nlohmann::json& run,
            const nlohmann::json& state) const {
    PackedFile file;
    file.metadata = {{"run", run.dump()}, {"state", state.dump()}, {"steps", std::to_string(optimizer.steps)}};
    for_each_parameter(model, [&](std::string_view path, const Parameter<S>& p) {
      file.tensors.push_back(to_tensor(std::string(path), p.value));
    });
    for (std::size_t i = 0; i < optimizer.moments.size(); ++i)
      file.tensors.push_back(to_tensor("moment." + std::to_string(i), optimizer.moments[i]));
    const auto found = readable();
    const std::size_t slot = found.empty() ? 0 : 1 - found.front().slot;
    write_packed(path(slot), file);
  }

  /// Restores the newest readable checkpoint and returns its state; nothing if there is none. Throws ValueError where it
  /// belongs to another run, naming the field.
  template <class Model, std::floating_point S>
  std::optional<nlohmann::json> load(Model& model, OptimizerState<S>& optimizer, const nlohmann::json& run) const {
    const auto found = readable();
    if (found.empty()) return std::nullopt;
    const auto& [slot, steps, file] = found.front();
    const auto theirs = nlohmann::json::parse(file.metadata.at("run"));
    for (const auto& [key, value] : run.items())
      if (!theirs.contains(key) || theirs.at(key) != value)
        throw ValueError("checkpoint '" + path(slot).string() + "': " + key + ": expected " + value.dump() + ", got " +
                         (theirs.contains(key) ? theirs.at(key).dump() : "nothing"));
    const auto restore = [&, &f = file](const std::string& name, Matrix<S>& into) {
      const NamedTensor* t = f.find(name);
      if (t == nullptr || t->rows != into.rows() || t->columns != into.cols())
        throw FormatError("checkpoint: tensor '" + name + "': expected [" + std::to_string(into.rows()) + " x " +
                          std::to_string(into.cols()) + "], got another shape or none");
      into = to_matrix<S>(*t);
    };
    for_each_parameter(model, [&](std::string_view p, Parameter<S>& parameter) {
      restore(std::string(p), parameter.value);
    });
    for (std::size_t i = 0; i < optimizer.moments.size(); ++i)
      restore("moment." + std::to_string(i), optimizer.moments[i]);
    optimizer.steps = steps;
    return nlohmann::json::parse(file.metadata.at("state"));
  }

 private:
  struct Found {
    std::size_t slot;
    Index steps;
    PackedFile file;
  };

  std::filesystem::path path(std::size_t slot) const {
    return folder_ / ("checkpoint." + std::to_string(slot) + ".pack");
  }

  /// The checkpoints that can be read, newest first.
  std::vector<Found> readable() const {
    std::vector<Found> found;
    for (std::size_t slot = 0; slot < 2; ++slot) {
      try {
        if (!std::filesystem::exists(path(slot))) continue;
        PackedFile file = read_packed(path(slot));
        const Index steps = std::stoll(file.metadata.at("steps"));
        found.push_back({slot, steps, std::move(file)});
      } catch (const FormatError&) {  // damaged: the other one is older and whole
      }
    }
    if (found.size() == 2 && found[1].steps > found[0].steps) std::swap(found[0], found[1]);
    return found;
  }

  std::filesystem::path folder_;
};

}  // namespace tern
