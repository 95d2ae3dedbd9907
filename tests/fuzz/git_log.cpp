/// Any bytes, in pieces of any size, are commits of what git prints, or none.
#include "tern/text/ingest/git_log.hpp"

#include <cstdint>
#include <cstdlib>

#include "tern/text/utf8.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern::detail;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto read = [&](std::size_t step) {
    std::string all, people;
    GitLog log([&](GitCommit& commit) {
      all += commit.hash + git_date(commit.time) + git_message(tern::decode_utf8(commit.message, "", tern::BadBytes::replace).text);
      for (const GitFile& file : commit.files) all += file.path + newly_written(commit, file);
    });
    GitAuthors authors([&](const std::string& address, const std::string& name) { people += address + name; });
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      log.read(bytes.substr(at, step));
      authors.read(bytes.substr(at, step));
    }
    log.finish();
    return all + people;
  };
  if (read(data[0] + 1U) != read(data[0] / 3U + 1U)) std::abort();
  return 0;
}
