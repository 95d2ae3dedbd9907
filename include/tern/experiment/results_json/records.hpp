#pragma once
/// The members of each record of results.json, listed once: writing and reading walk these lists.
#include <nlohmann/json.hpp>

#include "tern/experiment/results.hpp"

namespace tern::detail::results_json {

using Json = nlohmann::ordered_json;  // members stay in the order of their list

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
    b.optional("seconds", r.budget.seconds, Budget::any_seconds),
        b.optional("steps", r.budget.steps, Budget::any_steps);
  });
  v("experiments", r.experiments), v("weights", r.weights), v("precision", r.precision), v("gradients", r.gradients);
  v.optional("state", r.state, std::string());
  v.optional("validation_tokens", r.validation_tokens, Index{0}), v.optional("pilot_users", r.pilot_users, Index{0});
  v.optional("most_rates", r.most_rates, Index{0}), v.optional("sweep_users", r.sweep_users, Index{0}),
      v.optional("seed_users", r.seed_users, Index{0});
  v.optional("early_stopping", r.early_stopping, false), v.optional("controls", r.controls, std::vector<std::string>{});
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
  v.optional("form", s.form, std::string()), v.optional("group", r.group, Index{0});
  v("bytes", r.bytes), v("learning_rate", r.learning_rate), v("steps", r.steps), v("seconds", r.seconds);
  v.choice("status", r.ok, "ok", "failed"), v("reason", r.reason), v("curve", r.curve);
}
template <class V>
void members(V& v, CellRecord& r) {
  v.nullable("adapter", r.adapter), v("weights", r.weights), v("user", r.user), v("nll", r.nll);
  v.optional("form", r.form, std::string());
  v("tokens", r.tokens), v("bytes", r.bytes), v("chunks", r.chunks);
}

class Writer;
class Reader;
template <class T>
concept Record = requires(Writer& v, T& t) {
  members(v, t);
};

}  // namespace tern::detail::results_json
