#pragma once
/// Where the tests' shared data lies. It is not part of the repository: a machine without it skips the tests that need
/// it, by name; continuous integration fails instead.
///   TEST_CASE("reads a real model" * tern::test::needs_data()) { read(tern::test::data() / "checkpoints/..."); }
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace tern::test {

namespace detail {
inline std::filesystem::path data_folder() {
  const char* chosen = std::getenv("TERN_TEST_DATA");
  return chosen != nullptr ? std::filesystem::path(chosen)
                           : std::filesystem::path(TERN_SOURCE_DIR).parent_path() / "shared" / "data";
}
}  // namespace detail

inline bool has_data() {
  std::error_code unreadable;
  return std::filesystem::is_directory(detail::data_folder(), unreadable);
}

/// A test case's decorator: skips it where the data is missing, except in continuous integration.
inline doctest::skip needs_data() { return doctest::skip(!has_data() && std::getenv("CI") == nullptr); }

/// The folder of the shared data. Throws where it is missing.
inline std::filesystem::path data() {
  if (!has_data())
    throw std::runtime_error("test data: expected the folder '" + detail::data_folder().string() +
                             "', or another one named by TERN_TEST_DATA; found none");
  return detail::data_folder();
}

/// A folder of people whose files are as people have them, by its name in the README.md there. Lies beside the data.
inline std::filesystem::path a_case(const char* id) {
  const std::filesystem::path folder = data().parent_path() / "cases" / id;
  if (!std::filesystem::is_directory(folder))
    throw std::runtime_error("test data: expected the folder '" + folder.string() + "'; found none");
  return std::filesystem::directory_iterator(folder)->path();
}

}  // namespace tern::test
