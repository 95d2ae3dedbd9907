#include "tern/experiment/run/perform_form.hpp"

#include <doctest/doctest.h>

#include "support/tiny_stage.hpp"
#include "tern/experiment/run/shootout.hpp"

using namespace tern;
using namespace tern::test;
using doctest::Approx;
namespace fs = std::filesystem;

TEST_CASE("forms: a shootout of E5, E7, E8 and E10 makes them of the adapters that it trained") {
  TinyStage stage(3);
  stage.options.experiments = {"E5", "E7", "E8", "E10"};
  Shootout shootout(stage.base, stage.users, stage.generic, stage.options, {});
  const auto done = shootout.run(stage.out());
  REQUIRE(done.has_value());
  const experiments::Evidence evidence(done->first);
  for (const char* id : {"E5", "E7", "E8", "E10"}) {
    CAPTURE(id);
    CHECK(done->second.find(id) != nullptr);
  }
  const Setting own{.contender = "norm", .user = "u1"};
  const auto loss = [&](Setting s, const char* form) {
    s.form = form;
    const CellRecord* cell = evidence.cell(s, "u1");
    REQUIRE(cell != nullptr);
    return cell->nll / static_cast<double>(cell->tokens);
  };
  const double trained = loss(own, "");
  CHECK(loss(own, "bf16") == Approx(trained).epsilon(1e-3));
  CHECK(loss(own, "int8") == Approx(trained).epsilon(1e-3));
  CHECK(loss(own, "int8") != trained);
  CHECK(loss(own, "noise:0.0001") == Approx(trained).epsilon(1e-3));
  CHECK(loss(own, "noise:0.0001") != trained);
  CHECK(loss(own, "noise:1") > trained);
  CHECK(loss(base_setting(), "noise:1") > loss(base_setting(), ""));
  CHECK(loss(own, "others") > trained);  // three people of letters of their own
  const AdapterRecord* run = evidence.run({.contender = "norm", .user = "u1", .form = "int8"});
  REQUIRE(run != nullptr);
  CHECK(run->bytes < evidence.run(own)->bytes);
  CHECK(run->steps == 0);
  CHECK(evidence.run({.contender = "norm", .user = "u1", .form = "cluster"})->group > 0);
  // Adapters that forms are made of are kept, the others' included.
  CHECK(fs::exists(adapter_path(stage.out(), evidence.run({.contender = "norm", .user = "u1", .data = {Data::Kind::others}})->id)));

  SUBCASE("a source that is gone is an error that names the file") {
    fs::remove(adapter_path(stage.out(), evidence.run(own)->id));
    fs::remove(stage.out() / "tasks" / (run->id + ".json"));
    Shootout again(stage.base, stage.users, stage.generic, stage.options, {});
    CHECK_THROWS_AS(again.run(stage.out()), IoError);
  }
  SUBCASE("results are read as they were written") {
    const Results read = from_json(to_json(done->first, done->second), "r");
    CHECK(to_json(read, {}) == to_json(done->first, {}));
  }
}
