#include "tern/experiment/run/journal.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "support/temporary_directory.hpp"

using namespace tern;
using namespace tern::test;

namespace {

Outcome trained() {
  Outcome o{.id = "0123"};
  AdapterRecord a{.id = "0123", .setting = {.contender = "norm", .user = "anna", .seed = 1, .budget = 0.2}};
  a.bytes = 9216, a.parameters = 2304, a.learning_rate = 3e-3, a.steps = 17, a.seconds = 1.25;
  a.curve = {{0, 0, 20.5}, {17, 1.25, 18.25}};
  o.adapter.push_back(a);
  o.cells.push_back(
      {.adapter = "0123", .user = "anna", .nll = 0.1 + 0.2, .tokens = 3, .bytes = 11, .chunks = {{0, 0.1 + 0.2, 3}}});
  o.seconds = 2.5;
  return o;
}

std::string text_of(const Outcome& o) { return detail::results_json::encode(o).dump(); }

void overwrite(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

}  // namespace

TEST_CASE("journal: what was written is found again, to the last bit") {
  const TemporaryDirectory out;
  const Journal journal(out.path());
  CHECK(!journal.done("0123"));  // nor is its folder there
  CHECK(!std::filesystem::exists(out / "tasks"));
  journal.open();
  journal.write(trained());
  const auto found = Journal(out.path()).find("0123");
  REQUIRE(found.has_value());
  CHECK(text_of(*found) == text_of(trained()));
  CHECK(found->cells[0].nll == 0.1 + 0.2);
  CHECK(found->adapter[0].setting == trained().adapter[0].setting);
  CHECK(journal.done("0123"));
  CHECK(!journal.done("0124"));

  journal.write({.id = "pilot", .loss = 3.25});
  CHECK(journal.find("pilot")->loss == 3.25);
  journal.write({.id = "diverged"});
  CHECK(!journal.find("diverged")->loss.has_value());
}

TEST_CASE("journal: a damaged file is as if it were not there") {
  const TemporaryDirectory out;
  const Journal journal(out.path());
  journal.open();
  journal.write(trained());
  const auto path = out / "tasks/0123.json";
  std::ifstream file(path, std::ios::binary);
  const std::string whole(std::istreambuf_iterator<char>(file), {});
  for (std::size_t n = 0; n + 2 < whole.size(); n += 7) {
    CAPTURE(n);
    overwrite(path, whole.substr(0, n));
    CHECK(!journal.done("0123"));
  }
  const auto broken = [&](const std::string& from, const std::string& to) {
    std::string text = whole;
    REQUIRE(text.find(from) != std::string::npos);
    overwrite(path, text.replace(text.find(from), from.size(), to));
    CAPTURE(from);
    CHECK(!journal.done("0123"));
  };
  broken("\"id\": \"0123\"", "\"id\": \"0124\"");  // somebody else's outcome under this name
  broken("9216", "-1");
  broken("\"cells\"", "\"sells\"");
  broken("0.2,", "\"x\",");
  overwrite(path, whole);
  CHECK(journal.done("0123"));
  overwrite(path, std::string(100'000, '['));
  CHECK(!journal.done("0123"));
}

TEST_CASE("journal: nobody sees a file half written") {
  const TemporaryDirectory out;
  const Journal journal(out.path());
  journal.open();
  Outcome large = trained();
  for (int i = 0; i < 300; ++i) large.cells.push_back(large.cells[0]);
  journal.write(large);
  std::atomic<bool> writing{true};
  std::thread writer([&] {
    for (int i = 0; i < 40; ++i) journal.write(large);
    writing = false;
  });
  int seen = 0, whole = 0;
  while (writing) {
    const auto found = journal.find("0123");
    ++seen;
    whole += found && found->cells.size() == large.cells.size();
  }
  writer.join();
  CHECK(whole == seen);
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(out / "tasks")) ++files;
  CHECK(files == 1);
}

TEST_CASE("journal: a folder that cannot be made is an error that names it") {
  const TemporaryDirectory out;
  overwrite(out / "tasks", "a file");
  try {
    Journal(out.path()).open();
    FAIL("expected an error");
  } catch (const IoError& e) {
    CHECK(std::string(e.what()).find("tasks") != std::string::npos);
  }
}
