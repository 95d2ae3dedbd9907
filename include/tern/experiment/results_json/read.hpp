#pragma once
/// Records from JSON: whatever is not as expected is a FormatError that names its place.
#include <concepts>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tern/core/quote.hpp"
#include "tern/experiment/results_json/records.hpp"

namespace tern::detail::results_json {

/// Where in the document a value stands, for messages: "results 'r.json': cells[3].nll".
struct Place {
  std::string path;

  Place operator/(const std::string& key) const { return {path + (path.ends_with(": ") ? "" : ".") + key}; }
  Place operator[](std::size_t i) const { return {path + "[" + std::to_string(i) + "]"}; }
  [[noreturn]] void fail(const std::string& expected, const Json& got) const {
    std::string text =
        got.is_structured() ? std::string(got.type_name()) : got.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (text.size() > 80) text = text.substr(0, 80) + "...";
    throw FormatError(path + ": expected " + expected + ", got " + (got.is_null() ? "nothing" : shown(text)));
  }
};

inline const Json& object(const Json& json, const Place& at) {
  if (!json.is_object()) at.fail("an object", json);
  return json;
}
inline const Json& array(const Json& json, const Place& at) {
  if (!json.is_array()) at.fail("an array", json);
  return json;
}

inline void decode(const Json& json, const Place& at, std::string& value) {
  if (!json.is_string()) at.fail("text", json);
  value = json.get<std::string>();
}
inline void decode(const Json& json, const Place& at, double& value) {
  if (!json.is_number()) at.fail("a number", json);
  value = json.get<double>();
}
inline void decode(const Json& json, const Place& at, bool& value) {
  if (!json.is_boolean()) at.fail("true or false", json);
  value = json.get<bool>();
}
template <std::integral T>
void decode(const Json& json, const Place& at, T& value) {
  const bool whole = json.is_number_integer() && (json.is_number_unsigned() || json.get<std::int64_t>() >= 0);
  if (!whole || json.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<T>::max()))
    at.fail("a whole number from 0 to " + std::to_string(std::numeric_limits<T>::max()), json);
  value = json.get<T>();
}
inline void decode(const Json& json, const Place& at, Data& data) {
  std::string text;
  decode(json, at, text);
  try {
    data = parse_data(text);
  } catch (const ValueError&) {
    at.fail("real, uniform, shuffled, generic:NAME or others", json);
  }
}
inline void decode(const Json& json, const Place& at, ChunkLoss& c) {
  if (array(json, at).size() != 3) at.fail("[document, nll, tokens]", json);
  decode(json[0], at[0], c.document), decode(json[1], at[1], c.nll), decode(json[2], at[2], c.tokens);
  if (c.tokens < 1) at[2].fail("at least 1 token", json[2]);
}
template <class A, class B>
void decode(const Json& json, const Place& at, std::pair<A, B>& pair);
template <class T>
void decode(const Json& json, const Place& at, std::optional<T>& value);
template <class T>
void decode(const Json& json, const Place& at, std::vector<T>& values);
template <class T>
void decode(const Json& json, const Place& at, std::map<std::string, T>& values);
template <Record T>
void decode(const Json& json, const Place& at, T& record);

class Reader {
 public:
  Reader(const Json& json, Place at) : object_(results_json::object(json, at)), at_(std::move(at)) {}

  template <class T>
  void operator()(const char* key, T& value) {
    decode(member(key), at_ / key, value);
  }
  template <class F>
  void nested(const char* key, F&& list) {
    Reader inner(member(key), at_ / key);
    list(inner);
  }
  template <class T>
  void optional(const char* key, T& value, T absent) {
    value = absent;
    if (object_.contains(key)) decode(object_[key], at_ / key, value);
  }
  void choice(const char* key, bool& value, const char* yes, const char* no) {
    const Json& json = member(key);
    if (json != yes && json != no) (at_ / key).fail(std::string(yes) + " or " + no, json);
    value = json == yes;
  }
  void nullable(const char* key, std::string& value) {
    value.clear();
    if (!object_.contains(key)) (at_ / key).fail("text or null", Json());
    if (!object_[key].is_null()) decode(object_[key], at_ / key, value);
  }

 private:
  const Json& member(const char* key) const {
    static const Json nothing;
    const auto found = object_.find(key);
    return found == object_.end() ? nothing : *found;
  }

  const Json& object_;
  Place at_;
};

template <Record T>
void decode(const Json& json, const Place& at, T& record) {
  Reader reader(json, at);
  members(reader, record);
}
template <class A, class B>
void decode(const Json& json, const Place& at, std::pair<A, B>& pair) {
  if (array(json, at).size() != 2) at.fail("a pair", json);
  decode(json[0], at[0], pair.first), decode(json[1], at[1], pair.second);
}
template <class T>
void decode(const Json& json, const Place& at, std::optional<T>& value) {
  value.reset();
  if (!json.is_null()) decode(json, at, value.emplace());
}
template <class T>
void decode(const Json& json, const Place& at, std::vector<T>& values) {
  values.clear();
  for (std::size_t i = 0; i < array(json, at).size(); ++i) decode(json[i], at[i], values.emplace_back());
}
template <class T>
void decode(const Json& json, const Place& at, std::map<std::string, T>& values) {
  values.clear();
  for (const auto& [key, value] : object(json, at).items()) decode(value, at / key, values[key]);
}

}  // namespace tern::detail::results_json
