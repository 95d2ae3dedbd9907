#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "tern/io/mapped_file.hpp"

namespace tern {

/// The object in a JSON file of at most 64 MB. Throws IoError where it cannot be read, FormatError where it is longer, no
/// JSON, or no object; a key that appears twice is refused.
inline nlohmann::json read_json_object(const std::filesystem::path& path) {
  constexpr std::size_t longest = std::size_t{64} << 20;
  constexpr int deepest = 64;
  const std::string place = "json " + in_quotes(path.string()) + ": ";
  const MappedFile file(path);
  if (file.bytes().size() > longest)
    throw FormatError(place + "expected at most " + std::to_string(longest) + " bytes, got " +
                      std::to_string(file.bytes().size()));
  std::vector<std::set<std::string>> keys;  // of the objects around
  const auto watch = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& value) {
    using Event = nlohmann::json::parse_event_t;
    if (depth > deepest) throw FormatError(place + "expected at most " + std::to_string(deepest) + " levels");
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end) keys.pop_back();
    if (event == Event::key && !keys.back().insert(value.get<std::string>()).second)
      throw FormatError(place + "key " + in_quotes(value.get<std::string>()) + " appears twice");
    return true;
  };
  try {
    nlohmann::json object = nlohmann::json::parse(text_of(file.bytes()), watch);
    if (!object.is_object()) throw FormatError(place + "expected an object, got " + std::string(object.type_name()));
    return object;
  } catch (const nlohmann::json::exception& e) {
    throw FormatError(place + "expected JSON, got what breaks it: " + in_quotes(e.what()));
  }
}

}  // namespace tern
