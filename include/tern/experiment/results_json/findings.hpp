#pragma once
/// What was found, as results.json has it beside what was measured. It is written and never read: judge() computes it
/// anew.
#include <string>

#include "tern/experiment/finding.hpp"
#include "tern/experiment/results_json/write.hpp"

namespace tern::detail::results_json {

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
  json["p"] = encode(c.users.p), json["p_adjusted"] = encode(c.p_adjusted), json["comparisons"] = c.comparisons;
  json["users"] = c.users.users;
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

}  // namespace tern::detail::results_json
