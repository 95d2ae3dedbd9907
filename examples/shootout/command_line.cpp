#include "command_line.hpp"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <map>
#include <sstream>

#include "git.hpp"
#include "program.hpp"
#include "progress.hpp"
#include "read.hpp"
#include "saved_command.hpp"
#include "tern/experiment/peft_contender.hpp"
#include "tern/experiment/run/shootout.hpp"
#include "tern_commit.hpp"

using namespace tern;
using program::SavedCommand, program::has_command, program::load_command, program::save_command;

namespace {

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free);

/// What the command line says. Options of ShootoutOptions are written there at once.
struct Arguments {
  std::string base = "bundled", users, out = "shootout-out", generic;
  std::vector<std::string> contenders, rivals;
  std::vector<std::string> peft;  // paths of adapter_config.json
  std::string champion, fallback, budget, weights = "stored", protocol = "standard", precision = "mixed", gradients = "int8",
              state = "float";
  std::vector<std::string> self, populations;
  std::optional<Index> steps;
  bool keep_personal_data = false, strict = false, git = false, split_at_random = false;
  std::map<std::string, std::string> kinds, languages;  // by user
  ShootoutOptions options;
};

/// What `text` means of an option's words. Throws ValueError naming the option and its words.
template <class E>
E word(const char* option, const std::string& text, std::initializer_list<std::pair<const char*, E>> words) {
  std::string known;
  std::size_t left = words.size();
  for (const auto& [spelling, value] : words) {
    if (text == spelling) return value;
    --left;
    known += std::string(known.empty() ? "" : left == 0 ? " or " : ", ") + spelling;
  }
  throw ValueError(std::string(option) + ": expected " + known + ", got " + in_quotes(text));
}

/// "90", "90s", "5m" or "1h" in seconds. Throws ValueError.
double parse_seconds(const std::string& text) {
  std::istringstream in(text);
  double value = 0;
  std::string unit, rest;
  in >> value;
  const bool number = !in.fail();
  in >> unit;
  const double factor = unit.empty() || unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
  if (!number || factor == 0 || !(value > 0) || (in >> rest))
    throw ValueError("--budget: expected a time above 0 such as 300s, 5m or 1h, got " + in_quotes(text));
  return value * factor;
}

/// What the bundled base takes where nothing is said: small enough for a first look.
void demonstrate(const CLI::App& said, ShootoutOptions& o) {
  const auto unsaid = [&](const char* option) { return said.count(option) == 0; };
  if (unsaid("--budget") && unsaid("--steps")) o.budget = Budget::of_steps(20);
  if (unsaid("--eval-tokens")) o.eval_tokens = 1536;
  if (unsaid("--validation-tokens")) o.validation_tokens = 256;
  if (unsaid("--pilots")) o.pilots = 2;
  if (unsaid("--sweep-users")) o.sweep_users = 4;
  if (unsaid("--experiments")) o.experiments = {"E1", "E3", "E4", "E6", "E9", "E11"};
}

/// The table with a row for each adapter_config.json, which then run beside the others. Throws ValueError where a name is
/// taken, FormatError where tern does not train what one asks for.
std::vector<Contender> with_peft(std::vector<Contender> table, Arguments& a) {
  for (const std::string& path : a.peft) {
    Contender c = peft_contender(path);
    if (std::any_of(table.begin(), table.end(), [&](const Contender& other) { return other.name == c.name; }))
      throw ValueError("--contender " + in_quotes(path) + ": expected a folder whose name is no contender's yet, got " +
                       in_quotes(c.name));
    if (a.contenders.empty()) a.contenders = a.options.contenders;
    a.contenders.push_back(c.name);
    table.push_back(std::move(c));
  }
  return table;
}

void finish_options(Arguments& a, const std::vector<Contender>& table) {
  ShootoutOptions& o = a.options;
  o.commit = TERN_COMMIT;
  o.memory = program::available_memory();
  if (!a.budget.empty()) o.budget = Budget::of_seconds(parse_seconds(a.budget));
  if (a.steps && *a.steps < 1) throw ValueError("--steps: expected at least 1, got " + std::to_string(*a.steps));
  if (a.steps) o.budget = Budget::of_steps(*a.steps);
  if (!a.contenders.empty()) o.contenders = a.contenders;
  for (const std::string& name : o.contenders) find_contender(table, name);
  if (!a.champion.empty()) o.roles.champion = a.champion;
  if (!o.runs(o.roles.champion)) {
    if (!a.champion.empty())
      throw ValueError("--champion: expected one of --contenders, got " + in_quotes(a.champion));
    o.roles.champion = o.contenders.front();
  }
  if (!a.rivals.empty())
    o.roles.rivals = a.rivals;
  else {  // everybody else who runs
    o.roles.rivals.clear();
    for (const std::string& name : o.contenders)
      if (name != o.roles.champion) o.roles.rivals.push_back(name);
  }
  if (!a.fallback.empty()) o.roles.fallback = a.fallback;
  if (!o.runs(o.roles.fallback)) o.roles.fallback.clear();
  o.weights = program::parse_weights(a.weights);
  o.protocol = word<Protocol>("--protocol", a.protocol, {{"standard", Protocol::standard}, {"catalogue", Protocol::catalogue}});
  o.precision = word<Precision>("--precision", a.precision, {{"full", Precision::full}, {"mixed", Precision::mixed}});
  const auto rounding = [](const char* option, const std::string& value) {
    return word<GradientRounding>(option, value,
                                  {{"float", GradientRounding::none},
                                   {"int8", GradientRounding::nearest},
                                   {"int8-stochastic", GradientRounding::stochastic}});
  };
  o.gradients = rounding("--gradients", a.gradients);
  o.state = word<StateType>("--state", a.state, {{"float", StateType::full}, {"bf16", StateType::bf16}});
  validate(o, table);
}

PopulationOptions population_options(const Arguments& a) {
  PopulationOptions options;
  options.ingest.self = a.self;
  options.ingest.scrub = !a.keep_personal_data;
  options.ingest.strict = a.strict;
  if (a.git) options.ingest.git = program::run_git;
  options.kinds = a.kinds, options.languages = a.languages;
  options.split.by_time = !a.split_at_random;
  options.population = shown(std::filesystem::path(a.users).filename().string());
  return options;
}

/// --users DIR is people=DIR; nothing said is the personas.
std::vector<Population> populations(const Arguments& a) {
  std::vector<std::string> words = a.populations;
  if (!a.users.empty()) words.push_back("people=" + a.users);
  if (words.empty()) words.push_back("personas");
  std::vector<Population> all;
  for (const std::string& w : words) all.push_back(program::find_population(w));
  return all;
}

/// What both `run` and `plan` need, loaded.
struct Stage {
  Base base;
  Users users;
  GenericTexts generic;
  std::unique_ptr<ThreadPool> pool;
  Pass pass;
};

/// Measured by tern-perplexity on the first 60,000 bytes of WikiText-2's test set (docs/shootout.md).
constexpr const char* ruined =
    "a pretrained base merely rounded to ternary is ruined (SmolLM2-135M: perplexity 29 becomes 8e7; tern-perplexity "
    "--weights ternary measures it for any base)";

Stage load(Arguments& a) {
  Stage stage;
  stage.pool = std::make_unique<ThreadPool>(a.options.threads);
  stage.pass.parallel = stage.pool->parallel();
  stage.pass.kernels = &chosen_kernels();
  const bool on_twin = a.options.weights == WeightFormat::ternary;
  BaseOptions base{.twin = on_twin || a.options.wants("E6"), .parallel = stage.pass.parallel};
  if (!on_twin) base.weights = a.options.weights;
  stage.base = program::load(a.base, base);
  if (on_twin) {
    if (!stage.base.ternary)
      throw ValueError("--weights ternary: expected a base trained to be ternary, got '" + a.base + "'; " + ruined);
    stage.base.model = std::move(*stage.base.ternary);
    stage.base.ternary.reset();
  }
  if (a.options.wants("E6") && !stage.base.ternary) {
    std::cerr << "E6 is left out: it needs a base that has a ternary version (--base bundled); " << ruined << '\n';
    std::erase(a.options.experiments, "E6");
  }
  if (a.options.wants("E10") && stage.base.is_four_bits()) {
    std::cerr << "E10 is left out: the base is stored in 4 bits, and there is no finer one to compare with\n";
    std::erase(a.options.experiments, "E10");
  }
  const PopulationOptions reading = population_options(a);
  if (!a.users.empty() && a.populations.empty())  // which says more of what is wrong with a folder
    stage.users = load_users(std::filesystem::path(a.users), stage.base, reading);
  else
    stage.users = load_users(populations(a), stage.base, reading);
  if (stage.users.users.empty()) throw ValueError("--population: expected somebody with enough text, found nobody");
  std::vector<std::filesystem::path> generic;
  if (!a.generic.empty()) generic.emplace_back(a.generic);
  generic.push_back(program::bundled() / "generic");
  stage.generic = load_generic_texts(stage.users, generic, stage.base);
  for (const User& u : stage.users.users)
    for (const Owner& o : u.owners)
      if (o.guessed)
        std::cerr << "GUESSED: " << u.name << "'s words in " << o.service << " are taken to be those of " << shown(o.name)
                  << "; name the person with --self, or see tern-shootout read\n";
  for (const LeftOut& l : stage.users.left_out) std::cerr << "left out: " << l.name << ": " << l.reason << '\n';
  if (a.options.context > stage.base.model.config.context)
    std::cerr << "--context " << a.options.context << " is beyond the base's own, " << stage.base.model.config.context << '\n';
  return stage;
}

void print_findings(const Findings& findings) {
  for (const Finding& f : findings.experiments) {
    std::cout << f.id << ' ' << f.title << ": " << name(f.answer) << '\n';
    program::print_wrapped(f.sentence, "    ");
  }
  std::cout << '\n';
  program::print_wrapped(findings.decision.sentence, "");
}

ShootoutHooks hooks_until_a_signal() {
  std::signal(SIGINT, [](int) { interrupted.store(true); });
  std::signal(SIGTERM, [](int) { interrupted.store(true); });
  ShootoutHooks hooks;
  hooks.progress = program::show_progress;
  hooks.note = [](const std::string& text) { std::cerr << text << '\n'; };
  hooks.interrupted = &interrupted;
  return hooks;
}

int print_outcome(const Arguments& a, const Findings& findings) {
  print_findings(findings);
  std::cout << "\nreport: " << std::filesystem::absolute(a.out).lexically_normal().string() << "/report.html\n";
  return 0;
}

int run_command(Arguments& a, const std::vector<Contender>& table, const SavedCommand& command) {
  Stage stage = load(a);
  Shootout shootout(stage.base, stage.users, stage.generic, a.options, stage.pass, table);
  for (const auto& [contender, why] : shootout.protocol().refused)
    std::cerr << contender << " is refused: " << why << '\n';
  save_command(a.out, command);
  const auto done = shootout.run(a.out, hooks_until_a_signal());
  if (done) return print_outcome(a, done->second);
  std::cerr << "\ninterrupted; what is finished lies in " << a.out << "/tasks. Run the same command again to go on.\n";
  return 1;
}

/// The pieces that may be done now, a line each: id, and after a tab what it is. None: report.
int tasks_command(Arguments& a, const std::vector<Contender>& table, const SavedCommand& command) {
  Stage stage = load(a);
  Shootout shootout(stage.base, stage.users, stage.generic, a.options, stage.pass, table);
  const WorkLeft left = shootout.left(a.out, hooks_until_a_signal());
  save_command(a.out, command);
  for (const Work& work : left.open) std::cout << work.id << '\t' << work.what() << '\n';
  if (!left.prepared)
    std::cerr << "pilots and tests have ids once it is calibrated, on one machine for all\n";
  else if (left.tests.empty())
    std::cerr << "further pilots, and the tests, have ids once these are done\n";
  else
    std::cerr << left.tests.size() - left.undone << " of " << left.tests.size() << " tests are done\n";
  return 0;
}

/// Exit status of a task that another process is at (EX_TEMPFAIL: come again).
constexpr int elsewhere = 75;

int task_command(Arguments& a, const std::vector<Contender>& table, const std::vector<std::string>& ids) {
  const bool report = std::find(ids.begin(), ids.end(), "report") != ids.end();
  const Journal journal(a.out);
  if (!report && std::all_of(ids.begin(), ids.end(), [&](const std::string& id) { return journal.done(id); })) return 0;
  Stage stage = load(a);
  Shootout shootout(stage.base, stage.users, stage.generic, a.options, stage.pass, table);
  const ShootoutHooks hooks = hooks_until_a_signal();
  int status = 0;
  for (const std::string& id : ids) {
    if (id == "report") {
      const auto done = shootout.collect(a.out, hooks);
      if (!done) throw ValueError("report: expected that nothing is left to do; see tern-shootout tasks");
      print_outcome(a, done->second);
      continue;
    }
    std::string holder;
    const WorkStatus how = shootout.perform_one(a.out, id, hooks, &holder);
    if (how == WorkStatus::elsewhere) {
      std::cerr << id << ": " << holder << " is at it\n";
      status = elsewhere;
    }
    if (how == WorkStatus::interrupted) {
      std::cerr << id << ": interrupted\n";
      return 1;
    }
  }
  return status;
}

int plan_command(Arguments& a, const std::vector<Contender>& table) {
  Stage stage = load(a);
  Shootout shootout(stage.base, stage.users, stage.generic, a.options, stage.pass, table);
  const ShootoutPlan p = shootout.plan(a.out);
  for (const auto& [contender, why] : shootout.protocol().refused)
    std::printf("%s is refused: %s\n", contender.c_str(), why.c_str());
  std::printf("%zu users, %zu to %zu pilot runs, %zu tasks, %zu to do\n", stage.users.users.size(), p.least_pilots, p.pilots,
              p.tasks, p.waiting);
  for (const auto& c : p.contenders)
    std::printf("  %-18s %9td numbers, %.3f s a step, %td steps\n", c.contender.c_str(), c.parameters, c.seconds_a_step, c.steps);
  std::printf("time   %s to %s, as rates are found\nmemory about %.1f GB\ndisk   about %.1f MB\n", program::duration(p.least_seconds).c_str(),
              program::duration(p.seconds).c_str(), static_cast<double>(p.memory) / 1e9, static_cast<double>(p.disk) / 1e6);
  return 0;
}

int report_command(const Arguments& a) {
  const auto path = std::filesystem::path(a.out) / "results.json";
  const MappedFile file(path);
  const auto bytes = file.bytes();
  const Results results =
      from_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, shown(path.string()));
  const Findings findings = experiments::judge(results);
  Shootout::write_reports(a.out, results, findings);
  print_findings(findings);
  return 0;
}

std::string names_of(const std::vector<Contender>& table) {
  std::string all;
  for (const Contender& c : table) all += (all.empty() ? "" : ",") + c.name;
  return all;
}

/// The options of `run` and `plan`: which people, which base, which comparison.
void add_options(CLI::App& app, Arguments& a, const std::vector<Contender>& table) {
  ShootoutOptions& o = a.options;
  std::string ids;
  for (const experiments::Experiment& e : experiments::all()) ids += (ids.empty() ? "" : ",") + std::string(e.id);
  app.add_option("--out", a.out, "where results go")->capture_default_str();
  app.add_option("--contenders", a.contenders, "some of " + names_of(table))->delimiter(',');
  app.add_option("--contender", a.peft,
                 "an adapter_config.json of PEFT (LoRA, LN tuning, IA3), called as its folder: what PEFT would train; may be repeated");
  app.add_option("--champion", a.champion, "who is judged against everybody (default norm, or the first)");
  app.add_option("--rivals", a.rivals, "the comparisons that are the claim (default: all others that run)")->delimiter(',');
  app.add_option("--fallback", a.fallback, "reported where nothing is admissible (default lora-r4)");
  app.add_option("--experiments", o.experiments, "some of " + ids)->delimiter(',');
  app.add_option("--controls", o.controls, "of E3, some of generic,uniform,shuffled,others (default all)")->delimiter(',');
  app.add_option("--protocol", a.protocol, "standard, or catalogue: that of the 30M catalogue, nothing tuned")
      ->capture_default_str();
  auto* budget = app.add_option("--budget", a.budget,
                                "training time of one adapter: 300s, 5m; calibrated into steps (default 300s; bundled: 20 steps)");
  app.add_option("--steps", a.steps, "training steps, as many for everybody, instead of time")->excludes(budget);
  app.add_option("--seeds", o.seeds, "repetitions (E2)")->capture_default_str();
  app.add_option("--pilots", o.pilots, "people on whose text learning rates are chosen")->capture_default_str();
  app.add_option("--most-rates", o.most_rates, "rates that a contender may try")->capture_default_str();
  app.add_option("--sweep-users", o.sweep_users, "people of E12 and E13; 0: all")->capture_default_str();
  app.add_option("--seed-users", o.seed_users, "people of E2's further seeds; 0: all")->capture_default_str();
  app.add_option("--margin", o.margin, "of perplexity, within which two are equivalent")->capture_default_str();
  app.add_option("--generic", a.generic, "a folder of generic text by language, for E3 (docs/shootout.md)");
  app.add_option("--context", o.context, "tokens a sequence")->capture_default_str();
  app.add_option("--eval-tokens", o.eval_tokens, "tokens scored of each person's held-out text")->capture_default_str();
  app.add_option("--validation-tokens", o.validation_tokens, "tokens scored of validation text")->capture_default_str();
  app.add_option("--precision", a.precision, "of products with weights: full, or mixed (faster)")->capture_default_str();
  app.add_option("--gradients", a.gradients, "back through packed weights of 8 bits and fewer: float, int8 or int8-stochastic")
      ->capture_default_str();
  app.add_option("--state", a.state, "gradients and moments of full fine-tuning: float, or bf16 in 10 bytes a weight in place of 16")
      ->capture_default_str();
  app.add_option("--weights", a.weights, "of the base: stored as the file has them, or one of " + weight_format_names())
      ->capture_default_str();
  app.add_flag("--early-stopping", o.early_stopping, "keep the best validation's parameters, not the last ones");
  app.add_option("--threads", o.threads, "worker threads")->capture_default_str();
}

CLI::Option* add_base(CLI::App& app, Arguments& a) {
  return app
      .add_option("--base", a.base, "bundled, a packaged base (bases.json), a .gguf file, or a Hugging Face folder")
      ->capture_default_str();
}

void add_people(CLI::App& app, Arguments& a) {
  app.add_option("--users", a.users, "a folder with a folder of text for each person (default: the bundled personas)");
  app.add_option("--population", a.populations, "personas, people=DIR, or chitchat:N, its N largest people (40); several may be combined");
  app.add_option("--self", a.self, "whose words to keep of chats and mail: names, addresses, ids (default: found out)");
  app.add_flag("--keep-personal-data", a.keep_personal_data,
               "do not replace mail addresses, phone numbers and the like");
  app.add_flag("--git", a.git, "of git repositories in people's folders, read one author's lines instead of the files");
  app.add_option("--kind", a.kinds, "NAME KIND: a person's kind of text, in place of what was found");
  app.add_option("--language", a.languages, "NAME CODE: a person's language, in place of what was found");
  app.add_flag("--strict", a.strict, "leave a person out at the first thing that cannot be read");
  app.add_flag("--split-at-random", a.split_at_random, "by document, not by time where documents are dated");
}

}  // namespace

int program::shootout(int argc, char** argv, const std::vector<Contender>& table) {
  Arguments a;
  CLI::App app("Compares adapters for many users on one shared language model", "tern-shootout");
  app.require_subcommand(0, 1);
  CLI::App* run = app.add_subcommand("run", "train, evaluate, judge; goes on where an earlier run stopped");
  CLI::App* plan = app.add_subcommand("plan", "estimate time, memory and disk; trains nothing");
  CLI::App* read = app.add_subcommand("read", "show what becomes of people's files; needs no base, trains nothing");
  CLI::App* report = app.add_subcommand("report", "write the reports anew from OUT/results.json");
  CLI::App* tasks = app.add_subcommand("tasks", "list the pieces of a run that may be done now, for other processes");
  CLI::App* task = app.add_subcommand("task", "do pieces that `tasks` listed");
  for (CLI::App* command : {run, plan, tasks}) {
    add_base(*command, a);
    add_people(*command, a);
    add_options(*command, a, table);
  }
  ReadOptions r;
  CLI::Option* base = add_base(*read, a);
  add_people(*read, a);
  read->add_option("--user", r.user, "only this one");
  read->add_flag("--text", r.text, "print the very text, document by document with its part");
  read->add_flag("--json", r.json, "as JSON");
  report->add_option("--out", a.out, "where the results lie")->capture_default_str();
  std::vector<std::string> ids;
  task->add_option("ID", ids, "from `tasks`; report: the reports, once nothing is left")->required();
  task->add_option("--out", a.out, "the folder that `tasks` was given")->capture_default_str();
  return program::run(app, argc, argv, [&] {
    if (app.get_subcommands().empty())
      throw ValueError("command: expected run, plan, read, report, tasks or task, got none");
    if (read->parsed()) {
      std::unique_ptr<Tokenizer> counts;
      if (base->count() > 0) counts = load_base_tokenizer(program::find(a.base).path);
      r.people = populations(a);
      r.reading = population_options(a);
      r.tokenizer = counts.get();
      return program::read_people(r);
    }
    if (report->parsed()) return report_command(a);
    // `tasks` and `task` go on with the command that OUT has, unless `tasks` is given another one.
    const CLI::App* said = app.get_subcommands().front();
    SavedCommand command{std::filesystem::current_path(), {argv + 2, argv + argc}};
    CLI::App saved("", "tern-shootout");
    Arguments from_file;
    const auto options = said->get_options();
    const bool other = std::any_of(options.begin(), options.end(), [](const CLI::Option* o) {
      return o->count() > 0 && !o->check_lname("out");
    });
    if (task->parsed() || (tasks->parsed() && !other && has_command(a.out))) {
      const auto out = std::filesystem::absolute(a.out);
      command = load_command(out);
      std::filesystem::current_path(command.folder);
      add_base(saved, from_file), add_people(saved, from_file), add_options(saved, from_file, table);
      std::vector<std::string> last_first(command.arguments.rbegin(), command.arguments.rend());
      saved.parse(last_first);
      a = std::move(from_file);
      a.out = out.string();
      said = &saved;
    }
    if (a.base == "bundled") demonstrate(*said, a.options);
    const std::vector<Contender> all = with_peft(table, a);
    finish_options(a, all);
    if (task->parsed()) return task_command(a, all, ids);
    if (tasks->parsed()) return tasks_command(a, all, command);
    return run->parsed() ? run_command(a, all, command) : plan_command(a, all);
  });
}
