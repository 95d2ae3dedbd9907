#include "tern/experiment/results_json.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <set>
#include <sstream>

using namespace tern;
using Json = nlohmann::ordered_json;

namespace {

/// Results in which no member has its default.
Results full() {
  Results r;
  r.tern = {"1.2.3", "abc", "GCC 12", "avx2", "a \"cpu\"", 3};
  r.base = {"tiny", "0123", "llama", 1000, 90, 9, {{"q8", 0.75}, {"f32", 0.25}}, 5'000'000'000, true};
  ProtocolRecord& p = r.protocol;
  p.hash = "feed", p.kind = "catalogue";
  p.roles = {"norm", {"lora", "full"}, "lora"};
  p.contenders = {{"norm", "norm-only", false, 90, "attention_norm: 4 layers"},
                  {"full", "full fine-tuning", true, 1000, "every weight"}};
  p.margin = 0.04, p.alpha = 0.01;
  p.context = 64, p.eval_tokens = 512, p.seeds = 2, p.split = "by document";
  p.budget = {17, 60};
  p.experiments = {"E1", "E4"};
  p.weights = "bf16", p.precision = "mixed", p.gradients = "int8";
  p.validation_tokens = 128, p.pilot_users = 2, p.most_rates = 7, p.sweep_users = 6, p.seed_users = 5, p.early_stopping = true;
  p.controls = {"generic"};
  p.refused = {{"full", "too large"}};
  p.calibration = {{"norm", {0.5, 120, "a cpu"}}};
  PilotRecord pilot;
  pilot.users = {"anna", "bo"};
  pilot.rates = {{1e-3, {3.25, std::nullopt}}, {3e-3, {3.0, 3.5}}};
  pilot.chosen = 3e-3, pilot.for_pilot = {3e-3, 1e-3}, pilot.interior = true;
  pilot.candidate = "lora-o", pilot.candidates = {{"lora-o", 3.25}, {"xs", std::nullopt}};
  p.pilots = {{"norm", pilot}};
  p.generic = {{"anna", "en-prose"}};
  UserRecord u;
  u.name = "anna", u.population = "people", u.kind = "mail", u.language = "en";
  u.owners = {"mail: anna"}, u.guessed_owner = true, u.documents = 7, u.bytes = 12345;
  u.train_tokens = 4000, u.validation_tokens = 500, u.held_out_tokens = 600;
  u.split = "by time", u.one_work = true, u.split_hash = "beef", u.duplicates_removed = 3, u.replaced = 2;
  u.scrubbed = {{"email", 4}}, u.skipped = {{"empty", 1}}, u.files = {{"x.bin", "binary"}};
  r.users = {u, u};
  r.users[1].name = "bo";
  r.left_out = {{"cy", "too little text"}};
  AdapterRecord a{.id = "a1",
                  .setting = {.contender = "norm",
                              .user = "anna",
                              .seed = 1,
                              .data = {Data::Kind::generic, "en-prose"},
                              .weights = "ternary",
                              .budget = 0.2,
                              .tokens = 4096}};
  a.bytes = 9216, a.parameters = 2304, a.learning_rate = 3e-3, a.steps = 17, a.seconds = 1.25;
  a.curve = {{0, 0, 20.5}, {17, 1.25, 1.0 / 3}};
  r.adapters = {a, a};
  r.adapters[1].id = "a2", r.adapters[1].setting.user = "", r.adapters[1].ok = false, r.adapters[1].reason = "loss nan";
  r.cells = {
      {.adapter = "a1",
       .weights = "ternary",
       .user = "anna",
       .nll = 0.1 + 0.2,
       .tokens = 7,
       .bytes = 20,
       .chunks = {{0, 0.1, 3}, {1, 0.2, 4}}},
      {.adapter = "", .weights = "stored", .user = "bo", .nll = 4, .tokens = 2, .bytes = 5, .chunks = {{0, 4, 2}}}};
  return r;
}

std::string text() { return to_json(full(), {}); }

/// What reading `json` fails with; nothing where it does not.
std::string complaint(const Json& json) {
  try {
    from_json(json.dump(), "r.json");
    return {};
  } catch (const FormatError& e) {
    return e.what();
  }
}

/// Visits every value that is read, with its place as messages name it.
void walk(Json& value, const std::string& path,
          const std::function<void(Json& value, const std::string& path)>& visit) {
  if (value.is_object()) {
    for (auto& [key, inner] : value.items()) {
      if (path.empty() && (key == "verdicts" || key == "populations")) continue;  // computed anew
      walk(inner, path.empty() ? key : path + "." + key, visit);
    }
  } else if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) walk(value[i], path + "[" + std::to_string(i) + "]", visit);
  }
  if (!path.empty()) visit(value, path);
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("results_json: everything comes back, to the last bit") {
  const Results r = from_json(text(), "r.json");
  CHECK(to_json(r, {}) == text());
  CHECK(r.tern.cpu == "a \"cpu\"");
  CHECK(r.base.bytes == 5'000'000'000);
  CHECK(r.base.types == full().base.types);
  CHECK(r.protocol.roles == full().protocol.roles);
  CHECK(r.protocol.budget.steps == 17);
  CHECK(r.protocol.budget.seconds == 60);
  CHECK(r.protocol.early_stopping);
  CHECK(r.protocol.most_rates == 7);
  CHECK(!r.protocol.pilots.at("norm").rates[0].loss[1].has_value());
  CHECK(r.protocol.pilots.at("norm").candidates == full().protocol.pilots.at("norm").candidates);
  CHECK(r.protocol.generic == full().protocol.generic);
  CHECK(r.protocol.refused == full().protocol.refused);
  CHECK(r.protocol.calibration.at("norm").steps == 120);
  CHECK(r.users[0].files == full().users[0].files);
  CHECK(r.users[0].held_out_tokens == 600);
  CHECK(r.users[0].duplicates_removed == 3);
  CHECK(r.left_out[0].reason == "too little text");
  CHECK(r.users[0].scrubbed == full().users[0].scrubbed);
  CHECK(r.adapters[0].setting == full().adapters[0].setting);
  CHECK(r.adapters[0].bytes == 9216);
  CHECK(r.adapters[0].parameters == 2304);
  CHECK(r.adapters[0].learning_rate == 3e-3);
  CHECK(r.adapters[0].steps == 17);
  CHECK(r.adapters[0].seconds == 1.25);
  CHECK(r.adapters[0].curve[1].seconds == 1.25);
  CHECK(r.adapters[0].curve[1].validation_ppl == 1.0 / 3);
  CHECK(!r.adapters[1].ok);
  CHECK(r.adapters[1].reason == "loss nan");
  CHECK(r.cells[0].nll == 0.1 + 0.2);
  CHECK(r.cells[0].chunks[1].document == 1);
  CHECK(r.cells[0].chunks[1].tokens == 4);
  CHECK(r.cells[1].adapter.empty());
}

TEST_CASE("results_json: budgets of one limit come back so, and what an older program did not record is not recorded") {
  Results r = full();
  r.protocol.budget = Budget::of_steps(5);
  CHECK(from_json(to_json(r, {}), "r").protocol.budget.seconds == Budget::any_seconds);
  r.protocol.budget = Budget::of_seconds(5);
  CHECK(from_json(to_json(r, {}), "r").protocol.budget.steps == Budget::any_steps);
  Json older = Json::parse(text());
  for (const char* key : {"validation_tokens", "pilot_users", "most_rates", "sweep_users", "seed_users", "early_stopping", "controls"})
    older["protocol"].erase(key);
  const ProtocolRecord p = from_json(older.dump(), "r").protocol;
  CHECK(p.validation_tokens == 0);
  CHECK(p.most_rates == 0);
  CHECK(!p.early_stopping);
}

TEST_CASE(
    "results_json: a value of another type is an error that names source, field, what was expected and what is there") {
  Json json = Json::parse(text());
  int visited = 0;
  walk(json, "", [&](Json& value, const std::string& path) {
    const Json right = value;
    if (path == "protocol") return;  // its version is looked at first
    for (const Json& wrong : {Json("\x01"), Json(-1), Json(Json::array({1, 2, 3, 4, 5}))}) {
      if (right.is_null() && !wrong.is_array()) continue;  // no number, or no name: these may be there
      if (right.is_string() && wrong.is_string()) continue;
      if (right.is_number_float() && wrong.is_number()) continue;
      if (right.is_array() && wrong.is_array() && right.size() != 3) continue;  // its elements are then at fault
      value = wrong;
      const std::string said = complaint(json);
      CAPTURE(path);
      CAPTURE(said);
      CHECK(said.starts_with("results 'r.json': " + path + ": expected "));
      CHECK(contains(said, ", got "));
      ++visited;
    }
    value = right;
  });
  CHECK(visited > 200);
}

TEST_CASE("results_json: a missing field is an error that names it") {
  const std::set<std::string> maps = {"types",   "calibration", "pilots",  "generic",
                                      "refused", "scrubbed",    "skipped", "candidates"};
  const std::set<std::string> optional = {
      "protocol.validation_tokens", "protocol.pilot_users",    "protocol.most_rates",  "protocol.sweep_users", "protocol.seed_users",
      "protocol.early_stopping",    "protocol.controls",    "protocol.budget.seconds", "protocol.budget.steps"};
  Json json = Json::parse(text());
  int removed = 0;
  walk(json, "", [&](Json& value, const std::string& path) {
    if (!value.is_object() || maps.contains(path.substr(path.rfind('.') + 1))) return;
    const Json whole = value;
    for (const auto& [key, inner] : whole.items()) {
      const std::string field = path + "." + key;
      value = whole;
      value.erase(key);
      const std::string said = complaint(json);
      CAPTURE(field);
      CAPTURE(said);
      if (optional.contains(field)) {
        CHECK(said.empty());
      } else {
        CHECK(said.starts_with("results 'r.json': " + field));
        CHECK(contains(said, ": expected "));
        CHECK(contains(said, ", got nothing"));
      }
      ++removed;
    }
    value = whole;
  });
  CHECK(removed > 100);
  for (const char* section : {"tern", "base", "protocol", "users", "left_out", "adapters", "cells"}) {
    Json without = Json::parse(text());
    without.erase(section);
    CHECK(complaint(without).starts_with(std::string("results 'r.json': ") + section + ": expected a"));
  }
}

TEST_CASE("results_json: another version, unknown names, words and damaged text are refused") {
  const auto changed = [](const std::string& pointer, const Json& value) {
    Json json = Json::parse(text());
    json[Json::json_pointer(pointer)] = value;
    return complaint(json);
  };
  CHECK(changed("/protocol/version", 1) == "results 'r.json': protocol.version: expected 2, got 1");
  CHECK(changed("/adapters/0/user", "zoe") == "results 'r.json': adapters[0].user: expected one of users, got \"zoe\"");
  CHECK(changed("/cells/1/user", "zoe") == "results 'r.json': cells[1].user: expected one of users, got \"zoe\"");
  CHECK(changed("/cells/0/adapter", "a9") ==
        "results 'r.json': cells[0].adapter: expected the id of one of adapters, got \"a9\"");
  CHECK(changed("/adapters/0/status", "fine") ==
        "results 'r.json': adapters[0].status: expected ok or failed, got \"fine\"");
  CHECK(
      changed("/adapters/0/data", "generic") ==
      "results 'r.json': adapters[0].data: expected real, uniform, shuffled, generic:NAME or others, got \"generic\"");
  CHECK(changed("/cells/0/chunks/0/2", 0) ==
        "results 'r.json': cells[0].chunks[0][2]: expected at least 1 token, got 0");
  CHECK(changed("/cells/0/tokens", 1e30)
            .starts_with(
                "results 'r.json': cells[0].tokens: expected a whole number from 0 to 9223372036854775807, got 1e"));

  const std::string whole = text();
  for (std::size_t n = 0; n + 2 < whole.size(); n += 97)
    CHECK_THROWS_AS(from_json(std::string_view(whole).substr(0, n), "r"), FormatError);
  CHECK_THROWS_WITH_AS(from_json("[]", "r"), "results 'r': document: expected an object, got array", FormatError);
  CHECK_THROWS_WITH_AS(from_json(std::string(1000, '['), "r"), "results 'r': expected at most 16 levels of JSON",
                       FormatError);
}

TEST_CASE("results_json: one record a line, and what is not a finite number is null") {
  Findings findings;
  findings.experiments.push_back({.id = "E1", .title = "Contenders", .question = "?"});
  findings.experiments.back().claims.push_back({.a = "x", .b = "y"});
  findings.experiments.back().claims.push_back({.a = "x", .b = "z"});
  findings.experiments.back().numbers = {{"kept", std::nullopt}, {"users", 3.0}};
  const std::string written = to_json(full(), findings);
  std::map<std::string, int> lines;
  std::istringstream in(written);
  for (std::string line; std::getline(in, line); ++lines["all"])
    for (const char* key : {"\"nll\"", "\"learning_rate\"", "\"split_hash\"", "\"comparisons\"", "\"claims\""})
      lines[key] += contains(line, key);
  CHECK(lines["\"nll\""] == 2);
  CHECK(lines["\"learning_rate\""] == 2);
  CHECK(lines["\"split_hash\""] == 2);
  CHECK(lines["\"comparisons\""] == 1);
  CHECK(lines["\"claims\""] == 1);
  CHECK(lines["all"] < 60);
  const Json json = Json::parse(written);
  CHECK(json["verdicts"]["E1"]["comparisons"] == 2);
  CHECK(json["verdicts"]["E1"]["numbers"]["kept"].is_null());
  CHECK(json["verdicts"]["E1"]["numbers"]["users"] == 3);
  CHECK(json["populations"][0]["users"] == Json({"anna", "bo"}));
  CHECK(from_json(written, "r").cells.size() == 2);
  Results infinite = full();
  infinite.cells[0].nll = std::numeric_limits<double>::infinity();
  CHECK(Json::parse(to_json(infinite, {}))["cells"][0]["nll"].is_null());
}

TEST_CASE("results_json: names that no terminal should see are written as they are shown") {
  const std::string name = "caf\xe9 \x1b[31m";
  Results r = full();
  r.users[0].files = {{name, "not UTF-8"}};
  const Json json = Json::parse(to_json(r, {}));  // which refuses what is no UTF-8
  CHECK(json["users"][0]["files"][0][0] == shown(name));
  CHECK(!contains(json["users"][0]["files"][0][0], "\x1b"));
}
