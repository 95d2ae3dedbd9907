#pragma once
/// The order of a report: the answer in words, then experiment by experiment, then how it was measured.
#include "tern/experiment/report/tables.hpp"

namespace tern::report {

struct Experiment {
  const char* id;
  const char* title;
  const char* says;  // a claim, which holds or does not, or what is measured
  bool is_claim = true;
};

/// The experiments of the protocol, in its order.
inline constexpr std::array experiments = {
    Experiment{"E1", "Formats", "At the same budget, norm-only beats LoRA and full fine-tuning for every user."},
    Experiment{"E2", "Replication", "The order of the formats is no accident of one seed."},
    Experiment{"E3", "Noise floor", "The gain comes from the person's text, not from regularisation."},
    Experiment{"E4", "Confusion matrix", "The gain is the person's own."},
    Experiment{"E5", "Robustness", "The gain survives numerical noise."},
    Experiment{"E6", "Ternary base", "Norm-only works on a ternary base."},
    Experiment{"E7", "Adapter precision", "What smaller adapters lose.", false},
    Experiment{"E8", "Sharing", "What users lose by sharing adapters.", false},
    Experiment{"E9", "Storage", "What a fleet of users costs to store.", false},
    Experiment{"E10", "4-bit base", "Norm-only works on a 4-bit base."},
    Experiment{"E11", "Heterogeneity", "Which kinds of text gain.", false},
    Experiment{"E12", "Budget", "How long a user must wait.", false}};

struct Verdict {
  std::string id, title, says;
  bool is_claim = true;
  Maybe holds;  // 1, 0, or not decided
  std::string sentence, reason, interval;
  Maybe comparisons;

  const char* word() const {
    if (holds) return *holds > 0 ? "Holds" : "Does not hold";
    return is_claim ? "Not decided" : "Measured";
  }

  /// How sure, and why not: whole sentences, perhaps none.
  std::string small_print() const {
    std::string all;
    if (!holds && !reason.empty()) all += "Reason: " + reason + (reason.back() == '.' ? " " : ". ");
    if (!interval.empty()) all += "Paired bootstrap interval of the margin: " + interval + ". ";
    if (comparisons.value_or(0) > 0) all += "Comparisons: " + grouped(*comparisons) + ". ";
    if (!all.empty()) all.pop_back();
    return all;
  }
};

/// One verdict of the document, under its experiment.
inline Verdict read_verdict(const std::string& id, const Json& json) {
  Verdict v;
  v.id = id;
  for (const Experiment& e : experiments)
    if (id == e.id) v.title = e.title, v.says = e.says, v.is_claim = e.is_claim;
  if (const Json& holds = member(json, "holds"); holds.is_boolean()) v.holds = holds.get<bool>() ? 1 : 0;
  v.sentence = words(json, "sentence"), v.reason = words(json, "reason");
  const Json& interval = member(json, "interval");
  if (const Maybe low = number(interval, "low"), high = number(interval, "high"); low && high)
    v.interval = margin(low) + " to " + margin(high);
  v.comparisons = number(json, "comparisons");
  return v;
}

/// All verdicts but the tree's, in the protocol's order, unknown ones last.
inline std::vector<Verdict> read_verdicts(const Readings& r) {
  const Json& all = member(r.document(), "verdicts");
  std::vector<Verdict> verdicts;
  if (!all.is_object()) return verdicts;
  for (const Experiment& e : experiments)
    if (all.contains(e.id)) verdicts.push_back(read_verdict(e.id, all[e.id]));
  for (const auto& [id, json] : all.items()) {
    const auto known = [&i = id](const Experiment& e) { return i == e.id; };
    if (id != "tree" && std::none_of(experiments.begin(), experiments.end(), known))
      verdicts.push_back(read_verdict(id, json));
  }
  return verdicts;
}

/// The answer to the whole: what the contingency tree decided.
inline std::string conclusion(const Readings& r) {
  return words(member(member(r.document(), "verdicts"), "tree"), "sentence");
}

/// "Of 4 claims put to the test, 1 holds and 3 do not." Nulls count as loudly as wins.
inline std::string tally(const std::vector<Verdict>& verdicts) {
  std::size_t holds = 0, fails = 0;
  for (const Verdict& v : verdicts) {
    if (v.holds) ++(*v.holds > 0 ? holds : fails);
  }
  if (verdicts.empty()) return "No verdict was reached.";
  if (holds + fails == 0) return "No claim was decided.";
  const auto verb = [](std::size_t n, const char* one, const char* many) {
    return std::to_string(n) + (n == 1 ? one : many);
  };
  return "Of " + verb(holds + fails, " claim", " claims") + " put to the test, " + verb(holds, " holds", " hold") +
         " and " + verb(fails, " does not.", " do not.");
}

/// The tables of one experiment; none where nothing of it was measured.
inline std::vector<Table> tables_of(const Readings& r, const std::string& id) {
  std::vector<Table> tables;
  if (id == "E1") tables = {formats_table(r)};
  if (id == "E2") tables = {replication_table(r)};
  if (id == "E3") tables = {noise_table(r)};
  if (id == "E4") {
    tables = {personal_table(r)};
    for (const std::string& format : formats_with(r)) tables.push_back(personal_table(r, format));
  }
  if (id == "E6")
    for (const std::string& format : ternary_formats(r)) tables.push_back(ternary_table(r, format));
  if (id == "E9") tables = {storage_table(r)};
  if (id == "E12") tables = {budget_table(r)};
  tables.erase(std::remove_if(tables.begin(), tables.end(),
                              [](const Table& t) { return t.rows.empty() || t.columns.size() < 2; }),
               tables.end());
  return tables;
}

/// What a comparison needs to be believed, as pairs of name and value.
inline std::vector<std::pair<std::string, std::string>> method(const Readings& r) {
  const Json& base = member(r.document(), "base");
  const Json& protocol = member(r.document(), "protocol");
  const Json& build = member(r.document(), "tern");
  std::vector<std::pair<std::string, std::string>> facts;
  const auto fact = [&](const char* name, const std::string& value) {
    if (!value.empty() && value != missing) facts.emplace_back(name, value);
  };
  const auto joined = [](const Json& value) {
    if (!value.is_array()) return words(value);
    std::string all;
    for (const Json& v : value) all += (all.empty() ? "" : ", ") + words(v);
    return all;
  };
  fact("Base", words(base, "name"));
  fact("Architecture", words(base, "architecture"));
  fact("Parameters", count(number(base, "parameters")));
  fact("Weights", words(base, "weights") + (number(base, "bytes") ? ", " + bytes(number(base, "bytes")) : ""));
  if (const std::string weights = words(protocol, "weights"); !weights.empty() && weights != "dense")
    fact("Trained on", weights + " weights");
  fact("Gains a user", count(number(base, "gains")));
  fact("Fingerprint", words(base, "fingerprint"));
  const Json& budget = member(protocol, "budget");
  if (number(budget, "seconds")) fact("Budget", seconds(number(budget, "seconds")) + " of training an adapter");
  if (number(budget, "steps")) fact("Budget", count(number(budget, "steps")) + " steps an adapter");
  fact("Formats", joined(member(protocol, "formats")));
  fact("Learning rates tried a run", count(number(protocol, "learning_rate_trials")));
  fact("Seeds", joined(member(protocol, "seeds")));
  fact("Held-out texts a user", joined(member(protocol, "texts")));
  fact("Context", number(protocol, "context") ? count(number(protocol, "context")) + " tokens" : "");
  fact("Perplexity", words(protocol, "convention"));
  if (number(protocol, "eval_tokens"))
    fact("Tokens scored a text", "at most " + count(number(protocol, "eval_tokens")));
  double scored = 0, comparisons = 0;
  for (const std::string& user : r.users()) scored += r.tokens(user).value_or(0);
  if (scored > 0) fact("Tokens scored", grouped(scored) + " over all users and texts");
  for (const Verdict& v : read_verdicts(r)) comparisons += v.comparisons.value_or(0);
  fact("Comparisons made", grouped(comparisons));
  const auto failed = failed_table(r).rows.size();
  fact("Runs", grouped(static_cast<double>(list(r.document(), "adapters").size())) + ", of which " +
                   grouped(static_cast<double>(failed)) + " failed");
  fact("Users left out", grouped(static_cast<double>(left_out_table(r).rows.size())));
  fact("CPU", words(build, "cpu"));
  fact("Threads", words(build, "threads"));
  fact("Instructions", words(build, "isa"));
  const std::string commit = words(build, "commit");
  fact("Build", "tern " + words(build, "version") + (commit.empty() ? "" : " (" + commit + ")") +
                    (words(build, "compiler").empty() ? "" : ", " + words(build, "compiler")));
  return facts;
}

}  // namespace tern::report
