// burrow/sweep.cpp
//
// garbage collection, a.k.a. the only program i've written that i'm afraid of. everything else in this project can at
// worst fail to save something. this one deletes.
//
// house rules, in order of how much they cost me to learn:
//   1. mark everything before sweeping anything. no streaming cleverness. ram is cheap, sister's photos aren't.
//   2. anything younger than two days is alive, whatever the manifests say. a backup in progress puts blobs first and
//      writes its manifest last, so for a while its blobs look exactly like rubbish.
//   3. dry run is the default. you have to type --really. i considered --yes-i-have-had-coffee.
//   4. if a manifest doesn't parse, stop. an unreadable manifest isn't "no references", it's "unknown references".

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <unordered_set>

namespace fs = std::filesystem;

namespace {

struct Tally {
  unsigned long kept = 0;
  unsigned long young = 0;
  unsigned long doomed = 0;
  std::uintmax_t bytes = 0;
};

bool looks_like_digest(const std::string& word) {
  return word.size() == 32 && word.find_first_not_of("0123456789abcdef") == std::string::npos;
}

// a manifest is lines of "<digest> <size> <path>". the first line says "burrow 2" and the last says "end", and if the
// last doesn't, someone pulled the plug and rule 4 applies.
bool mark(const fs::path& manifest, std::unordered_set<std::string>& alive) {
  std::ifstream in(manifest);
  std::string line;
  if (!std::getline(in, line) || line != "burrow 2") return false;
  bool ended = false;
  while (std::getline(in, line)) {
    if (ended) return false;  // text after the end. i don't know what you are but you're not my manifest.
    if (line == "end") {
      ended = true;
      continue;
    }
    const std::string word = line.substr(0, line.find(' '));
    if (!looks_like_digest(word)) return false;
    alive.insert(word);
  }
  return ended;
}

bool is_young(const fs::path& path) {
  const auto age = fs::file_time_type::clock::now() - fs::last_write_time(path);
  return age < std::chrono::hours(48);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: sweep <root> [--really]\n", stderr);
    return 2;
  }
  const fs::path root = argv[1];
  const bool really = argc > 2 && std::string(argv[2]) == "--really";

  std::unordered_set<std::string> alive;
  for (const auto& entry : fs::directory_iterator(root / "manifests")) {
    if (!mark(entry.path(), alive)) {
      std::fprintf(stderr, "sweep: can't make sense of %s, touching nothing\n", entry.path().c_str());
      return 1;
    }
  }
  // no manifests at all? then either this is day one or i typed the wrong path. both are reasons to leave.
  if (alive.empty()) {
    std::fputs("sweep: zero live blobs. i don't believe you.\n", stderr);
    return 1;
  }

  Tally tally;
  for (const auto& entry : fs::recursive_directory_iterator(root / "objects")) {
    if (!entry.is_regular_file()) continue;
    const std::string name = entry.path().parent_path().filename().string() + entry.path().filename().string();
    if (alive.count(name) != 0) {
      ++tally.kept;
    } else if (is_young(entry.path())) {
      ++tally.young;
    } else {
      ++tally.doomed;
      tally.bytes += entry.file_size();
      // deleting while iterating a directory is allowed-ish and i still don't like it, but collecting 400k paths first
      // took longer than the sweep. compromise: it's been fine for a year, and there's a second copy at my mum's.
      if (really) fs::remove(entry.path());
    }
  }
  std::printf("kept %lu, young %lu, %s %lu (%.1f MB)\n", tally.kept, tally.young, really ? "deleted" : "would delete",
              tally.doomed, static_cast<double>(tally.bytes) / 1e6);
  return 0;
}
