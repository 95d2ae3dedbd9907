#include "tern/experiment/run/validate.hpp"

#include <doctest/doctest.h>

#include <functional>

using namespace tern;

namespace {

/// What validate() says of the defaults after `change`; nothing where it accepts them.
std::string complaint(const std::function<void(ShootoutOptions&)>& change,
                      const std::vector<Contender>& table = contenders()) {
  ShootoutOptions o;
  change(o);
  try {
    const bool is_it = &validate(o, table) == &o;  // outside of CHECK, which catches
    CHECK(is_it);
    return {};
  } catch (const ValueError& e) {
    return e.what();
  }
}

std::vector<Contender> with(Contender c) {
  std::vector<Contender> table = contenders();
  table.push_back(std::move(c));
  return table;
}

}  // namespace

TEST_CASE("validate: the defaults are fine, and each field that cannot be is named with what it is") {
  CHECK(complaint([](ShootoutOptions&) {}).empty());
  CHECK(complaint([](auto& o) { o.seeds = 0; }) == "seeds: expected at least 1, got 0");
  CHECK(complaint([](auto& o) { o.context = 7; }) == "context: expected at least 8, got 7");
  CHECK(complaint([](auto& o) { o.eval_tokens = 1; }) == "eval_tokens: expected at least 2, got 1");
  CHECK(complaint([](auto& o) { o.validation_tokens = -5; }) == "validation_tokens: expected at least 2, got -5");
  CHECK(complaint([](auto& o) { o.pilots = 0; }) == "pilots: expected at least 1, got 0");
  CHECK(complaint([](auto& o) { o.most_rates = 2; }) == "most_rates: expected at least 3, got 2");
  CHECK(complaint([](auto& o) { o.controls = {"own"}; }) ==
        "controls: expected some of generic, uniform, shuffled, others, got 'own'");
  CHECK(complaint([](auto& o) { o.seed_users = -1; }) == "seed_users: expected at least 0, got -1");
  CHECK(complaint([](auto& o) { o.sweep_users = -1; }) == "sweep_users: expected at least 0, got -1");
  CHECK(complaint([](auto& o) { o.threads = 0; }) == "threads: expected at least 1, got 0");
  CHECK(complaint([](auto& o) { o.budget = Budget::of_steps(0); }) == "budget: expected at least 1 step, got 0");
  CHECK(complaint([](auto& o) {
          o.budget = Budget::of_seconds(0);
        }).starts_with("budget: expected more than 0 seconds, got 0"));
  for (const double margin : {0.0, 1.0, -0.1, std::numeric_limits<double>::quiet_NaN()})
    CHECK(complaint([&](auto& o) {
            o.margin = margin;
          }).starts_with("margin: expected a share of perplexity in (0, 1), got "));
}

TEST_CASE("validate: contenders, roles and experiments are those there are, each once") {
  CHECK(complaint([](auto& o) { o.contenders = {}; }) == "contenders: expected at least one, got none");
  CHECK(complaint([](auto& o) {
          o.contenders = {"norm", "magic"};
        }) == "contenders: expected some of norm, lora-r4, matched, lora-r64, full, got 'magic'");
  CHECK(complaint([](auto& o) {
          o.contenders = {"norm", "lora-r4", "norm"};
        }) == "contenders: expected each once, got 'norm' twice");
  CHECK(complaint([](auto& o) {
          o.experiments = {"E1", "E99"};
        }).starts_with("experiments: expected some of E1, E2, "));
  CHECK(complaint([](auto& o) { o.experiments = {"E1", "E1"}; }) == "experiments: expected each once, got 'E1' twice");
  CHECK(complaint([](auto& o) { o.roles.rivals = {"magic"}; }).starts_with("roles.rivals: expected some of "));
  CHECK(complaint([](auto& o) {
          o.roles.rivals = {"full", "full"};
        }) == "roles.rivals: expected each once, got 'full' twice");
  CHECK(complaint([](auto& o) { o.roles.rivals = {"norm"}; }) ==
        "roles.rivals: expected others than the champion, got 'norm'");
  CHECK(complaint([](auto& o) { o.roles.champion = "lora-r64"; }) ==
        "roles.champion: expected some of norm, lora-r4, matched, full, got 'lora-r64'");  // it is in the table, yet
                                                                                           // does not run
  CHECK(complaint([](auto& o) { o.roles.fallback = "magic"; }).starts_with("roles.fallback: expected some of "));
  CHECK(complaint([](auto& o) { o.roles.fallback = ""; }).empty());
}

TEST_CASE("validate: a table of contenders has each name once, and ascending rates") {
  const auto nothing = [](ShootoutOptions&) {};
  CHECK(complaint(nothing, with({.name = "norm", .title = "another", .rates = {1e-3}})) ==
        "contenders: expected each name once in the table, got 'norm' twice");
  CHECK(complaint(nothing, with({.name = "mine", .title = "mine", .rates = {}})) ==
        "contender 'mine': rates: expected at least one, got none");
  CHECK(complaint(nothing, with({.name = "mine", .title = "mine", .rates = {1e-3, 1e-3}}))
            .starts_with("contender 'mine': rates: expected ascending ones above 0, got 0.001"));
  CHECK(complaint(nothing, with({.name = "mine", .title = "mine", .rates = {0.0, 1e-3}}))
            .starts_with("contender 'mine': rates: expected ascending ones above 0, got 0"));
}
