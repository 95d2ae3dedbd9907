#include "tern/experiment/run/tasks.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <set>

using namespace tern;

namespace {

TaskContext context() {
  return {.fingerprint = "f",
          .split_hash = {{"a", "1"}, {"b", "2"}},
          .steps = {{"norm", 10}, {"lora", 20}},
          .options = "o"};
}

const Setting own = {.contender = "norm", .user = "a"};

/// A run of two users a and b who write English, and c who writes German; b has a long text.
Registration registered(std::vector<std::string> experiments) {
  Registration r;
  r.options.contenders = {"norm", "lora", "extra"};
  r.options.roles = {"norm", {"lora"}, "lora"};
  r.options.experiments = std::move(experiments);
  for (const char* name : {"a", "b", "c"}) {
    UserRecord u;
    u.name = name;
    u.kind = "prose";
    u.language = u.name == "c" ? "de" : "en";
    u.split_hash = "hash of " + u.name;
    u.train_tokens = u.name == "b" ? 20'000 : 5'000;
    r.users.push_back(u);
  }
  r.protocol.generic = {{"a", "en-prose"}, {"b", "en-prose"}};
  return r;
}

std::set<std::string> names(const Registration& r) {
  std::set<std::string> all;
  for (const Task& t : plan_tasks(r.design({}))) all.insert(describe(t.setting) + (t.everybody ? " on all" : ""));
  return all;
}

std::size_t count(const std::set<std::string>& names, const std::string& part) {
  return static_cast<std::size_t>(std::count_if(
      names.begin(), names.end(), [&](const std::string& n) { return n.find(part) != std::string::npos; }));
}

}  // namespace

TEST_CASE("tasks: an id depends on all that determines the outcome") {
  const std::string id = task_id(context(), "task", own, false, 1e-3);
  CHECK(id.size() == 16);
  CHECK(id == task_id(context(), "task", own, false, 1e-3));
  std::set<std::string> others;
  const auto differs = [&](const char* what, const std::string& other) {
    CAPTURE(what);
    CHECK(other != id);
    CHECK(others.insert(other).second);
  };
  const auto in = [&](const std::function<void(TaskContext&)>& change) {
    TaskContext c = context();
    change(c);
    return task_id(c, "task", own, false, 1e-3);
  };
  differs("base", in([](TaskContext& c) { c.fingerprint = "g"; }));
  differs("options", in([](TaskContext& c) { c.options = "p"; }));
  differs("own text", in([](TaskContext& c) { c.split_hash["a"] = "3"; }));
  differs("own steps", in([](TaskContext& c) { c.steps["norm"] = 11; }));
  differs("kind", task_id(context(), "pilot", own, false, 1e-3));
  differs("rate", task_id(context(), "task", own, false, 3e-3));
  differs("everybody's text", task_id(context(), "task", own, true, 1e-3));
  const auto of = [&](const std::function<void(Setting&)>& change) {
    Setting s = own;
    change(s);
    return task_id(context(), "task", s, false, 1e-3);
  };
  differs("contender", of([](Setting& s) { s.contender = "lora"; }));
  differs("user", of([](Setting& s) { s.user = "b"; }));
  differs("seed", of([](Setting& s) { s.seed = 1; }));
  differs("data", of([](Setting& s) { s.data = {Data::Kind::generic, "en"}; }));
  differs("weights", of([](Setting& s) { s.weights = "ternary"; }));
  differs("budget", of([](Setting& s) { s.budget = 0.2; }));
  differs("tokens", of([](Setting& s) { s.tokens = 4096; }));
}

TEST_CASE("tasks: an id depends on others' text only where that is trained on or scored, and never on others' steps") {
  TaskContext grown = context();
  grown.split_hash["b"] = "longer";
  grown.split_hash["new"] = "4";
  grown.steps["lora"] = 21;
  const auto both = [&](const Setting& s, bool everybody) {
    return std::pair(task_id(context(), "task", s, everybody), task_id(grown, "task", s, everybody));
  };
  const auto same = [&](const Setting& s, bool everybody) {
    const auto [a, b] = both(s, everybody);
    return a == b;
  };
  CHECK(same(own, false));
  CHECK(same({.contender = "norm", .user = "a", .data = {Data::Kind::shuffled}}, false));
  CHECK(!same(own, true));
  CHECK(!same({.contender = "norm", .user = "a", .data = {Data::Kind::others}}, false));
  CHECK(!same({.contender = "norm", .data = {Data::Kind::generic, "en"}}, false));
  CHECK(!same(base_setting(), false));
}

TEST_CASE("tasks: ids stay as they are, so that a run under way is found again") {
  CHECK(task_id(context(), "task", own, false, 1e-3) == "668a8a4e2990b99c");
  CHECK(task_id(context(), "pilot", base_setting("ternary"), true) == "5f2a5256be4c92e3");
}

TEST_CASE("tasks: each experiment asks for its own runs") {
  using Names = std::set<std::string>;
  const std::string base = "base, stored weights on all";
  CHECK(names(registered({})) == Names{base});
  CHECK(names(registered({"E1"})).size() == 1 + 3 * 3);
  CHECK(count(names(registered({"E1"})), "extra for c") == 1);
  CHECK(names(registered({"E2"})) == Names{base});  // with one seed there is nothing to repeat

  Registration seeds = registered({"E1", "E2"});
  seeds.options.seeds = 3;
  CHECK(count(names(seeds), ", seed 1") == 2 * 3);  // champion and rival
  CHECK(count(names(seeds), ", seed 2") == 2 * 3);
  CHECK(count(names(seeds), ", seed 3") == 0);

  const Names e3 = names(registered({"E3"}));
  CHECK(count(e3, "generic:en-prose") == 3 * 2);  // nobody has German
  CHECK(count(e3, "for c, generic") == 0);
  CHECK(count(e3, "uniform") == 3);
  CHECK(count(e3, "shuffled") == 3);
  CHECK(count(e3, "others") == 2);  // c has no peer

  Registration alone = registered({"E3"});
  alone.options.controls = {"generic"};
  CHECK(count(names(alone), "generic:en-prose") == 3 * 2);
  CHECK(count(names(alone), "uniform") + count(names(alone), "shuffled") + count(names(alone), "others") == 0);

  const Names e4 = names(registered({"E1", "E4"}));
  CHECK(e4.size() == 1 + 3 * 3);
  CHECK(count(e4, " on all") == 1 + 3 * 3);

  CHECK(names(registered({"E6"})) == Names{base});  // without a twin
  Registration twin = registered({"E6"});
  twin.ternary_twin = true;
  CHECK(names(twin) == Names{base, "base, ternary weights on all", "norm for a, ternary weights",
                             "norm for b, ternary weights", "norm for c, ternary weights",
                             "norm for everybody, generic:en-prose, ternary weights on all"});

  CHECK(names(registered({"E9"})) == Names{base, "norm for a", "lora for a", "extra for a"});
  CHECK(names(registered({"E11"})) == Names{base});
  CHECK(count(names(registered({"E12"})), " budgets") == 2 * 3 * 3);
  CHECK(count(names(registered({"E13"})), "4096 tokens") == 2 * 3);
  CHECK(count(names(registered({"E13"})), "16384 tokens") == 2);  // only b has more
  Registration few = registered({"E12", "E13"});
  few.options.sweep_users = 1;
  CHECK(count(names(few), " budgets") == 2 * 3);
}

TEST_CASE("tasks: no run twice; bases first, then the ordinary runs, and all named") {
  Registration r = registered({"E1", "E2", "E3", "E4", "E6", "E9", "E11", "E12", "E13"});
  r.ternary_twin = true;
  r.options.seeds = 2;
  r.protocol.calibration = {{"norm", {1, 10, ""}}, {"lora", {1, 20, ""}}, {"extra", {1, 30, ""}}};
  PilotRecord pilot;
  pilot.users = {"a", "b"};
  pilot.for_pilot = {1e-3, 2e-3};
  pilot.chosen = 3e-3;
  r.protocol.pilots = {{"norm", pilot}};
  const auto tasks = named_tasks(r, r.protocol, "f");
  std::set<Setting> settings;
  std::set<std::string> ids;
  for (const Task& t : tasks) {
    CAPTURE(describe(t.setting));
    CHECK(settings.insert(t.setting).second);
    CHECK(ids.insert(t.id).second);
  }
  REQUIRE(tasks.size() > 11);
  CHECK(tasks[0].setting == base_setting());
  CHECK(tasks[1].setting == base_setting("ternary"));
  for (std::size_t i = 2; i < 11; ++i)
    CHECK(tasks[i].setting == Setting{.contender = tasks[i].setting.contender, .user = tasks[i].setting.user});

  // The rate is part of the name: for pilots what the others chose.
  ProtocolRecord other = r.protocol;
  other.pilots["norm"].for_pilot[0] = 9e-3;
  const auto renamed = named_tasks(r, other, "f");
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    CAPTURE(describe(tasks[i].setting));
    CHECK((tasks[i].id != renamed[i].id) == (tasks[i].setting.contender == "norm" && tasks[i].setting.user == "a"));
  }
  other = r.protocol;
  other.pilots["norm"].candidate = "another";
  CHECK(named_tasks(r, other, "f")[2].id != tasks[2].id);
}
