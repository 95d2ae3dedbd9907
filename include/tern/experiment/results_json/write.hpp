#pragma once
/// Records as JSON.
#include <cmath>
#include <concepts>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tern/core/quote.hpp"
#include "tern/experiment/results_json/records.hpp"

namespace tern::detail::results_json {

class Writer {
 public:
  template <class T>
  void operator()(const char* key, T& value);
  template <class F>
  void nested(const char* key, F&& list) {
    Writer inner;
    list(inner);
    object_[key] = std::move(inner.object_);
  }
  template <class T>
  void optional(const char* key, T& value, T absent);
  void choice(const char* key, bool& value, const char* yes, const char* no) { object_[key] = value ? yes : no; }
  void nullable(const char* key, std::string& value) { object_[key] = value.empty() ? Json() : Json(shown(value)); }

  Json take() { return std::move(object_); }

 private:
  Json object_ = Json::object();
};

inline Json encode(const std::string& value) { return shown(value); }
inline Json encode(double value) { return std::isfinite(value) ? Json(value) : Json(); }
inline Json encode(bool value) { return value; }
template <std::integral T>
Json encode(T value) {
  return value;
}
inline Json encode(const Data& data) { return to_string(data); }
inline Json encode(const ChunkLoss& c) { return Json::array({c.document, encode(c.nll), c.tokens}); }
template <class A, class B>
Json encode(const std::pair<A, B>& pair);
template <class T>
Json encode(const std::optional<T>& value);
template <class T>
Json encode(const std::vector<T>& values);
template <class T>
Json encode(const std::map<std::string, T>& values);
template <Record T>
Json encode(const T& record) {
  Writer writer;
  T copy = record;  // one list of members serves reading too, which needs them writable
  members(writer, copy);
  return writer.take();
}
template <class A, class B>
Json encode(const std::pair<A, B>& pair) {
  return Json::array({encode(pair.first), encode(pair.second)});
}
template <class T>
Json encode(const std::optional<T>& value) {
  return value ? encode(*value) : Json();
}
template <class T>
Json encode(const std::vector<T>& values) {
  Json array = Json::array();
  for (const T& v : values) array.push_back(encode(v));
  return array;
}
template <class T>
Json encode(const std::map<std::string, T>& values) {
  Json object = Json::object();
  for (const auto& [key, v] : values) object[shown(key)] = encode(v);
  return object;
}
template <class T>
void Writer::operator()(const char* key, T& value) {
  object_[key] = encode(static_cast<const T&>(value));
}
template <class T>
void Writer::optional(const char* key, T& value, T absent) {
  if (value != absent) object_[key] = encode(static_cast<const T&>(value));
}

/// Two levels are laid out, what lies deeper is one line.
inline std::string lay_out(const Json& document) {
  const auto line = [](const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); };
  std::string out = "{";
  const char* comma = "\n";
  for (const auto& [key, value] : document.items()) {
    out += comma + line(key) + ": ";
    comma = ",\n";
    const bool many = value.is_structured() && !value.empty() && key != "tern" && key != "base";
    if (!many) {
      out += line(value);
      continue;
    }
    out += value.is_array() ? "[" : "{";
    const char* inner = "\n ";
    for (const auto& [name, item] : value.items()) {
      out += inner + (value.is_array() ? "" : line(name) + ": ") + line(item);
      inner = ",\n ";
    }
    out += value.is_array() ? "\n]" : "\n}";
  }
  return out + "\n}\n";
}

}  // namespace tern::detail::results_json
