// A worker of pieces that cost nothing: what is left of the real one is the journal and the claims.
//   tern-stub-worker FOLDER CELLS   does what is not done, beginning anywhere; writes "begin CELL PROCESS" and "end CELL
//                                   PROCESS" to FOLDER/log
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "tern/experiment/run/worker.hpp"

int main(int argc, char** argv) try {
  using namespace tern;
  if (argc != 3) throw ValueError("expected FOLDER and CELLS");
  const std::filesystem::path folder = argv[1];
  const long cells = std::strtol(argv[2], nullptr, 10);
  const Journal journal(folder);
  journal.open();
  const WorkClaims claims(journal.folder());
  const int log = ::open((folder / "log").c_str(), O_WRONLY | O_APPEND | O_CREAT, 0666);
  const auto say = [&](const char* what, const std::string& id) {
    const std::string line = std::string(what) + " " + id + " " + std::to_string(::getpid()) + "\n";
    if (::write(log, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::abort();
  };
  for (bool all = false; !all;) {
    all = true;
    for (long i = 0; i < cells; ++i) {
      const std::string id = "cell-" + std::to_string((i + ::getpid() * 37L) % cells);
      const WorkStatus how = do_once(journal, claims, id, [&]() -> std::optional<Outcome> {
        say("begin", id);
        ::usleep(500);
        say("end", id);
        return Outcome{.id = id, .loss = 1.0};
      });
      all = all && (how == WorkStatus::done || how == WorkStatus::earlier);
    }
  }
  return 0;
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 2;
}
