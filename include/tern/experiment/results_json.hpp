#pragma once
/// Results as a document, there and back: the only JSON of a shootout. Each record's members are listed once; writing
/// and reading walk that list. Compact: each user, adapter, cell and verdict is one line.
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>

#include "tern/core/quote.hpp"
#include "tern/experiment/finding.hpp"
#include "tern/experiment/results.hpp"

namespace tern {

namespace detail::results_json {

using Json = nlohmann::ordered_json;

/// Names a member as a list; each record below has one.
template <class V>
void members(V& v, BuildRecord& r) {
  v("version", r.version), v("commit", r.commit), v("compiler", r.compiler), v("isa", r.isa), v("cpu", r.cpu);
  v("threads", r.threads);
}
template <class V>
void members(V& v, BaseRecord& r) {
  v("name", r.name), v("fingerprint", r.fingerprint), v("architecture", r.architecture);
  v("parameters", r.parameters), v("types", r.types), v("bytes", r.bytes), v("gains", r.gains);
  v("gain_vectors", r.gain_vectors), v("ternary_twin", r.ternary_twin);
}
template <class V>
void members(V& v, Roles& r) {
  v("champion", r.champion), v("rivals", r.rivals), v("fallback", r.fallback);
}
template <class V>
void members(V& v, ContenderRecord& r) {
  v("name", r.name), v("title", r.title), v("trains_base", r.trains_base), v("parameters", r.parameters);
  v("sites", r.sites);
}
template <class V>
void members(V& v, Calibration& r) {
  v("seconds_a_step", r.seconds_a_step), v("steps", r.steps), v("cpu", r.cpu);
}
template <class V>
void members(V& v, RateTrial& r) {
  v("rate", r.rate), v("loss", r.loss);
}
template <class V>
void members(V& v, PilotRecord& r) {
  v("users", r.users), v("rates", r.rates), v("chosen", r.chosen), v("for_pilot", r.for_pilot);
  v("interior", r.interior), v("candidate", r.candidate), v("candidates", r.candidates);
}
template <class V>
void members(V& v, ProtocolRecord& r) {
  v("version", r.version), v("hash", r.hash), v("kind", r.kind), v("roles", r.roles), v("contenders", r.contenders);
  v.nested("margins", [&](V& m) { m("equivalence", r.margin), m("alpha", r.alpha); });
  v("context", r.context), v("eval_tokens", r.eval_tokens), v("seeds", r.seeds), v("split", r.split);
  v.nested("budget", [&](V& b) {
    b.optional("seconds", r.budget.seconds, Budget::any_seconds), b.optional("steps", r.budget.steps, Budget::any_steps);
  });
  v("experiments", r.experiments), v("weights", r.weights), v("precision", r.precision), v("gradients", r.gradients);
  v("generic", r.generic), v("refused", r.refused);
  v("calibration", r.calibration), v("pilots", r.pilots);
}
template <class V>
void members(V& v, UserRecord& r) {
  v("name", r.name), v("population", r.population), v("kind", r.kind), v("language", r.language);
  v("owners", r.owners), v("guessed_owner", r.guessed_owner), v("documents", r.documents), v("bytes", r.bytes);
  v.nested("tokens", [&](V& t) {
    t("train", r.train_tokens), t("validation", r.validation_tokens), t("held_out", r.held_out_tokens);
  });
  v("split", r.split), v("one_work", r.one_work), v("split_hash", r.split_hash);
  v("duplicates_removed", r.duplicates_removed), v("replaced", r.replaced), v("scrubbed", r.scrubbed);
  v("skipped", r.skipped), v("files", r.files);
}
template <class V>
void members(V& v, LeftOut& r) {
  v("name", r.name), v("reason", r.reason);
}
template <class V>
void members(V& v, CurvePoint& r) {
  v("step", r.step), v("seconds", r.seconds), v("validation_ppl", r.validation_ppl);
}
template <class V>
void members(V& v, AdapterRecord& r) {
  Setting& s = r.setting;
  v("id", r.id), v("contender", s.contender), v("user", s.user), v("seed", s.seed), v("data", s.data);
  v("weights", s.weights), v("budget", s.budget), v("train_tokens", s.tokens), v("parameters", r.parameters);
  v("bytes", r.bytes), v("learning_rate", r.learning_rate), v("steps", r.steps), v("seconds", r.seconds);
  v.choice("status", r.ok, "ok", "failed"), v("reason", r.reason), v("curve", r.curve);
}
template <class V>
void members(V& v, CellRecord& r) {
  v.nullable("adapter", r.adapter), v("weights", r.weights), v("user", r.user), v("nll", r.nll);
  v("tokens", r.tokens), v("bytes", r.bytes), v("chunks", r.chunks);
}

class Writer;
class Reader;
template <class T>
concept Record = requires(Writer& v, T& t) { members(v, t); };

// ---- writing

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

// ---- reading

/// Where in the document a value stands, for messages: "results 'r.json': cells[3].nll".
struct Place {
  std::string path;

  Place operator/(const std::string& key) const { return {path + (path.ends_with(": ") ? "" : ".") + key}; }
  Place operator[](std::size_t i) const { return {path + "[" + std::to_string(i) + "]"}; }
  [[noreturn]] void fail(const std::string& expected, const Json& got) const {
    std::string text = got.is_structured() ? std::string(got.type_name()) : got.dump(-1, ' ', false, Json::error_handler_t::replace);
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
    if (!member(key).is_null()) decode(member(key), at_ / key, value);
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

// ---- the whole

inline Json encode(const statistics::Interval& i) { return Json::array({encode(i.low), encode(i.high)}); }

inline Json encode(const Claim& c) {
  const statistics::Interval margin = c.margin();
  Json json = {{"a", shown(c.a)},
               {"b", shown(c.b)},
               {"answer", std::string(name(c.answer))},
               {"reason", shown(c.reason)},
               {"estimate", encode(margin.point)},
               {"interval", encode(margin)},
               {"nats", encode(c.users.difference.point)}};
  if (c.bootstrap) json["bootstrap"] = encode(statistics::margin(*c.bootstrap));
  json["p"] = encode(c.users.p), json["p_adjusted"] = encode(c.p_adjusted), json["users"] = c.users.users;
  json["strict"] = c.strict, json["within_margin"] = c.within_margin;
  if (c.users_needed) json["users_needed"] = *c.users_needed;
  if (!c.family.empty()) json["family"] = c.family;
  return json;
}

inline Json encode(const Finding& f) {
  Json json = {{"answer", std::string(name(f.answer))},
               {"reason", shown(f.reason)},
               {"sentence", shown(f.sentence)},
               {"comparisons", f.claims.size()},
               {"claims", Json::array()},
               {"numbers", Json::object()},
               {"notes", encode(f.notes)}};
  for (const Claim& c : f.claims) json["claims"].push_back(encode(c));
  for (const auto& [key, value] : f.numbers) json["numbers"][key] = value ? encode(*value) : Json();
  return json;
}

inline Json encode(const Findings& findings) {
  Json json = Json::object();
  for (const Finding& f : findings.experiments) json[f.id] = encode(f);
  const Decision& d = findings.decision;
  if (!d.sentence.empty())
    json["decision"] = {{"contender", shown(d.contender)},
                        {"storage", d.storage},
                        {"sentence", shown(d.sentence)},
                        {"reason", shown(d.reason)}};
  return json;
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

}  // namespace detail::results_json

/// The document's text (results.json): what was measured and, beside it, what was found.
inline std::string to_json(const Results& results, const Findings& findings) {
  namespace d = detail::results_json;
  d::Json json = {{"tern", d::encode(results.tern)},   {"base", d::encode(results.base)},
                  {"protocol", d::encode(results.protocol)}, {"populations", d::Json::array()},
                  {"users", d::encode(results.users)}, {"left_out", d::encode(results.left_out)},
                  {"verdicts", d::encode(findings)},   {"adapters", d::encode(results.adapters)},
                  {"cells", d::encode(results.cells)}};
  for (const auto& [name, users] : results.populations())
    json["populations"].push_back({{"name", shown(name)}, {"users", d::encode(users)}});
  return d::lay_out(json);
}

/// Reads what to_json wrote; findings are left for judge() to compute anew. Throws FormatError naming `source`, the
/// field, what was expected and what is there, on damaged text, a missing field or another version.
inline Results from_json(std::string_view text, const std::string& source) {
  namespace d = detail::results_json;
  const d::Place at{"results " + in_quotes(source) + ": "};
  const auto shallow = [&](int depth, d::Json::parse_event_t, d::Json&) {
    if (depth > 16) throw FormatError(at.path + "expected at most 16 levels of JSON");
    return true;
  };
  d::Json json;
  try {
    json = d::Json::parse(text, shallow);
  } catch (const d::Json::exception& e) {
    throw FormatError(at.path + "expected JSON, " + shown(e.what()));
  }
  Results results;
  d::object(json, {at.path + "document"});
  const auto member = [&](const char* key) -> const d::Json& {
    static const d::Json nothing;
    return json.contains(key) ? json[key] : nothing;
  };
  const d::Json& protocol = d::object(member("protocol"), at / "protocol");
  if (!protocol.contains("version") || protocol["version"] != results.protocol.version)
    (at / "protocol.version").fail(std::to_string(results.protocol.version), protocol.contains("version") ? protocol["version"] : d::Json());
  d::decode(member("tern"), at / "tern", results.tern);
  d::decode(member("base"), at / "base", results.base);
  d::decode(protocol, at / "protocol", results.protocol);
  d::decode(member("users"), at / "users", results.users);
  d::decode(member("left_out"), at / "left_out", results.left_out);
  d::decode(member("adapters"), at / "adapters", results.adapters);
  d::decode(member("cells"), at / "cells", results.cells);
  std::set<std::string> users{""}, adapters{""};  // nobody, and the bare base
  for (const UserRecord& u : results.users) users.insert(u.name);
  for (const AdapterRecord& a : results.adapters) adapters.insert(a.id);
  const auto known = [](const std::set<std::string>& names, const std::string& name, const d::Place& place, const char* what) {
    if (!names.contains(name)) place.fail(what, name);
  };
  for (std::size_t i = 0; i < results.adapters.size(); ++i)
    known(users, results.adapters[i].setting.user, (at / "adapters")[i] / "user", "one of users");
  for (std::size_t i = 0; i < results.cells.size(); ++i) {
    const d::Place cell = (at / "cells")[i];
    known(users, results.cells[i].user, cell / "user", "one of users");
    known(adapters, results.cells[i].adapter, cell / "adapter", "the id of one of adapters");
  }
  return results;
}

}  // namespace tern
