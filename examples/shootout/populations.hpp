#pragma once
/// Whose text a run is about: --population personas, people=DIR, chitchat[:N], several of them, or --users DIR.
#include <charconv>
#include <filesystem>
#include <string>
#include <vector>

#include "chitchat.hpp"
#include "fetch.hpp"

namespace program {

/// Chats are large: fetched into `cache` once, checked, never a part of the project. Throws tern::ValueError on other words,
/// and what reading throws.
inline tern::Population find_population(const std::string& words, const fs::path& bundled, const fs::path& cache, const Tell& tell) {
  if (words == "personas") return tern::folder_population("personas", bundled / "personas");
  if (words.starts_with("people=")) {
    const fs::path folder = words.substr(7);
    const fs::path last = folder.has_filename() ? folder.filename() : folder.parent_path().filename();
    return tern::folder_population(tern::shown(last.string()), folder);
  }
  const std::string name = words.substr(0, words.find(':'));
  const nlohmann::json table = tern::read_json_object(bundled / "populations.json");
  const auto entry = table.find(name);
  std::size_t most = 40;
  bool is_number = true;
  if (name.size() < words.size()) {
    const char* end = words.data() + words.size();
    const auto [at, error] = std::from_chars(words.data() + name.size() + 1, end, most);
    is_number = error == std::errc() && at == end && most > 0;
  }
  if (entry == table.end() || !is_number)
    throw tern::ValueError("--population: expected personas, people=DIR or chitchat:N, got " + tern::in_quotes(words));
  return chitchat_population(detail::fetch(name, *entry, cache, tell), most);
}

}  // namespace program
