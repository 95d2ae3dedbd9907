#pragma once
/// What the two programs share: where bundled things lie, and how errors reach the shell.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <new>
#include <string>

#include "../chosen_kernels.hpp"
#include "tern/experiment/base.hpp"

namespace program {

inline std::filesystem::path bundled() { return TERN_BUNDLED_DIR; }

inline tern::Base load(const std::string& name) {
  const auto cache = tern::cache_folder(std::getenv("XDG_CACHE_HOME"), std::getenv("HOME"));
  const auto tell = [](const std::string& text) { std::cerr << text << std::endl; };
  return tern::load_base(name, tern::find_base(name, bundled(), cache, tell));
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
