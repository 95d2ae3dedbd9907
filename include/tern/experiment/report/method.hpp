#pragma once
/// How a run was made, for both forms of a report: what must be known to believe it.
#include "tern/experiment/finding.hpp"
#include "tern/experiment/report/limits.hpp"

namespace tern::report {

namespace detail {

inline std::string count_or_nothing(Index n) { return n > 0 ? words::grouped(static_cast<double>(n)) : std::string(); }

inline std::string joined(const std::vector<std::string>& all, const char* between = ", ") {
  std::string out;
  for (const std::string& s : all) out += (out.empty() ? "" : between) + s;
  return out;
}

/// Each with its count: "mail 12, phone 3".
inline std::string counted(const std::map<std::string, Index>& counts) {
  std::vector<std::string> all;
  for (const auto& [what, n] : counts) all.push_back(what + " " + words::grouped(static_cast<double>(n)));
  return joined(all);
}

inline std::string budget_words(const Budget& b) {
  std::vector<std::string> all;
  if (b.seconds != Budget::any_seconds)
    all.push_back(words::seconds(b.seconds) + " of training an adapter, counted in steps");
  if (b.steps != Budget::any_steps) all.push_back(words::grouped(static_cast<double>(b.steps)) + " steps an adapter");
  return joined(all);
}

inline std::string or_missing(std::string s) { return s.empty() ? std::string(words::missing) : s; }

/// Mean loss of a trial over pilots; missing where one diverged.
inline std::string mean_loss(const RateTrial& trial) {
  double sum = 0;
  for (const auto& loss : trial.loss) {
    if (!loss || !std::isfinite(*loss)) return "diverged";
    sum += *loss;
  }
  return trial.loss.empty() ? std::string(words::missing)
                            : words::fixed(sum / static_cast<double>(trial.loss.size()), 3);
}

inline Table contenders_table(const Results& r) {
  Table t{"Contenders", {"contender", "part", "numbers", "trains", "steps", "seconds a step"}};
  t.numbers = false;
  const Roles& roles = r.protocol.roles;
  for (const ContenderRecord& c : r.protocol.contenders) {
    std::vector<std::string> parts;
    if (c.name == roles.champion) parts.push_back("champion");
    if (std::find(roles.rivals.begin(), roles.rivals.end(), c.name) != roles.rivals.end()) parts.push_back("rival");
    if (c.name == roles.fallback) parts.push_back("fallback");
    const auto at = r.protocol.calibration.find(c.name);
    const bool known = at != r.protocol.calibration.end();
    t.rows.push_back({title_of(r, c.name), or_missing(joined(parts)), or_missing(count_or_nothing(c.parameters)),
                      c.sites.empty() ? (c.trains_base ? "the whole base" : std::string(words::missing)) : c.sites,
                      known ? words::grouped(static_cast<double>(at->second.steps)) : std::string(words::missing),
                      known ? words::general(at->second.seconds_a_step) : std::string(words::missing)});
  }
  t.note = "Steps: how many the budget buys at the seconds a step that were measured beforehand, contenders in turns.";
  return t;
}

inline Table pilots_table(const Results& r) {
  Table t{
      "Pilots: learning rates",
      {"contender", "chosen", "inside the grid", "mean validation loss of the rates tried", "pilots (their own rate)"}};
  t.numbers = false;
  for (const auto& [contender, p] : r.protocol.pilots) {
    std::vector<std::string> rates, pilots;
    for (const RateTrial& trial : p.rates) rates.push_back(mean_loss(trial) + " at " + words::general(trial.rate));
    for (std::size_t i = 0; i < p.users.size(); ++i)
      pilots.push_back(p.users[i] + (i < p.for_pilot.size() ? " (" + words::general(p.for_pilot[i]) + ")" : ""));
    t.rows.push_back({title_of(r, contender),
                      words::general(p.chosen),
                      {p.interior ? "yes" : "no: not tuned", !p.interior},
                      or_missing(joined(rates, "; ")),
                      or_missing(joined(pilots))});
  }
  t.note = "In nats per token. Every pilot's own run has the rate that the other pilots chose.";
  return t;
}

inline Table candidates_table(const Results& r) {
  Table t{"Pilots: candidates of one contender", {"contender", "candidate", "best mean loss", "chosen"}};
  t.numbers = false;
  for (const auto& [contender, p] : r.protocol.pilots)
    for (const auto& [candidate, loss] : p.candidates)
      t.rows.push_back({title_of(r, contender), candidate,
                        loss && std::isfinite(*loss) ? words::fixed(*loss, 3) : "diverged",
                        std::string(candidate == p.candidate ? "yes" : "")});
  return t;
}

inline Table users_table(const Results& r) {
  Table t{"Users",
          {"user", "kind", "language", "documents", "bytes", "train", "validation", "held out", "duplicates removed",
           "scrubbed"}};
  t.note = "Train, validation and held out in tokens.";
  const auto number = [](Index n) { return words::grouped(static_cast<double>(n)); };
  for (const UserRecord& u : r.users) {
    Index scrubbed = 0;
    for (const auto& class_count : u.scrubbed) scrubbed += class_count.second;
    t.rows.push_back({u.name, or_missing(u.kind), or_missing(u.language),
                      number(u.documents) + (u.one_work ? ", one work" : ""),
                      words::bytes(static_cast<double>(u.bytes)), number(u.train_tokens), number(u.validation_tokens),
                      number(u.held_out_tokens), number(u.duplicates_removed), number(scrubbed)});
  }
  return t;
}

inline Table ownership_table(const Results& r) {
  Table t{"Users: whose text, how split and scrubbed",
          {"user", "population", "owner found how", "split", "split's hash", "scrubbed", "files skipped, by reason"}};
  t.numbers = false;
  for (const UserRecord& u : r.users)
    t.rows.push_back({u.name, or_missing(u.population),
                      or_missing(joined(u.owners, "; ") + (u.guessed_owner ? " (guessed)" : "")), or_missing(u.split),
                      or_missing(u.split_hash.substr(0, 12)), or_missing(counted(u.scrubbed)),
                      or_missing(counted(u.skipped))});
  return t;
}

inline Table skipped_table(const Results& r) {
  Table t{"Files skipped", {"user", "file", "reason"}};
  t.numbers = false;
  for (const UserRecord& u : r.users)
    for (const auto& [file, reason] : u.files) t.rows.push_back({u.name, file, reason});
  return t;
}

inline Table failed_table(const Results& r) {
  Table t{"Runs that failed", {"run", "reason"}};
  t.numbers = false;
  for (const AdapterRecord& a : r.adapters)
    if (!a.ok) t.rows.push_back({describe(a.setting), or_missing(a.reason)});
  return t;
}

inline Table left_out_table(const Results& r) {
  Table t{"Users left out", {"user", "reason"}};
  t.numbers = false;
  for (const LeftOut& l : r.left_out) t.rows.push_back({l.name, or_missing(l.reason)});
  return t;
}

}  // namespace detail

/// The tables of the method that have rows, in reading order.
inline std::vector<Table> method_tables(const Results& r) {
  std::vector<Table> all = {detail::contenders_table(r), detail::pilots_table(r), detail::candidates_table(r),
                            detail::left_out_table(r),   detail::failed_table(r), detail::users_table(r),
                            detail::ownership_table(r),  detail::skipped_table(r)};
  std::erase_if(all, [](const Table& t) { return t.rows.empty(); });
  return all;
}

/// Pairs of name and value; what is not known is left out.
inline std::vector<std::pair<std::string, std::string>> method_facts(const Results& r) {
  const ProtocolRecord& p = r.protocol;
  std::vector<std::pair<std::string, std::string>> facts;
  const auto fact = [&](const char* name, std::string value) {
    if (!value.empty()) facts.emplace_back(name, std::move(value));
  };
  const auto number = [](Index n) { return detail::count_or_nothing(n); };
  fact("Fixed before the first run",
       p.hash.empty() ? "" : "protocol " + std::to_string(p.version) + " (" + p.kind + "), hash " + p.hash);
  fact("Champion", detail::title_of(r, p.roles.champion));
  std::vector<std::string> rivals;
  for (const std::string& rival : p.roles.rivals) rivals.push_back(detail::title_of(r, rival));
  fact("Rivals", detail::joined(rivals));
  fact("Fallback", detail::title_of(r, p.roles.fallback));
  fact("Margin of equivalence", "±" + words::fixed(100 * p.margin, p.margin < 0.01 ? 1 : 0) + "% of perplexity");
  fact("Level of tests", words::general(p.alpha));
  fact("Comparisons",
       "margin is 1 − perplexity of the first over that of the second; users weigh the same; interval by t over users; "
       "p by "
       "sign flips over users, adjusted (Holm) for the comparisons fixed together; equivalent within the margin by two "
       "one-sided tests; bootstrap over users, their documents and chunks");
  fact("Base", r.base.name);
  fact("Architecture", r.base.architecture);
  fact("Parameters of the base", number(r.base.parameters));
  std::vector<std::string> types;
  for (const auto& [type, share] : r.base.types) types.push_back(type + " " + words::percent(share));
  fact("Weights",
       detail::joined(types) +
           (r.base.bytes > 0 ? (types.empty() ? "" : "; ") + words::bytes(static_cast<double>(r.base.bytes)) : ""));
  if (p.weights != "stored") fact("Trained on", p.weights + " weights");
  fact("Ternary twin", r.base.ternary_twin ? "the base has one" : "");
  fact("Gains a user",
       r.base.gains > 0 ? number(r.base.gains) + " in " + number(r.base.gain_vectors) + " vectors" : "");
  fact("Fingerprint of the base", r.base.fingerprint);
  fact("Budget", detail::budget_words(p.budget));
  fact("Seeds", number(p.seeds));
  fact("Context", p.context > 0 ? number(p.context) + " tokens" : "");
  fact("Tokens scored a user", p.eval_tokens > 0 ? "up to " + number(p.eval_tokens) : "");
  fact("Split", p.split);
  fact("Precision", p.precision + (p.gradients.empty() ? "" : ", gradients " + p.gradients));
  fact("Full fine-tuning", p.state.empty() ? "" : "gradients and moments in " + p.state);
  fact("Experiments", detail::joined(p.experiments));
  std::vector<std::string> populations;
  for (const auto& [name, users] : r.populations())
    populations.push_back((name.empty() ? "" : name + ": ") + words::count(detail::size_of(users.size()), "user"));
  fact("Populations", detail::joined(populations, "; "));
  std::vector<std::string> cpus;
  for (const auto& [contender, c] : p.calibration)
    if (!c.cpu.empty() && std::find(cpus.begin(), cpus.end(), c.cpu) == cpus.end()) cpus.push_back(c.cpu);
  fact("Calibrated on", detail::joined(cpus, "; "));
  const auto failed = std::count_if(r.adapters.begin(), r.adapters.end(), [](const AdapterRecord& a) { return !a.ok; });
  fact("Runs", words::grouped(static_cast<double>(r.adapters.size())) + ", of which " +
                   words::grouped(static_cast<double>(failed)) + " failed");
  fact("Users left out", words::grouped(static_cast<double>(r.left_out.size())));
  fact("CPU",
       r.tern.cpu +
           (r.tern.threads > 0 ? (r.tern.cpu.empty() ? "" : ", ") + words::count(r.tern.threads, "thread") : ""));
  fact("Build", r.tern.version.empty()
                    ? ""
                    : "tern " + r.tern.version + (r.tern.commit.empty() ? "" : " (" + r.tern.commit + ")") +
                          (r.tern.compiler.empty() ? "" : ", " + r.tern.compiler) +
                          (r.tern.isa.empty() ? "" : ", " + r.tern.isa));
  return facts;
}

}  // namespace tern::report
