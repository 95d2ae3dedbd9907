#pragma once
/// Results as a document, there and back: the only JSON of a shootout. Compact: each user, adapter, cell and verdict is
/// one line.
#include <set>
#include <string>
#include <string_view>

#include "tern/experiment/results_json/findings.hpp"
#include "tern/experiment/results_json/read.hpp"
#include "tern/experiment/results_json/write.hpp"

namespace tern {

/// The document's text (results.json): what was measured and, beside it, what was found.
inline std::string to_json(const Results& results, const Findings& findings) {
  namespace d = detail::results_json;
  d::Json json = {{"tern", d::encode(results.tern)},         {"base", d::encode(results.base)},
                  {"protocol", d::encode(results.protocol)}, {"populations", d::Json::array()},
                  {"users", d::encode(results.users)},       {"left_out", d::encode(results.left_out)},
                  {"verdicts", d::encode(findings)},         {"adapters", d::encode(results.adapters)},
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
    (at / "protocol.version")
        .fail(std::to_string(results.protocol.version), protocol.contains("version") ? protocol["version"] : d::Json());
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
  const auto known = [](const std::set<std::string>& names, const std::string& name, const d::Place& place,
                        const char* what) {
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
