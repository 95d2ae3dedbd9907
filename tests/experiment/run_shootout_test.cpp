#include "tern/experiment/run/shootout.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <set>
#include <thread>

#include "support/tiny_stage.hpp"

using namespace tern;
using namespace tern::test;
namespace fs = std::filesystem;

namespace {

std::unique_ptr<Shootout> shootout(TinyStage& stage, const std::vector<Contender>& table = contenders(),
                                   const Pass& pass = {}) {
  return std::make_unique<Shootout>(stage.base, stage.users, stage.generic, stage.options, pass, table);
}

/// results.json without what a clock measured.
std::string timeless(Results r) {
  r.tern.threads = 0;
  for (auto& [name, c] : r.protocol.calibration) c.seconds_a_step = 0;
  for (AdapterRecord& a : r.adapters) {
    a.seconds = 0;
    for (CurvePoint& p : a.curve) p.seconds = 0;
  }
  return to_json(r, {});
}

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::map<std::string, fs::file_time_type> files_in(const fs::path& folder) {
  std::map<std::string, fs::file_time_type> files;
  if (fs::exists(folder))
    for (const auto& entry : fs::directory_iterator(folder))
      files[entry.path().filename().string()] = entry.last_write_time();
  return files;
}

Registration registered(TinyStage& stage, const ShootoutOptions& options,
                        const std::vector<Contender>& table = contenders()) {
  Workshop workshop(stage.base, stage.users, stage.generic, options, Pass{});
  return fix(options, table, stage.generic, workshop);
}

/// Gains of every norm that train at these rates.
Contender gains_at(std::string name, std::vector<double> rates) {
  return {.name = name,
          .title = "title of " + name,
          .rates = std::move(rates),
          .attach = [](const ModelView& model, AdapterSet<float>& set, Random&) { attach_user_gains(model, set); }};
}

bool mentions(const std::vector<std::string>& notes, const std::string& what) {
  return std::any_of(notes.begin(), notes.end(),
                     [&](const std::string& n) { return n.find(what) != std::string::npos; });
}

}  // namespace

TEST_CASE("shootout: same seed, same bits on one thread and on two; everything asked for is there") {
  TinyStage stage;
  stage.options.experiments = {"E1", "E2", "E3", "E4", "E6", "E9", "E11", "E12", "E13"};
  stage.options.seeds = 2;
  stage.options.sweep_users = 1;
  const auto one = shootout(stage)->run(stage.folder / "one");
  REQUIRE(one.has_value());
  ThreadPool pool(2);
  stage.options.threads = 2;
  const auto two = shootout(stage, contenders(), {.parallel = pool.parallel()})->run(stage.folder / "two");
  REQUIRE(two.has_value());
  CHECK(timeless(one->first) == timeless(two->first));

  const Results& r = one->first;
  CHECK(r.users.size() == 3);
  CHECK(r.left_out.size() == 1);
  std::set<std::string> ids;
  for (const AdapterRecord& a : r.adapters) {
    CAPTURE(describe(a.setting));
    CHECK(a.ok);
    CHECK(a.parameters > 0);
    CHECK(a.steps == std::max(1L, std::lround(4 * a.setting.budget)));
    CHECK(a.learning_rate > 0);
    CHECK(ids.insert(a.id).second);
  }
  // 2 contenders: own, seed 1, generic, 4 further budgets ... and of the champion noise, others, the ternary base.
  std::map<std::string, int> kinds;
  for (const AdapterRecord& a : r.adapters)
    ++kinds[std::string(name(a.setting.data.kind)) + (a.setting.seed > 0 ? " again" : "") +
            (a.setting.weights != "stored" ? " ternary" : "")];
  CHECK(kinds["real again"] == 6);
  CHECK(kinds["real ternary"] == 3);
  CHECK(kinds["generic"] == 6);
  CHECK(kinds["generic ternary"] == 1);
  CHECK(kinds["uniform"] == 3);
  CHECK(kinds["shuffled"] == 3);
  CHECK(kinds["others"] == 3);
  CHECK(std::count_if(r.cells.begin(), r.cells.end(), [](const CellRecord& c) { return c.adapter.empty(); }) == 6);
  CHECK(one->second.experiments.size() >= 8);
  CHECK(timeless(from_json(text_of(stage.folder / "one/results.json"), "r")) == timeless(r));
  CHECK(fs::exists(stage.folder / "one/report.html"));
  CHECK(fs::exists(stage.folder / "one/report.md"));
  CHECK(files_in(stage.folder / "one/adapters").size() == 6);  // the ordinary runs
}

TEST_CASE("shootout: interrupted anywhere and run again, it comes to the same results and does nothing twice") {
  TinyStage stage(2);
  stage.options.experiments = {"E1", "E3"};
  const auto whole = shootout(stage)->run(stage.folder / "whole");
  REQUIRE(whole.has_value());

  std::atomic<bool> stop{false};
  int runs = 0;
  std::map<std::string, fs::file_time_type> written;
  std::optional<std::pair<Results, Findings>> done;
  while (!done) {
    REQUIRE(++runs < 40);
    int pieces = 0;
    ShootoutHooks hooks;
    hooks.interrupted = &stop;
    hooks.progress = [&](std::size_t finished, std::size_t of, double left, const std::string&) {
      CHECK(finished <= of);
      CHECK(left >= 0);
      if (++pieces > 3) stop = true;  // in the middle of the fourth piece
    };
    stop = false;
    done = shootout(stage)->run(stage.out(), hooks);
    for (const auto& [name, time] : written) CHECK(files_in(stage.out() / "tasks").at(name) == time);
    written = files_in(stage.out() / "tasks");
    if (!done) CHECK(from_json(text_of(stage.out() / "results.json"), "r").adapters.empty());
  }
  CHECK(runs > 5);
  CHECK(timeless(done->first) == timeless(whole->first));
  std::set<std::string> names, expected;
  for (const auto& [name, time] : written) names.insert(name);
  for (const auto& [name, time] : files_in(stage.folder / "whole/tasks")) expected.insert(name);
  CHECK(names == expected);

  SUBCASE("a damaged piece is done anew, and it alone") {
    const std::string id = done->first.adapters[0].id;
    std::ofstream(stage.out() / "tasks" / (id + ".json")) << "{";
    const auto again = shootout(stage)->run(stage.out());
    REQUIRE(again.has_value());
    CHECK(timeless(again->first) == timeless(whole->first));
    for (const auto& [name, time] : files_in(stage.out() / "tasks"))
      CHECK((time == written[name]) == (name != id + ".json"));
  }
}

TEST_CASE(
    "shootout: what is fixed is on disk before the first task; other options keep the earlier results under their "
    "hash") {
  TinyStage stage(2);
  std::atomic<bool> stop{true};
  std::vector<std::string> notes;
  ShootoutHooks hooks;
  hooks.note = [&](const std::string& note) { notes.push_back(note); };
  hooks.interrupted = &stop;
  auto first = shootout(stage);
  CHECK(!first->run(stage.out(), hooks).has_value());
  const Results registered = from_json(text_of(stage.out() / "results.json"), "r");
  CHECK(registered.protocol.hash == first->protocol().hash);
  CHECK(registered.users.size() == 2);
  CHECK(registered.adapters.empty());
  CHECK(registered.protocol.pilots.empty());
  CHECK(files_in(stage.out() / "tasks").empty());  // nor a calibration whose steps did not run

  stop = false;
  const auto done = first->run(stage.out(), hooks);
  REQUIRE(done.has_value());
  CHECK(notes.empty());
  const std::string results = text_of(stage.out() / "results.json");
  CHECK(shootout(stage)->run(stage.out(), hooks).has_value());
  CHECK(notes.empty());

  stage.options.margin = 0.1;
  stop = true;
  CHECK(!shootout(stage)->run(stage.out(), hooks).has_value());
  REQUIRE(notes.size() == 1);
  CHECK(notes[0].find("results-" + first->protocol().hash + ".json") != std::string::npos);
  CHECK(timeless(from_json(text_of(stage.out() / ("results-" + first->protocol().hash + ".json")), "r")) ==
        timeless(from_json(results, "r")));
  CHECK(from_json(text_of(stage.out() / "results.json"), "r").adapters.empty());

  for (const std::string& damaged : {std::string("not JSON"), [&] {
                                       std::string text = results;
                                       return text.replace(text.find(first->protocol().hash), 16, "../../somewhere/");
                                     }()}) {
    std::ofstream(stage.out() / "results.json") << damaged;
    notes.clear();
    CHECK(!shootout(stage)->run(stage.out(), hooks).has_value());
    REQUIRE(notes.size() == 1);
    CHECK(notes[0].starts_with("an earlier results.json cannot be read and is kept in results-unreadable.json: "));
    CHECK(text_of(stage.out() / "results-unreadable.json") == damaged);
  }
}

TEST_CASE("shootout: a run that diverges is in the results as failed, its user left out and named") {
  TinyStage stage(4);
  const Registration plain = registered(stage, stage.options);
  const auto pilots = plain.pilots();
  std::string victim;
  for (const UserRecord& u : plain.users)
    if (std::find(pilots.begin(), pilots.end(), u.name) == pilots.end()) victim = u.name;
  // Breaks for the victim alone: initial values are drawn from a hash of contender, user and seed.
  const auto first_draw = [](const std::string& user) {
    return Random(content_hash("values/brittle/" + user, 0)).next();
  };
  const Contender brittle{.name = "brittle",
                          .title = "the brittle one",
                          .rates = {1e-3, 3e-3, 9e-3},
                          .attach = [=](const ModelView& model, AdapterSet<float>& set, Random& random) {
                            attach_user_gains(model, set);
                            if (random.next() != first_draw(victim)) return;
                            for_each_parameter(set, [](std::string_view, auto& p) {
                              p.value.setConstant(std::numeric_limits<float>::infinity());
                            });
                          }};
  stage.options.contenders = {"brittle", "norm"};
  stage.options.roles = {"brittle", {"norm"}, ""};
  const auto done = shootout(stage, {brittle, contenders()[0]})->run(stage.out());
  REQUIRE(done.has_value());
  int failed = 0;
  for (const AdapterRecord& a : done->first.adapters) {
    CHECK(a.ok == !(a.setting.contender == "brittle" && a.setting.user == victim));
    if (a.ok) continue;
    ++failed;
    CHECK(a.reason.find("validation") != std::string::npos);
    for (const CellRecord& c : done->first.cells) CHECK(c.adapter != a.id);
  }
  CHECK(failed == 1);
  const Finding* e1 = done->second.find("E1");
  REQUIRE(e1 != nullptr);
  CHECK(e1->claims.at(0).failed == std::vector{victim});
  CHECK(e1->claims.at(0).names.size() == 3);
  CHECK(mentions(e1->notes, victim));
  CHECK(text_of(stage.out() / "report.md").find(victim + "), of whom a run failed") != std::string::npos);
}

TEST_CASE("shootout: a user without generic text voids that control, and nobody else's") {
  TinyStage stage(3);
  stage.options.experiments = {"E1", "E3"};
  stage.generic.of_user.erase("u1");
  const auto some = shootout(stage)->run(stage.folder / "some");
  REQUIRE(some.has_value());
  for (const AdapterRecord& a : some->first.adapters)
    if (a.setting.data.kind == Data::Kind::generic) CHECK(a.setting.user != "u1");
  const Finding* e3 = some->second.find("E3");
  REQUIRE(e3 != nullptr);
  CHECK(mentions(e3->notes, "u1"));
  CHECK(!mentions(e3->notes, "u0"));

  stage.generic.of_user.clear();
  const auto none = shootout(stage)->run(stage.folder / "none");
  REQUIRE(none.has_value());
  CHECK(none->second.find("E3")->answer == Answer::voided);
}

TEST_CASE("shootout: the pilots choose among candidates, and the results say how the others did") {
  TinyStage stage(2);
  const Contender several{
      .name = "several", .title = "the several", .rates = {1e-3}, .candidates = [](const ModelView&) {
        return std::vector{gains_at("weak", {1e-12, 3e-12, 9e-12}), gains_at("strong", {1e-3, 1e-2, 3e-2}),
                           gains_at("hot", {1e20, 3e20, 9e20})};
      }};
  stage.options.contenders = {"norm", "several"};
  stage.options.roles = {"norm", {"several"}, ""};
  const std::vector<Contender> table = {contenders()[0], several};
  const auto done = shootout(stage, table)->run(stage.out());
  REQUIRE(done.has_value());
  const ProtocolRecord& p = done->first.protocol;
  const PilotRecord& pilot = p.pilots.at("several");
  CHECK(pilot.candidate == "strong");
  REQUIRE(pilot.candidates.size() == 3);
  CHECK(pilot.candidates.at("strong").value() < pilot.candidates.at("weak").value());
  CHECK((!pilot.candidates.at("hot") || *pilot.candidates.at("hot") > pilot.candidates.at("strong").value()));
  CHECK(p.contender("several")->title == "the several (title of strong)");
  CHECK(p.contender("several")->parameters > 0);
  CHECK(!p.contender("several")->sites.empty());
  CHECK(p.calibration.contains("several"));
  CHECK(std::count_if(done->first.adapters.begin(), done->first.adapters.end(), [](const AdapterRecord& a) {
          return a.setting.contender == "several" && a.parameters > 0;
        }) == 2);

  stage.options.protocol = Protocol::catalogue;
  const auto catalogue = shootout(stage, table)->run(stage.folder / "catalogue");
  REQUIRE(catalogue.has_value());
  CHECK(catalogue->first.protocol.pilots.at("several").candidate == "weak");  // nothing is chosen: the first
  CHECK(catalogue->first.protocol.contender("several")->title == "the several (title of weak)");
  for (const AdapterRecord& a : catalogue->first.adapters) {
    CHECK(a.learning_rate == 5e-5);
    CHECK(a.steps == 100);
  }
}

TEST_CASE("shootout: whoever was piloted trains at what the other pilots chose") {
  TinyStage stage(3);
  const auto done = shootout(stage)->run(stage.out());
  REQUIRE(done.has_value());
  for (const AdapterRecord& a : done->first.adapters) {
    const PilotRecord& p = done->first.protocol.pilots.at(a.setting.contender);
    CHECK(p.users.size() == 2);
    CHECK(a.learning_rate == rate_for(p, a.setting.user));
  }
}

TEST_CASE("fix: state in bf16 is recorded and hashed, in full it is not mentioned") {
  TinyStage stage(2);
  ShootoutOptions o = stage.options;
  o.contenders = {"norm", "full"};
  o.roles.rivals = {"full"};
  const Registration full = registered(stage, o);
  o.state = StateType::bf16;
  const Registration narrow = registered(stage, o);
  CHECK(full.protocol.state.empty());
  CHECK(narrow.protocol.state == "bf16");
  CHECK(full.protocol.hash != narrow.protocol.hash);
  CHECK(full.calibration != narrow.calibration);
  const auto text = [](const Registration& r) { return detail::results_json::encode(r.protocol).dump(); };
  CHECK(text(full).find("\"state\"") == std::string::npos);
  CHECK(text(narrow).find("\"state\":\"bf16\"") != std::string::npos);
}

TEST_CASE(
    "fix: full fine-tuning that does not fit is refused with the figure; a champion that is refused is an error") {
  TinyStage stage(2);
  ShootoutOptions o = stage.options;
  o.contenders = {"norm", "full"};
  o.roles.rivals = {"full"};
  const std::uint64_t needed = full_bytes(parameters(stage.base.model.config));
  o.memory = needed;
  CHECK(registered(stage, o).protocol.refused.empty());
  o.memory = needed - 1;
  const Registration r = registered(stage, o);
  CHECK(r.protocol.refused.at("full") == "weights, gradients and two moments take " +
                                             words::bytes(static_cast<double>(needed)) + ", of which there are " +
                                             words::bytes(static_cast<double>(needed - 1)) +
                                             "; with state bf16 they take " +
                                             words::bytes(static_cast<double>(full_bytes(parameters(stage.base.model.config), StateType::bf16))));
  CHECK(r.options.contenders == std::vector<std::string>{"norm"});
  CHECK(r.protocol.roles.rivals.empty());
  CHECK(r.protocol.contenders.size() == 1);
  o.roles = {"full", {"norm"}, ""};
  CHECK_THROWS_WITH_AS(registered(stage, o),
                       ("roles.champion: expected a contender that can run, got 'full', which is refused: " +
                        r.protocol.refused.at("full"))
                           .c_str(),
                       ValueError);
  o = stage.options;
  o.contenders = {"norm", "full"};
  o.roles.rivals = {"full"};
  const std::uint64_t narrow = full_bytes(parameters(stage.base.model.config), StateType::bf16);
  CHECK(narrow * 16 == needed * 10);
  o.memory = narrow;
  CHECK(registered(stage, o).protocol.refused.at("full") ==
        "weights, gradients and two moments take " + words::bytes(static_cast<double>(needed)) + ", of which there are " +
            words::bytes(static_cast<double>(narrow)) + "; with state bf16 they take " +
            words::bytes(static_cast<double>(narrow)));
  o.state = StateType::bf16;
  CHECK(registered(stage, o).protocol.refused.empty());
  o.memory = narrow - 1;
  CHECK(registered(stage, o).protocol.refused.at("full") == "weights, gradients and two moments take " +
                                                                words::bytes(static_cast<double>(narrow)) +
                                                                ", of which there are " +
                                                                words::bytes(static_cast<double>(narrow - 1)));
  o = stage.options;
  o.contenders = {"norm", "full"};
  o.weights = WeightFormat::q4;
  CHECK(registered(stage, o).protocol.refused.at("full") == "the base's weights train, and q4 weights cannot");
  o.weights = WeightFormat::bf16;
  CHECK(registered(stage, o).protocol.refused.empty());
}

TEST_CASE("fix: the protocol's hash changes with everything that is fixed, and with nothing else") {
  TinyStage stage(3);
  const Registration before = registered(stage, stage.options);
  CHECK(before.protocol.hash.size() == 16);
  const auto of = [&](const std::function<void(ShootoutOptions&)>& change) {
    ShootoutOptions o = stage.options;
    change(o);
    return registered(stage, o);
  };
  CHECK(of([](auto&) {}).protocol.hash == before.protocol.hash);
  CHECK(of([](auto& o) { o.threads = 7; }).protocol.hash == before.protocol.hash);
  CHECK(of([](auto& o) { o.commit = "another"; }).protocol.hash == before.protocol.hash);
  CHECK(of([](auto& o) { o.memory = 1u << 30; }).protocol.hash == before.protocol.hash);  // nobody is refused
  std::set<std::string> hashes = {before.protocol.hash};
  const auto changes = [&](const char* what, const std::string& hash) {
    CAPTURE(what);
    CHECK(hashes.insert(hash).second);
  };
  changes("contenders", of([](auto& o) { o.contenders.push_back("lora-r64"); }).protocol.hash);
  changes("champion", of([](auto& o) { o.roles = {"lora-r4", {"norm"}, "lora-r4"}; }).protocol.hash);
  changes("rivals", of([](auto& o) { o.roles.rivals = {}; }).protocol.hash);
  changes("fallback", of([](auto& o) { o.roles.fallback = "norm"; }).protocol.hash);
  changes("experiments", of([](auto& o) { o.experiments = {"E1", "E4"}; }).protocol.hash);
  changes("controls", of([](auto& o) { o.controls = {"generic"}; }).protocol.hash);
  changes("protocol", of([](auto& o) { o.protocol = Protocol::catalogue; }).protocol.hash);
  changes("steps", of([](auto& o) { o.budget = Budget::of_steps(5); }).protocol.hash);
  changes("seconds", of([](auto& o) { o.budget = Budget::of_seconds(5); }).protocol.hash);
  changes("seeds", of([](auto& o) { o.seeds = 2; }).protocol.hash);
  changes("context", of([](auto& o) { o.context = 17; }).protocol.hash);
  changes("eval_tokens", of([](auto& o) { o.eval_tokens = 97; }).protocol.hash);
  changes("validation_tokens", of([](auto& o) { o.validation_tokens = 33; }).protocol.hash);
  changes("pilots", of([](auto& o) { o.pilots = 3; }).protocol.hash);
  changes("most_rates", of([](auto& o) { o.most_rates = 9; }).protocol.hash);
  changes("sweep_users", of([](auto& o) { o.sweep_users = 1; }).protocol.hash);
  changes("seed_users", of([](auto& o) { o.seed_users = 1; }).protocol.hash);
  changes("margin", of([](auto& o) { o.margin = 0.04; }).protocol.hash);
  changes("precision", of([](auto& o) { o.precision = Precision::full; }).protocol.hash);
  changes("gradients", of([](auto& o) { o.gradients = GradientRounding::none; }).protocol.hash);
  changes("stochastic", of([](auto& o) { o.gradients = GradientRounding::stochastic; }).protocol.hash);
  changes("weights", of([](auto& o) { o.weights = WeightFormat::bf16; }).protocol.hash);
  changes("early_stopping", of([](auto& o) { o.early_stopping = true; }).protocol.hash);
  stage.users.users[0].split_hash = "edited";
  changes("a user's text", of([](auto&) {}).protocol.hash);
  stage.generic.of_user.erase("u2");
  changes("generic text", of([](auto&) {}).protocol.hash);
  stage.users.users.pop_back();
  changes("a user", of([](auto&) {}).protocol.hash);
  stage.base.fingerprint = "another";
  changes("base", of([](auto&) {}).protocol.hash);

  // What changes no step's cost leaves the calibration, and with it every task, as it was.
  stage.base.fingerprint = "";
  const Registration plain = registered(stage, stage.options);
  for (const auto& r : {of([](auto& o) { o.pilots = 3; }), of([](auto& o) { o.most_rates = 9; }),
                        of([](auto& o) { o.validation_tokens = 33; })})
    CHECK(r.calibration == plain.calibration);
  CHECK(of([](auto& o) { o.context = 17; }).calibration != plain.calibration);
}

TEST_CASE("shootout: two at one folder share the work, do no piece twice and come to the results of one") {
  TinyStage stage(3);
  stage.options.experiments = {"E1", "E3", "E4"};
  const auto whole = shootout(stage)->run(stage.folder / "whole");
  REQUIRE(whole.has_value());
  std::atomic<int> performed{0};
  std::optional<std::pair<Results, Findings>> done[2];
  std::vector<std::thread> both;
  for (auto& mine : done)
    both.emplace_back([&] {
      ShootoutHooks hooks;
      hooks.progress = [&](std::size_t, std::size_t, double, const std::string&) { ++performed; };
      mine = shootout(stage)->run(stage.out(), hooks);
    });
  for (auto& t : both) t.join();
  for (const auto& mine : done) {
    REQUIRE(mine.has_value());
    CHECK(timeless(mine->first) == timeless(whole->first));
  }
  std::set<std::string> names, expected;
  for (const auto& [name, time] : files_in(stage.out() / "tasks")) names.insert(name);
  for (const auto& [name, time] : files_in(stage.folder / "whole/tasks")) expected.insert(name);
  CHECK(names == expected);
}

TEST_CASE("shootout: done piece by piece, in any order, it comes to the same; what is not open is refused") {
  TinyStage stage(2);
  stage.options.experiments = {"E1", "E3"};
  const auto whole = shootout(stage)->run(stage.folder / "whole");
  REQUIRE(whole.has_value());
  std::vector<std::string> kinds;
  std::string first_pilot;
  for (int round = 0; round < 20; ++round) {
    WorkLeft left = shootout(stage)->left(stage.out());
    if (left.over()) break;
    CHECK(!shootout(stage)->collect(stage.out()).has_value());
    kinds.push_back(std::holds_alternative<Calibrate>(left.open[0].piece) ? "calibration"
                    : std::holds_alternative<Pilot>(left.open[0].piece)   ? "pilots"
                                                                          : "tests");
    CHECK(left.tests.empty() == (kinds.back() != "tests"));
    std::reverse(left.open.begin(), left.open.end());
    for (const Work& work : left.open) {
      CHECK(!work.what().empty());
      CHECK(shootout(stage)->perform_one(stage.out(), work.id) == WorkStatus::done);
      CHECK(shootout(stage)->perform_one(stage.out(), work.id) == WorkStatus::earlier);
      if (round == 0) continue;
      if (first_pilot.empty()) first_pilot = work.id;
    }
    CHECK_THROWS_AS(shootout(stage)->perform_one(stage.out(), "0123456789abcdef"), ValueError);
  }
  REQUIRE(kinds.size() >= 3);
  CHECK(kinds.front() == "calibration");
  CHECK(kinds.back() == "tests");
  CHECK(std::count(kinds.begin(), kinds.end(), "tests") == 1);
  const auto done = shootout(stage)->collect(stage.out());
  REQUIRE(done.has_value());
  CHECK(timeless(done->first) == timeless(whole->first));
  // A test cannot be done where its pilots are missing.
  fs::remove(stage.out() / "tasks" / (first_pilot + ".json"));
  CHECK_THROWS_WITH_AS(shootout(stage)->perform_one(stage.out(), "0123456789abcdef"),
                       "task: expected the id of work that is left, got '0123456789abcdef'; calibration and pilots come first",
                       ValueError);
}

TEST_CASE("plan: says what is left, keeps nothing, and counts no pilot twice") {
  TinyStage stage(3);
  const ShootoutPlan fresh = shootout(stage)->plan(stage.out());
  CHECK(!fs::exists(stage.out()));
  CHECK(fresh.least_pilots == 2 * 2 * 3);  // contenders, pilots, rates of the grid
  CHECK(fresh.pilots == 2 * 2 * 4);        // most_rates
  CHECK(fresh.tasks == 1 + 2 * 3);
  CHECK(fresh.waiting == fresh.tasks);
  CHECK(fresh.seconds > fresh.least_seconds);
  CHECK(fresh.least_seconds > 0);
  CHECK(fresh.memory > 0);
  CHECK(fresh.disk > 0);
  REQUIRE(fresh.contenders.size() == 2);
  CHECK(fresh.contenders[0].contender == "norm");
  CHECK(fresh.contenders[0].runs == 3);
  CHECK(fresh.contenders[0].steps == 4);
  CHECK(fresh.contenders[0].parameters > 0);
  CHECK(fresh.contenders[0].seconds_a_step > 0);

  std::atomic<bool> stop{false};
  int pieces = 0;
  ShootoutHooks hooks;
  hooks.interrupted = &stop;
  hooks.progress = [&](std::size_t, std::size_t, double, const std::string&) {
    stop = ++pieces > 1 + 5;
  };  // calibration, 5 pilots
  CHECK(!shootout(stage)->run(stage.out(), hooks).has_value());
  const ShootoutPlan begun = shootout(stage)->plan(stage.out());
  CHECK(begun.least_pilots == fresh.least_pilots - 5);
  CHECK(begun.pilots == fresh.pilots - 5);
  CHECK(begun.waiting == begun.tasks);

  stop = false, pieces = -100;
  REQUIRE(shootout(stage)->run(stage.out(), hooks).has_value());
  const auto before = files_in(stage.out() / "tasks");
  const ShootoutPlan over = shootout(stage)->plan(stage.out());
  CHECK(over.pilots == 0);
  CHECK(over.least_pilots == 0);
  CHECK(over.waiting == 0);
  CHECK(over.seconds == 0);
  CHECK(files_in(stage.out() / "tasks") == before);

  stage.options.seeds = 2;  // more to do: what is done stays done
  stage.options.experiments = {"E1", "E2"};
  const ShootoutPlan more = shootout(stage)->plan(stage.out());
  CHECK(more.pilots == 0);
  CHECK(more.tasks == over.tasks + 2 * 3);
  CHECK(more.waiting == 2 * 3);

  stage.options.protocol = Protocol::catalogue;
  CHECK(shootout(stage)->plan(stage.out()).pilots == 0);
}

TEST_CASE("plan: a budget of seconds has the steps of the run's own calibration") {
  TinyStage stage(2);
  stage.options.budget = Budget::of_seconds(0.02);
  REQUIRE(shootout(stage)->run(stage.out()).has_value());
  const ShootoutPlan over = shootout(stage)->plan(stage.out());
  CHECK(over.waiting == 0);
  const Results r = from_json(text_of(stage.out() / "results.json"), "r");
  for (const auto& row : over.contenders) CHECK(row.steps == r.protocol.calibration.at(row.contender).steps);
}
