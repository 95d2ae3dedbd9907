#pragma once
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tern/io/packed_tensors.hpp"
#include "tern/train/optimizer.hpp"

namespace tern {

/// A training run on disk: parameters, optimiser moments and whatever else determines its future, as JSON. Two are
/// kept, written in turn, each whole or not at all; the newest readable one wins, so a damaged file costs one interval.
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
    for (std::size_t i = 0; i < optimizer.moments.size(); ++i) {
      const StateMatrix<S>& m = optimizer.moments[i];
      const std::string name = "moment." + std::to_string(i);
      file.tensors.push_back(m.is_bf16() ? to_tensor(name, m.bf16()) : to_tensor(name, m.full()));
    }
    const auto found = readable();
    const std::size_t slot = found.empty() ? 0 : 1 - found.front().slot;
    write_packed(path(slot), file);
  }

  /// Restores the newest readable checkpoint and returns its state; nothing if there is none. Throws ValueError where
  /// it belongs to another run, naming the field, and FormatError where it is of another model, or holds moments in bf16
  /// that `optimizer` holds in full, or the other way round, naming the tensor; then nothing was changed.
  template <class Model, std::floating_point S>
  std::optional<nlohmann::json> load(Model& model, OptimizerState<S>& optimizer, const nlohmann::json& run) const {
    const auto found = readable();
    if (found.empty()) return std::nullopt;
    const auto& [slot, steps, their_run, state, file] = found.front();
    const std::string place = "checkpoint '" + path(slot).string() + "': ";
    for (const auto& [key, value] : run.items())
      if (!their_run.contains(key) || their_run.at(key) != value)
        throw ValueError(place + key + ": expected " + value.dump() + ", got " +
                         (their_run.contains(key) ? their_run.at(key).dump() : "nothing"));
    const auto find = [&, &f = file](const std::string& name, Index rows, Index columns) {
      const NamedTensor* t = f.find(name);
      const auto shape = [](Index r, Index c) { return "[" + std::to_string(r) + " x " + std::to_string(c) + "]"; };
      if (t == nullptr || t->rows != rows || t->columns != columns)
        throw FormatError(place + "tensor '" + name + "': expected " + shape(rows, columns) + ", got " +
                          (t == nullptr ? "none" : shape(t->rows, t->columns)));
      return t;
    };
    std::vector<std::pair<const NamedTensor*, Matrix<S>*>> values;
    std::vector<std::pair<const NamedTensor*, StateMatrix<S>*>> moments;
    for_each_parameter(model, [&](std::string_view p, Parameter<S>& parameter) {
      values.emplace_back(find(std::string(p), parameter.value.rows(), parameter.value.cols()), &parameter.value);
    });
    for (std::size_t i = 0; i < optimizer.moments.size(); ++i) {
      StateMatrix<S>& m = optimizer.moments[i];
      const NamedTensor* t = find("moment." + std::to_string(i), m.rows(), m.cols());
      if ((t->dtype == DType::bf16) != m.is_bf16())
        throw FormatError(place + "tensor '" + t->name + "': expected a moment in " + std::string(name(m.type())) +
                          ", got " + std::string(name(t->dtype)));
      moments.emplace_back(t, &m);
    }
    for (const auto& [tensor, into] : values) *into = to_matrix<S>(*tensor);
    for (const auto& [tensor, into] : moments) {
      if (into->is_bf16())
        *into = to_bf16_matrix(*tensor);
      else
        *into = to_matrix<S>(*tensor);
    }
    optimizer.steps = steps;
    return state;
  }

 private:
  struct Found {
    std::size_t slot;
    Index steps;
    nlohmann::json run, state;
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
        const auto json = [&](const char* key) { return nlohmann::json::parse(file.metadata.at(key)); };
        Found one{slot, json("steps").get<Index>(), json("run"), json("state"), {}};
        one.file = std::move(file);
        found.push_back(std::move(one));
      } catch (const FormatError&) {        // damaged: the other one is older and whole
      } catch (const std::out_of_range&) {  // no checkpoint
      } catch (const nlohmann::json::exception&) {
      }
    }
    if (found.size() == 2 && found[1].steps > found[0].steps) std::swap(found[0], found[1]);
    return found;
  }

  std::filesystem::path folder_;
};

}  // namespace tern
