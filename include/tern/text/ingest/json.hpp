#pragma once
/// What the JSON readers share.
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "tern/core/error.hpp"

namespace tern::detail {

using Json = nlohmann::json;

/// Throws FormatError naming `source` and the byte where the JSON breaks.
inline Json parse_json(std::string_view text, std::string_view source) {
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    throw FormatError("json '" + std::string(source) + "' at byte " + std::to_string(error.byte) + ": " + error.what());
  }
}

/// The string field `key` of an object; empty where there is none.
inline std::string string_field(const Json& object, std::string_view key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace tern::detail
