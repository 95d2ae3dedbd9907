#pragma once
/// What the two programs share: where bundled things lie, and how errors reach the shell.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <limits>
#include <new>
#include <optional>
#include <string>

#include "../chosen_kernels.hpp"
#include "fetch.hpp"
#include "populations.hpp"
#include "tern/experiment/base.hpp"

namespace program {

inline std::filesystem::path bundled() { return TERN_BUNDLED_DIR; }

/// Bytes of memory that Linux can still give; no limit where it does not say.
inline std::uintmax_t available_memory() {
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("MemAvailable:")) return std::strtoull(line.c_str() + 13, nullptr, 10) * 1024;
  return std::numeric_limits<std::uintmax_t>::max();
}

/// The file or folder that `name` means, fetched if need be.
inline FoundBase find(const std::string& name) {
  const auto cache = cache_folder(std::getenv("XDG_CACHE_HOME"), std::getenv("HOME"));
  return find_base(name, bundled(), cache, [](const std::string& text) { std::cerr << text << std::endl; });
}

/// The people that `words` of --population mean, fetched if need be.
inline tern::Population find_population(const std::string& words) {
  const auto cache = cache_folder(std::getenv("XDG_CACHE_HOME"), std::getenv("HOME"));
  return find_population(words, bundled(), cache, [](const std::string& text) { std::cerr << text << std::endl; });
}

/// Loads the base that `name` means. Throws FormatError where a packaged one's bytes are not what they must be.
inline tern::Base load(const std::string& name, tern::BaseOptions options) {
  options.most_bytes = available_memory();
  const FoundBase found = find(name);
  tern::Base base = tern::load_base(found.title, found.path, options);
  if (!base.fingerprint.empty() && !found.sha256.starts_with(base.fingerprint) && !found.sha256.empty())
    throw tern::FormatError("'" + found.path.string() + "': SHA-256: expected " + found.sha256.substr(0, 16) +
                            "..., got " + base.fingerprint + "...; remove it to fetch it again");
  return base;
}

/// What --weights means: none for "stored".
inline std::optional<tern::WeightFormat> parse_weights(const std::string& text) {
  if (text == "stored") return std::nullopt;
  try {
    return tern::parse_weight_format(text);
  } catch (const tern::ValueError&) {
    throw tern::ValueError("--weights: expected one of stored, " + tern::weight_format_names() + ", got " +
                           tern::in_quotes(text));
  }
}

/// Runs `body` for parsed options: 0 done, 1 failed, 2 wrong usage, each failure one clear message on stderr.
template <class Body>
int run(CLI::App& app, int argc, char** argv, Body&& body) {
  const std::string name = app.get_name();
  std::signal(SIGXFSZ, SIG_IGN);  // a limit of file size then is an error that names the file
  try {
    app.parse(argc, argv);
    return body();
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  } catch (const tern::ValueError& e) {
    std::cerr << name << ": " << e.what() << '\n';
    return 2;
  } catch (const std::bad_alloc&) {
    std::cerr << name << ": out of memory\n";
    return 1;
  } catch (const std::exception& e) {
    std::cerr << name << ": " << e.what() << '\n';
    return 1;
  }
}

}  // namespace program
