#include "tern/text/ingest/dates.hpp"

#include <doctest/doctest.h>
#include <fstream>
#include <string>

#include "support/temporary_directory.hpp"
#include "tern/text/ingest.hpp"

using tern::detail::iso_time;
using tern::detail::time_of_name;

// Figures of `date -u -d ... +%s`.
TEST_CASE("dates: ISO times of every length") {
  CHECK(iso_time("1970-01-01") == 0);
  CHECK(iso_time("2000-02-29") == 951'782'400);
  CHECK(iso_time("2100-12-31") == 4'133'894'400);
  CHECK(iso_time("2020-12-31T21:41") == 1'609'450'860);
  CHECK(iso_time(" 2020-12-31 21:41:05.25 ") == 1'609'450'865);
  CHECK(iso_time("2020-12-31T21:41:05Z") == 1'609'450'865);
  CHECK(iso_time("2020-12-31T22:41:05+01:00") == 1'609'450'865);
  CHECK(iso_time("2020-12-31T14:11:05-0730") == 1'609'450'865);
  for (const char* bad : {"", "2020", "2020-13-01", "2021-02-29", "1969-12-31", "2020-12-31T25:00", "2020-12-31 noon",
                          "31.12.2020", "2020-12-31T21:41:05Z x"}) {
    CAPTURE(bad);
    CHECK_FALSE(iso_time(bad));
  }
}

TEST_CASE("dates: a file's name that begins with a day") {
  const tern::Time day = 1'715'040'000;  // 2024-05-07
  for (const char* name : {"2024-05-07.md", "daily/2024-05-07.md", "20240507.txt", "2024_05_07 Market.org",
                           "2024.05.07.md", "2024-05-07-the-market.md"}) {
    CAPTURE(name);
    CHECK(time_of_name(name) == day);
  }
  CHECK(time_of_name("2024-05.md") == day - 6 * 86'400);
  for (const char* name : {"notes.md", "2024-05-07/notes.md", "2024-05-079.md", "2024-05-run.md", "2024-13-07.md",
                           "2024.md", "202405071.md", "market 2024-05-07.md"}) {
    CAPTURE(name);
    CHECK_FALSE(time_of_name(name));
  }
}

TEST_CASE("dates: documents carry them, by mail, record, conversation or name") {
  const tern::test::TemporaryDirectory folder;
  const auto write = [&](const char* name, const std::string& text) { std::ofstream(folder.path() / name) << text; };
  write("a.eml", "From: Ana <a@example.org>\nDate: Thu, 31 Dec 2020 22:41:05 +0100\nSubject: s\n\nwords\n");
  write("b.eml", "From: Ana <a@example.org>\nDate: soon\nSubject: s\n\nother words\n");
  write(
      "c.jsonl",
      "{\"text\":\"one\",\"date\":\"2020-12-31\"}\n{\"text\":\"two\",\"created\":1609450865}\n{\"text\":\"three\"}\n");
  write("d.txt", "31/12/2020, 21:41 - Ana: mine\n");
  write("2020-12-31.md", "a day\n");
  write("plain.md", "no day\n");
  std::map<std::string, std::optional<tern::Time>> times;
  for (const auto& document : tern::ingest(folder.path()).documents) times[document.name] = document.time;
  const std::map<std::string, std::optional<tern::Time>> expected = {
      {"a.eml", 1'609'450'865},          {"b.eml", std::nullopt},          {"c.jsonl#000001", 1'609'372'800},
      {"c.jsonl#000002", 1'609'450'865}, {"c.jsonl#000003", std::nullopt}, {"d.txt", 1'609'450'860},
      {"2020-12-31.md", 1'609'372'800},  {"plain.md", std::nullopt}};
  CHECK(times == expected);
}

TEST_CASE("notes: told from prose by marked lines") {
  using tern::detail::kind_of_text;
  CHECK(kind_of_text("# Market\n- bread\n- [ ] milk\nand a walk\n") == tern::Kind::notes);
  CHECK(kind_of_text("1. first\n2) second\n") == tern::Kind::notes);
  CHECK(kind_of_text("See [[Ana]] on this.\n") == tern::Kind::notes);
  CHECK(kind_of_text("# Title\n\nOne line.\nAnother line.\n- and one item\n") == tern::Kind::notes);
  CHECK(kind_of_text("# Title\n\nOne line.\nAnother line.\nA third.\n") == tern::Kind::prose);
  CHECK(kind_of_text("1. " + std::string(300, 'a') + "\n") == tern::Kind::prose);  // a clause
  CHECK(kind_of_text("2024 was long.\n-minus\n#tag\n") == tern::Kind::prose);
  CHECK(kind_of_text("") == tern::Kind::prose);
}
