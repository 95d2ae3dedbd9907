#include "tern/io/mapped_file.hpp"

#include <doctest/doctest.h>

#include "io/hostile.hpp"
#include "support/temporary_directory.hpp"

using namespace tern;
using test::message_of;

TEST_CASE("MappedFile: gives a file's bytes, and none of an empty file") {
  const test::TemporaryDirectory folder;
  std::ofstream(folder / "full") << "tern";
  std::ofstream(folder / "empty");
  const MappedFile full(folder / "full"), empty(folder / "empty");
  CHECK(text_of(full.bytes()) == "tern");
  CHECK(empty.bytes().empty());
}

TEST_CASE("MappedFile: its bytes stay where they are when it moves") {
  const test::TemporaryDirectory folder;
  std::ofstream(folder / "file") << "tern";
  MappedFile first(folder / "file");
  const auto* where = first.bytes().data();
  MappedFile second = std::move(first);
  CHECK(second.bytes().data() == where);
  CHECK(first.bytes().empty());
  first = std::move(second);
  CHECK(text_of(first.bytes()) == "tern");
}

TEST_CASE("MappedFile: says what stands in its way") {
  const test::TemporaryDirectory folder;
  const auto missing = folder / "missing";
  CHECK(message_of<IoError>([&] { MappedFile{missing}; }) ==
        "open '" + missing.string() + "': No such file or directory");
  CHECK(message_of<IoError>([&] { MappedFile{folder.path()}; }) ==
        "open '" + folder.path().string() + "': expected a regular file");
  CHECK(message_of<IoError>([&] { MappedFile{"/dev/null"}; }) == "open '/dev/null': expected a regular file");
}
