#include "tern/io/atomic_file.hpp"

#include <doctest/doctest.h>

#include "io/hostile.hpp"
#include "support/temporary_directory.hpp"

using namespace tern;
using test::message_of;
using test::read_text;

namespace {

std::size_t files_in(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

}  // namespace

TEST_CASE("AtomicFile: replaces the old content at commit, and not before") {
  const test::TemporaryDirectory folder;
  const auto path = folder / "file";
  write_file(path, "old");
  AtomicFile file(path);
  file.write("ne");
  file.write("w");
  CHECK(read_text(path) == "old");
  file.commit();
  CHECK(read_text(path) == "new");
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("AtomicFile: without commit the old file stays and the temporary goes") {
  const test::TemporaryDirectory folder;
  const auto path = folder / "file";
  write_file(path, "old");
  {
    AtomicFile file(path);
    file.write("new");
    CHECK(files_in(folder.path()) == 2);
  }
  CHECK(read_text(path) == "old");
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("AtomicFile: a private file is its owner's alone") {
  const test::TemporaryDirectory folder;
  write_file(folder / "private", "x", Access::owner);
  using std::filesystem::perms;
  CHECK(std::filesystem::status(folder / "private").permissions() == (perms::owner_read | perms::owner_write));
}

TEST_CASE("AtomicFile: a symbolic link stays one") {
  const test::TemporaryDirectory folder;
  write_file(folder / "target", "old");
  std::filesystem::create_symlink("target", folder / "link");
  write_file(folder / "link", "new");
  CHECK(std::filesystem::is_symlink(folder / "link"));
  CHECK(read_text(folder / "target") == "new");
}

TEST_CASE("AtomicFile: takes a name without a folder") {
  const test::TemporaryDirectory folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  write_file("plain", "x");
  std::filesystem::current_path(before);
  CHECK(read_text(folder / "plain") == "x");
}

TEST_CASE("AtomicFile: a missing folder is an error with path and reason") {
  const test::TemporaryDirectory folder;
  const auto path = folder / "none" / "file";
  CHECK(message_of<IoError>([&] { AtomicFile{path}; }) == "create '" + path.string() + "': No such file or directory");
}

TEST_CASE("AtomicFile: a full device is an error with path, reason and bytes") {
  if (!std::filesystem::exists("/dev/full")) return;
  CHECK(message_of<IoError>([] { write_file("/dev/full", "tern"); }) ==
        "write '/dev/full': No space left on device after 0 bytes");
  CHECK(std::filesystem::is_character_file("/dev/full"));
}

TEST_CASE("AtomicFile: when space runs out, earlier data stays, and writing works again once there is room") {
  const test::TemporaryDirectory folder;
  const auto path = folder / "file";
  const std::string fresh(5000, 'x');
  for (std::size_t room = 0; room < fresh.size(); room += 100) {
    CAPTURE(room);
    write_file(path, "old");
    const int outcome = test::in_child([&] {
      ::signal(SIGXFSZ, SIG_IGN);
      const rlimit little = {room, RLIM_INFINITY}, plenty = {RLIM_INFINITY, RLIM_INFINITY};
      ::setrlimit(RLIMIT_FSIZE, &little);
      const auto message = message_of<IoError>([&] { write_file(path, fresh); });
      if (message != "write '" + path.string() + "': File too large after " + std::to_string(room) + " bytes") return 1;
      if (read_text(path) != "old" || files_in(folder.path()) != 1) return 2;
      ::setrlimit(RLIMIT_FSIZE, &plenty);
      write_file(path, fresh);
      return read_text(path) == fresh ? 0 : 3;
    });
    CHECK(outcome == 0);
  }
}
