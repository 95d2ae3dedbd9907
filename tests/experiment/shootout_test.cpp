#include "tern/experiment/shootout.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/temporary_directory.hpp"
#include "support/tiny_base.hpp"

using namespace tern;
using namespace tern::test;
namespace fs = std::filesystem;

namespace {

struct Stage {
  explicit Stage(const fs::path& folder, Index people = 3) {
    for (Index i = 0; i < people; ++i)
      write_user(folder / "users", "user" + std::to_string(i), 14000, static_cast<std::uint64_t>(i) + 1);
    base = load_base("tiny", write_tiny_base(folder));
    users = load_users(folder / "users", base, 3);
    REQUIRE(static_cast<Index>(users.users.size()) == people);
    options.budget = Budget::of_steps(4);
    options.context = 32;
    options.eval_tokens = 96;
    options.validation_tokens = 64;
    options.experiments = {"E1", "E2", "E3", "E4", "E9", "E12"};
    options.seeds = 2;
  }
  Base base;
  Users users;
  ShootoutOptions options;

  std::optional<nlohmann::json> run(const fs::path& out, Index threads = 1, const ShootoutHooks& hooks = {}) {
    ThreadPool pool(threads);
    Pass pass;
    pass.parallel = pool.parallel();
    return Shootout(base, users, options, pass).run(out, hooks);
  }
};

/// Results without what may differ between equal runs: seconds and the machine.
nlohmann::json timeless(nlohmann::json r) {
  r.erase("tern");
  r.erase("verdicts");
  for (auto& a : r["adapters"]) {
    a.erase("seconds");
    for (auto& point : a["curve"]) point.erase("seconds");
  }
  return r;
}

}  // namespace

TEST_CASE("shootout: every format, user, seed and kind of noise leaves its cells; a second run does nothing") {
  const TemporaryDirectory folder;
  Stage stage(folder.path());
  const auto results = stage.run(folder.path() / "out").value();
  // 3 users x 4 formats, x 2 seeds, and norm's two kinds of noise.
  CHECK(results["adapters"].size() == 3 * 4 * 2 + 3 * 2);
  // base 9; seed 0: on all 9 texts each; the others on their own 3.
  CHECK(results["cells"].size() == 9 + 12 * 9 + 12 * 3 + 6 * 3);
  for (const auto& a : results["adapters"]) {
    CHECK(a["status"] == "ok");
    CHECK((a["steps"] == 4 || a["stopped_early"] == true));
    CHECK(a["trials"].size() == (a["data"] == "real" ? 4 : 0));
  }
  for (const char* file : {"results.json", "report.md", "report.html"}) CHECK(fs::exists(folder.path() / "out" / file));

  std::size_t next = 0;
  ShootoutHooks hooks;
  hooks.progress = [&](std::size_t done, std::size_t of, double, const std::string&) { next += done < of; };
  const auto again = stage.run(folder.path() / "out", 1, hooks).value();
  CHECK(next == 0);
  CHECK(again == results);
}

TEST_CASE("shootout: the same bits at any thread count") {
  const TemporaryDirectory folder;
  Stage stage(folder.path(), 2);
  stage.options.experiments = {"E1", "E4"};
  const auto one = timeless(stage.run(folder.path() / "one", 1).value());
  const auto three = timeless(stage.run(folder.path() / "three", 3).value());
  CHECK(one["adapters"] == three["adapters"]);
  CHECK(one["cells"] == three["cells"]);
}

TEST_CASE("shootout: rounded weights serve adapters as dense ones do, the same bits at any thread count") {
  const TemporaryDirectory folder;
  Stage stage(folder.path(), 2);
  stage.options.experiments = {"E1"};
  stage.options.formats = {"norm", "lora-r4"};
  const auto dense = stage.run(folder.path() / "dense").value();
  const Base stored = load_base("tiny", folder.path() / "tiny.gguf");
  for (const std::string weights : {"q8", "q4", "q4_0"}) {
    CAPTURE(weights);
    stage.options.weights = parse_weight_format(weights);
    stage.base.model = converted(stored.model, *stage.options.weights, *stage.options.weights);
    const auto one = timeless(stage.run(folder.path() / (weights + "1"), 1).value());
    CHECK(one == timeless(stage.run(folder.path() / (weights + "3"), 3).value()));
    CHECK(one["adapters"].size() == dense["adapters"].size());
    CHECK(one["adapters"][0]["weights"] == weights);
    const double rounded = one["cells"][0]["ppl"], whole = dense["cells"][0]["ppl"];
    CHECK(rounded != whole);
    CHECK(rounded == doctest::Approx(whole).epsilon(0.1));
  }
}

TEST_CASE("shootout: an interruption loses only the task under way") {
  const TemporaryDirectory folder;
  Stage stage(folder.path(), 2);
  stage.options.experiments = {"E1"};
  std::atomic<bool> stop{false};
  std::size_t begun = 0;
  ShootoutHooks hooks;
  hooks.interrupted = &stop;
  hooks.progress = [&](std::size_t, std::size_t, double, const std::string&) {
    if (++begun == 4) stop = true;
  };
  CHECK(!stage.run(folder.path() / "out", 1, hooks));
  CHECK(begun == 4);
  std::size_t left = 0;
  hooks.interrupted = nullptr;
  hooks.progress = [&](std::size_t done, std::size_t of, double, const std::string&) { left += done < of; };
  const auto resumed = stage.run(folder.path() / "out", 1, hooks).value();
  CHECK(left == 9 - 3);
  CHECK(timeless(resumed) == timeless(stage.run(folder.path() / "whole").value()));
}

TEST_CASE("shootout: survives kill -9 at any moment") {
  const TemporaryDirectory folder;
  Stage stage(folder.path(), 2);
  stage.options.experiments = {"E1", "E4"};
  const auto whole = timeless(stage.run(folder.path() / "whole").value());
  Random random(5);
  for (int kill = 0; kill < 6; ++kill) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      stage.run(folder.path() / "out");
      _exit(0);
    }
    ::usleep(static_cast<useconds_t>(1000 + random.below(120'000)));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
  }
  CHECK(timeless(stage.run(folder.path() / "out").value()) == whole);
  for (const auto& entry : fs::directory_iterator(folder.path() / "out" / "tasks"))
    if (entry.path().extension() == ".json")  // what a kill leaves half-written has another name
      CHECK(Journal(folder.path() / "out").done(entry.path().stem().string()));
}

TEST_CASE("shootout: a full disk is an error that names the file; finished tasks stay and the run goes on later") {
  const TemporaryDirectory folder;
  Stage stage(folder.path(), 2);
  stage.options.experiments = {"E1"};
  const auto out = folder.path() / "out";
  fs::create_directories(out);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{4096, 4096};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    try {
      stage.run(out);
      _exit(1);
    } catch (const IoError& e) {
      _exit(std::string(e.what()).find(out.string()) != std::string::npos ? 0 : 2);
    }
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(stage.run(out)->at("adapters").size() == 8);
}

TEST_CASE("shootout: a diverging format is kept as failed") {
  const TemporaryDirectory folder;
  Stage stage(folder.path(), 1);
  auto table = contenders();
  for (Contender& c : table)
    if (c.name == "lora-r4") c.rates = {1e30};
  stage.options.formats = {"norm", "lora-r4"};
  stage.options.experiments = {"E1", "E4"};
  const auto results =
      Shootout(stage.base, stage.users, stage.options, {}, table).run(folder.path() / "out").value();
  bool seen = false;
  for (const auto& a : results["adapters"])
    if (a["format"] == "lora-r4") {
      seen = true;
      CHECK(a["status"] == "failed");
      CHECK(a["reason"] != "");
    }
  CHECK(seen);
}

TEST_CASE("shootout: a task's id depends on what determines it, and not on threads") {
  const TemporaryDirectory folder;
  Stage stage(folder.path(), 2);
  const auto ids = [&] {
    std::vector<std::string> all;
    for (const Task& t : plan_tasks(stage.base, stage.users, stage.options, contenders())) all.push_back(t.id);
    return all;
  };
  const auto first = ids();
  CHECK(std::set<std::string>(first.begin(), first.end()).size() == first.size());
  stage.options.threads = 7;
  CHECK(ids() == first);
  stage.options.context = 16;
  const auto changed = ids();
  for (std::size_t i = 0; i < first.size(); ++i) CHECK(changed[i] != first[i]);
}

TEST_CASE("shootout: a plan knows the cost of everything that runs, E6's norm-only too where it is not compared") {
  const TemporaryDirectory folder;
  Stage stage(folder.path(), 1);
  stage.base.ternary = stage.base.model;
  stage.options.formats = {"lora-r4"};
  stage.options.experiments = {"E1", "E6"};
  Shootout shootout(stage.base, stage.users, stage.options, Pass{});
  const auto plan = shootout.plan(folder.path() / "out");
  CHECK(plan["tasks"] == shootout.tasks().size());
  CHECK(plan["formats"].contains("norm"));
  CHECK(plan["formats"].contains("lora-r4"));
}

TEST_CASE("shootout: options that cannot be are refused by name") {
  ShootoutOptions o;
  o.formats = {"lora-r9"};
  CHECK_THROWS_WITH_AS(validate(o, contenders()), "format 'lora-r9': expected one of norm, lora-r4, lora-matched, full",
                       ValueError);
  o = {};
  o.budget = Budget::of_seconds(0);
  CHECK_THROWS_AS(validate(o, contenders()), ValueError);
  o = {};
  o.weights = WeightFormat::q4;
  CHECK_THROWS_WITH_AS(validate(o, contenders()),
                       "--formats full: expected --weights stored, f32 or bf16, for its own weights train, got q4", ValueError);
  o = {};
  o.experiments = {"E7"};
  CHECK_THROWS_WITH_AS(validate(o, contenders()), "--experiments: expected some of E1,E2,E3,E4,E6,E9,E12, got 'E7'",
                       ValueError);
}
