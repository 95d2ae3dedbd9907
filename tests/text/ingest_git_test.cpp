/// A repository's history becomes one author's words. git itself is played: no test runs it here (the programs' do).
#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <vector>

#include "support/temporary_directory.hpp"
#include "tern/text/ingest.hpp"

namespace {

using namespace std::string_literals;
using tern::detail::GitCommit;
using tern::detail::GitLog;

std::string header(const std::string& hash, const std::string& time, const std::string& refs,
                   const std::string& address, const std::string& name, const std::string& message) {
  std::string text;
  for (const std::string& field : {hash, time, refs, address, name, message}) text += '\0' + field;
  return text + "\0\n\n"s;
}

std::string file(const std::string& path, const std::string& hunk) {
  return "diff --git a/x b/x\nindex 1..2 100644\n--- a/x\n+++ " + path + '\n' + hunk;
}

std::vector<GitCommit> read(const std::string& log, std::size_t step) {
  std::vector<GitCommit> commits;
  GitLog reader([&](GitCommit& commit) { commits.push_back(commit); });
  for (std::size_t at = 0; at < log.size(); at += step) reader.read(std::string_view(log).substr(at, step));
  reader.finish();
  return commits;
}

}  // namespace

TEST_CASE("git log: headers, hunks and paths, in pieces of any size") {
  const std::string log =
      header("aa", "1714557600", "HEAD -> main", "Ana@x.org", "Ana", "Say why\n\ndiff --git a/x b/x\n+++ b/evil.py\n") +
      file("b/a.py",
           "@@ -3,2 +3,3 @@ context\n--- an old dash\n-old\n+++ plus\n+new\n\\ No newline at end of file\n+x\n") +
      file("\"b/t\\303\\244 \\\"q\\\".py\"", "@@ -0,0 +1 @@\n+one\n@@ -9,0 +11 @@\n+two\n") +
      file("/dev/null", "@@ -1 +0,0 @@\n-gone\n") + header("bb", "x", "HEAD, grafted", "b@x.org", "Ben", "") +
      file("b/spaced name.md\t", "@@ -0,0 +1 @@\n+" + std::string(100'000, 'y') + "\n");
  for (const std::size_t step : {1, 2, 7, 1'000'000}) {
    const auto commits = read(log, static_cast<std::size_t>(step));
    REQUIRE(commits.size() == 2);
    CHECK(commits[0].hash == "aa");
    CHECK(commits[0].message == "Say why\n\ndiff --git a/x b/x\n+++ b/evil.py\n");
    CHECK(tern::detail::git_date(commits[0].time) == "2024-05-01T10:00:00Z");
    REQUIRE(commits[0].files.size() == 3);
    CHECK(commits[0].files[0].path == "a.py");
    CHECK(commits[0].files[0].added == "++ plus\nnew\nx\n");
    CHECK(commits[0].files[1].path == "tä \"q\".py");
    CHECK(commits[0].files[1].added == "one\n\ntwo\n");
    CHECK(commits[0].files[2].path.empty());
    CHECK_FALSE(commits[0].is_grafted);
    CHECK(commits[1].is_grafted);
    CHECK(tern::detail::git_date(commits[1].time) == "undated");
    CHECK(commits[1].files.at(0).path == "spaced name.md");
    CHECK(commits[1].files.at(0).added.size() == 65'536);  // a line is cut there
  }
  CHECK(read("\0aa\0"s, 1).empty());
  CHECK(read("+x\n@@ -1 +99999999999999999999 @@\n+y\n", 1).empty());
  const std::string large = header("aa", "1", "", "a", "a", "m") + file("b/a.py", "@@ -0,0 +1,99999999 @@\n") + [] {
    std::string lines;
    for (int i = 0; i < 200; ++i) lines += '+' + std::string(60'000, 'z') + '\n';
    return lines;
  }();
  CHECK(read(large, 1 << 16).at(0).is_cut);
  CHECK(read(large, 1 << 16).at(0).files.empty());
}

TEST_CASE("git log: moved lines, trailers and copied-in libraries are not the author's") {
  using namespace tern::detail;
  const auto commit = read(header("aa", "1", "", "a", "a", "m") +
                               file("b/a.py", "@@ -1,2 +1,3 @@\n-  moved()\n-}\n+moved()\n+}\n+own()\n"),
                           100)
                          .at(0);
  CHECK(newly_written(commit, commit.files.at(0)) == "}\nown()\n");
  CHECK(git_message("Say why\n\nBody.\n\nSigned-off-by: B <b@x>\nCo-authored-by: C\n") == "Say why\n\nBody.");
  CHECK(git_message("Revert \"Say why\"\n\nThis reverts commit 0123456789abcdef.\n").empty());
  CHECK(git_message("Revert \"Say why\"\n\nThis reverts commit 0123456789abcdef.\nIt broke.\n") ==
        "Revert \"Say why\"\n\nIt broke.");
  CHECK(is_copied_in("a/node_modules/b.js"));
  CHECK(is_copied_in("Vendor/b.c"));
  CHECK(is_copied_in("js/x.min.js"));
  CHECK_FALSE(is_copied_in("vendors.py"));
}

TEST_CASE("ingest: of a repository one author's words, only where git is given") {
  const tern::test::TemporaryDirectory root;
  const auto person = root / "ana";
  std::filesystem::create_directories(person / "proj/.git");
  std::ofstream(person / "proj/a.py") << "by_everybody()\n";
  std::ofstream(person / "note.md") << "note\n";
  std::vector<std::string> asked;
  tern::IngestOptions options;
  options.git = [&](const std::filesystem::path& repository, const std::vector<std::string>& arguments,
                    const std::function<bool(std::string_view)>& take) {
    CHECK(repository.filename() == "proj");
    if (std::find(arguments.begin(), arguments.end(), "--no-patch") != arguments.end()) {
      take("ana@x.org\0Ana Ruiz\0\nben@x.org\0Ben\0\nANA@x.org\0A. R.\0\n"s);
      return;
    }
    for (const std::string& a : arguments)
      if (a.starts_with("--author=")) asked.push_back(a);
    take(header("aa", "0", "", "ana@x.org", "Ana Ruiz", "Mine") + file("b/a.py", "@@ -0,0 +1 @@\n+own()\n") +
         file("b/a.png", "@@ -0,0 +1 @@\n+x\n"));
    take(header("bb", "0", "", "notana@x.org", "Nota", "OTHERWORD"));
    take(header("cc", "0", "grafted", "ANA@x.org", "A. R.", "Begin") + file("b/a.py", "@@ -0,0 +1 @@\n+OTHERWORD\n"));
  };
  const tern::Ingested found = tern::ingest(person, options);
  std::string all;
  for (const auto& d : found.documents) all += d.name + ": " + d.text + '|';
  CHECK(all ==
        "note.md: note\n|proj@1970-01-01T00:00:00Z.aa: Mine|proj@1970-01-01T00:00:00Z.aa/a.py: own()\n|"
        "proj@1970-01-01T00:00:00Z.cc: Begin|");
  CHECK(asked == std::vector<std::string>{"--author=<ANA@x.org>", "--author=<ana@x.org>"});
  CHECK(found.owners.at(0).service == "git");
  CHECK_FALSE(found.owners.at(0).guessed);
  CHECK(found.skipped.size() == 3);
  options.git = [](const auto&, const auto&, const auto&) { throw tern::IoError("git: no such program"); };
  CHECK(tern::ingest(person, options).skipped.at(0).reason == "git: no such program");
  options.strict = true;
  CHECK_THROWS_AS(tern::ingest(person, options), tern::IoError);
  const tern::Ingested plain = tern::ingest(person);
  CHECK(plain.documents.size() == 2);
  CHECK(plain.skipped.at(0).reason == "git's records; --git reads them");
}
