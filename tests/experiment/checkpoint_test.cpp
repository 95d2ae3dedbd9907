#include "tern/experiment/checkpoint.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <optional>
#include <thread>

#include "support/temporary_directory.hpp"
#include "support/bf16_numbers.hpp"
#include "tern/core/fields.hpp"
#include "tern/train/adam.hpp"

using namespace tern;
using namespace tern::test;

namespace {

/// A model of two parameters; what it holds tells at which step it stood.
struct Model {
  explicit Model(Index rows = 2, double at = 0)
      : weight(Matrix<float>::Constant(rows, 3, static_cast<float>(at))),
        gain(Matrix<float>::Constant(1, 3, static_cast<float>(-at))) {}
  template <class Self, class F>
  static void fields(Self& self, F&& f) {
    f("weight", self.weight);
    f("gain", self.gain);
  }
  bool at(double step) const {
    return (weight.value.array() == static_cast<float>(step)).all() &&
           (gain.value.array() == static_cast<float>(-step)).all();
  }
  Parameter<float> weight, gain;
};

OptimizerState<float> moments(const Model& model, Index steps) {
  OptimizerState<float> state;
  state.steps = steps;
  state.moments = {model.weight.value * 2, model.gain.value * 2};
  return state;
}

const nlohmann::json run = {{"seed", 7}, {"rate", 0.01}};

void save(const CheckpointFolder& folder, Index step, Index rows = 2) {
  const Model model(rows, static_cast<double>(step));
  folder.save(model, moments(model, step), run, {{"step", step}, {"cursor", "a\n\"b\""}});
}

/// The step of the checkpoint that load finds; -1: none. What it restores must be of that step throughout.
Index loaded_step(const CheckpointFolder& folder, Index rows = 2) {
  Model model(rows, 99);
  auto optimizer = moments(model, 99);
  const auto state = folder.load(model, optimizer, run);
  if (!state) {
    CHECK(model.at(99));
    CHECK(optimizer.steps == 99);
    return -1;
  }
  const Index step = state->at("step");
  CHECK(state->at("cursor") == "a\n\"b\"");
  CHECK(model.at(static_cast<double>(step)));
  CHECK(optimizer.steps == step);
  CHECK(optimizer.moments == moments(model, step).moments);
  return step;
}

/// The folder's file whose content changed last, which is the one of the greater step.
std::filesystem::path file_of(const TemporaryDirectory& folder, Index step) {
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    PackedFile file = read_packed(entry.path());
    if (file.metadata.at("steps") == std::to_string(step)) return entry.path();
  }
  FAIL("no checkpoint of step ", step);
  return {};
}

void overwrite(const std::filesystem::path& path, std::streamoff at, char with) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(at);
  file.put(with);
}

}  // namespace

TEST_CASE("checkpoint: what was saved last comes back, bit for bit; two files are kept") {
  const TemporaryDirectory folder;
  const CheckpointFolder checkpoints(folder / "new" / "folder");
  CHECK(loaded_step(checkpoints) == -1);
  for (const Index step : {1, 2, 3, 10, 11}) {
    save(checkpoints, step);
    CHECK(loaded_step(checkpoints) == step);
  }
  const auto files = std::filesystem::directory_iterator(folder / "new" / "folder");
  CHECK(std::distance(begin(files), end(files)) == 2);
}

TEST_CASE("checkpoint: a damaged newest costs one interval, and is what the next save replaces") {
  for (const std::string damage : {"cut", "empty", "a flipped bit", "a foreign packed file"}) {
    CAPTURE(damage);
    const TemporaryDirectory folder;
    const CheckpointFolder checkpoints(folder.path());
    save(checkpoints, 9);
    save(checkpoints, 10);
    const auto newest = file_of(folder, 10);
    const auto size = std::filesystem::file_size(newest);
    if (damage == "cut") std::filesystem::resize_file(newest, size - 1);
    if (damage == "empty") std::filesystem::resize_file(newest, 0);
    if (damage == "a flipped bit") overwrite(newest, static_cast<std::streamoff>(size / 2), '\x7f');
    if (damage == "a foreign packed file") write_packed(newest, PackedFile{});
    CHECK(loaded_step(checkpoints) == 9);
    save(checkpoints, 11);
    CHECK(loaded_step(checkpoints) == 11);
    CHECK(file_of(folder, 9) != newest);
  }
}

TEST_CASE("checkpoint: two damaged ones are none") {
  const TemporaryDirectory folder;
  const CheckpointFolder checkpoints(folder.path());
  save(checkpoints, 1);
  save(checkpoints, 2);
  for (const Index step : {1, 2}) std::filesystem::resize_file(file_of(folder, step), 20);
  CHECK(loaded_step(checkpoints) == -1);
}

TEST_CASE("checkpoint: another run's is refused by its field, and nothing is changed") {
  const TemporaryDirectory folder;
  const CheckpointFolder checkpoints(folder.path());
  save(checkpoints, 5);
  Model model(2, 99);
  auto optimizer = moments(model, 99);
  const std::string place = "checkpoint '" + file_of(folder, 5).string() + "': ";
  CHECK_THROWS_WITH_AS(checkpoints.load(model, optimizer, {{"seed", 8}, {"rate", 0.01}}),
                       (place + "seed: expected 8, got 7").c_str(), ValueError);
  CHECK_THROWS_WITH_AS(checkpoints.load(model, optimizer, {{"seed", 7}, {"layers", 2}}),
                       (place + "layers: expected 2, got nothing").c_str(), ValueError);
  CHECK(model.at(99));
  CHECK(optimizer.steps == 99);
}

TEST_CASE("checkpoint: one of another model is refused by the tensor's name, and nothing is changed") {
  const TemporaryDirectory folder;
  const CheckpointFolder checkpoints(folder.path());
  save(checkpoints, 5);
  const std::string place = "checkpoint '" + file_of(folder, 5).string() + "': ";
  Model model(2, 99);
  auto optimizer = moments(model, 99);
  optimizer.moments.push_back(Matrix<float>::Zero(1, 3));
  CHECK_THROWS_WITH_AS(checkpoints.load(model, optimizer, run),
                       (place + "tensor 'moment.2': expected [1 x 3], got none").c_str(), FormatError);
  CHECK(model.at(99));
  CHECK(optimizer.steps == 99);
  Model taller(4, 99);
  optimizer = moments(taller, 99);
  CHECK_THROWS_WITH_AS(checkpoints.load(taller, optimizer, run),
                       (place + "tensor 'weight': expected [4 x 3], got [2 x 3]").c_str(), FormatError);
  CHECK(taller.at(99));
}

namespace {

/// A run of Adam on a model whose weight has its state in bf16, or in full.
struct Run {
  explicit Run(StateType state) {
    model.weight.takes_bf16 = true;
    adam.emplace(AdamOptions{.seed = 5}, Trainable<float>(state, model));
  }
  void step() {
    auto& gradient = adam->trainable().gradients().held(0);
    const Matrix<float> g = model.weight.value.array() - 0.3f;
    if (gradient.is_bf16())
      gradient = narrowed(g);
    else
      gradient = g;
    adam->trainable().gradients()[1].setConstant(0.1f);
    adam->step(0.01);
  }
  Model model{40, 1};
  std::optional<Adam<float>> adam;
};

}  // namespace

TEST_CASE("checkpoint: a run with moments in bf16, interrupted and resumed, gives the bits of one that went through") {
  const TemporaryDirectory folder;
  const CheckpointFolder checkpoints(folder.path());
  Run straight(StateType::bf16);
  for (int t = 0; t < 3; ++t) straight.step();
  checkpoints.save(straight.model, straight.adam->state(), run, {{"step", 3}});
  const PackedFile file = read_packed(file_of(folder, 3));
  CHECK(file.find("moment.0")->dtype == DType::bf16);
  CHECK(file.find("moment.1")->dtype == DType::f32);
  CHECK(file.find("weight")->dtype == DType::f32);
  Run resumed(StateType::bf16);
  OptimizerState<float> state = resumed.adam->state();
  REQUIRE(checkpoints.load(resumed.model, state, run).has_value());
  resumed.adam->restore(state);
  CHECK(state.moments == straight.adam->state().moments);
  for (int t = 0; t < 4; ++t) {
    straight.step();
    resumed.step();
  }
  CHECK(resumed.model.weight.value == straight.model.weight.value);
  CHECK(resumed.model.gain.value == straight.model.gain.value);
  CHECK(resumed.adam->state().moments == straight.adam->state().moments);
}

TEST_CASE("checkpoint: moments held otherwise are refused by the tensor's name, and nothing is changed") {
  const TemporaryDirectory folder, other;
  const CheckpointFolder narrow(folder.path()), full(other.path());
  Run in_bf16(StateType::bf16), in_full(StateType::full);
  in_bf16.step();
  in_full.step();
  narrow.save(in_bf16.model, in_bf16.adam->state(), run, {{"step", 1}});
  full.save(in_full.model, in_full.adam->state(), run, {{"step", 1}});
  Model model(40, 99);
  OptimizerState<float> state = in_full.adam->state();
  CHECK_THROWS_WITH_AS(narrow.load(model, state, run),
                       ("checkpoint '" + file_of(folder, 1).string() +
                        "': tensor 'moment.0': expected a moment in full, got BF16")
                           .c_str(),
                       FormatError);
  state = in_bf16.adam->state();
  CHECK_THROWS_WITH_AS(full.load(model, state, run),
                       ("checkpoint '" + file_of(other, 1).string() +
                        "': tensor 'moment.0': expected a moment in bf16, got F32")
                           .c_str(),
                       FormatError);
  CHECK(model.at(99));
  CHECK(state.moments == in_bf16.adam->state().moments);
}

TEST_CASE("checkpoint: a run killed at any moment goes on from a whole one") {
  const TemporaryDirectory folder;
  const CheckpointFolder checkpoints(folder.path());
  constexpr Index rows = 20000;  // a file of some milliseconds
  Index reached = 0;
  save(checkpoints, reached, rows);
  for (int round = 0; round < 12; ++round) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      for (Index step = reached + 1;; ++step) save(checkpoints, step, rows);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(3 + 7 * round));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status));
    const Index step = loaded_step(checkpoints, rows);
    CHECK(step >= reached);
    reached = step;
  }
  CHECK(reached > 0);
}
