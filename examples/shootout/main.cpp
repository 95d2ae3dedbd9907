/// tern-shootout: which small adapter serves people best on one shared model? See README.md beside this file.
///   tern-shootout read --users people      what becomes of the files; needs no base
///   tern-shootout plan --users people      what it would cost
///   tern-shootout run --users people       train, evaluate, judge; run again to go on after an interruption
///   tern-shootout report --out shootout    the reports anew from results.json
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <sstream>

#include "git.hpp"
#include "program.hpp"
#include "read.hpp"
#include "tern/experiment/shootout.hpp"
#include "tern_commit.hpp"

using namespace tern;

namespace {

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free);

struct Arguments {
  std::string base = "bundled", users, out = "shootout-out";
  std::vector<std::string> formats, experiments, noise_formats;
  std::string budget, weights = "stored";
  std::vector<std::string> self;
  std::optional<Index> steps;
  bool keep_personal_data = false, strict = false, git = false;
  ShootoutOptions options;
};

/// "90", "90s", "5m" or "1h" in seconds. Throws ValueError.
double parse_seconds(const std::string& text) {
  std::istringstream in(text);
  double value = 0;
  std::string unit;
  in >> value;
  const bool number = !in.fail();
  in >> unit;
  const double factor = unit.empty() || unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
  if (!number || factor == 0 || !(value > 0))
    throw ValueError("--budget: expected a time above 0 such as 300s, 5m or 1h, got '" + text + "'");
  return value * factor;
}

std::string duration(double seconds) {
  char text[32];
  const long s = std::lround(seconds);
  if (s < 60)
    std::snprintf(text, sizeof text, "%lds", s);
  else if (s < 3600)
    std::snprintf(text, sizeof text, "%ldm%02lds", s / 60, s % 60);
  else
    std::snprintf(text, sizeof text, "%ldh%02ldm", s / 3600, s / 60 % 60);
  return text;
}

void show_progress(std::size_t done, std::size_t of, double left, const std::string& next) {
  static const bool terminal = ::isatty(2) != 0;
  const int width = 24, filled = static_cast<int>(of == 0 ? 0 : done * width / of);
  const std::string bar =
      std::string(static_cast<std::size_t>(filled), '#') + std::string(static_cast<std::size_t>(width - filled), '.');
  const std::string line = "[" + bar + "] " + std::to_string(done) + "/" + std::to_string(of) +
                           (next.empty() ? "  done" : "  " + duration(left) + " left  " + next);
  if (terminal)
    std::cerr << "\r\033[K" << line << (next.empty() ? "\n" : "") << std::flush;
  else
    std::cerr << line << std::endl;
}

/// What both `run` and `plan` need, loaded.
struct Stage {
  Base base;
  Users users;
  std::unique_ptr<ThreadPool> pool;
  Pass pass;
};

void finish_options(Arguments& a) {
  ShootoutOptions& o = a.options;
  o.commit = TERN_COMMIT;
  if (!a.formats.empty()) o.formats = a.formats;
  if (!a.noise_formats.empty()) o.noise_formats = a.noise_formats;
  if (!a.experiments.empty()) o.experiments = a.experiments;
  if (!a.budget.empty())
    o.budget = Budget::of_seconds(parse_seconds(a.budget));
  else if (a.steps && *a.steps < 1)
    throw ValueError("--steps: expected at least 1, got " + std::to_string(*a.steps));
  else if (a.steps)
    o.budget = Budget::of_steps(*a.steps);
  else if (a.base == "bundled")
    o.budget = Budget::of_steps(60);  // the demonstration
  o.weights = program::parse_weights(a.weights);
  if (a.formats.empty() && !o.trains_base() && std::erase(o.formats, "full") > 0)
    std::cerr << "full is left out: --weights " << a.weights << " holds weights that cannot train\n";
  validate(o, contenders());
}

IngestOptions ingest_options(const Arguments& a) {
  IngestOptions ingest;
  ingest.self = a.self;
  ingest.scrub = !a.keep_personal_data;
  ingest.strict = a.strict;
  if (a.git) ingest.git = program::run_git;
  return ingest;
}

std::filesystem::path users_folder(const Arguments& a) {
  return a.users.empty() ? program::bundled() / "personas" : std::filesystem::path(a.users);
}

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
  } else if (a.options.wants("E6") && !stage.base.ternary) {
    std::cerr << "E6 is left out: it needs a base that has a ternary version (--base bundled); " << ruined << '\n';
    std::erase(a.options.experiments, "E6");
  }
  stage.users = load_users(users_folder(a), stage.base, a.options.texts, ingest_options(a));
  for (const User& u : stage.users.users)
    for (const Owner& o : u.owners)
      if (o.guessed)
        std::cerr << "GUESSED: " << u.name << "'s words in " << o.service << " are taken to be those of "
                  << shown(o.name) << "; name the person with --self, or see tern-shootout read\n";
  for (const LeftOut& l : stage.users.left_out) std::cerr << "left out: " << l.name << ": " << l.reason << '\n';
  return stage;
}

void print_verdicts(const nlohmann::json& results) {
  for (const auto& [name, verdict] : results.at("verdicts").items()) {
    const auto& holds = verdict.at("holds");
    std::cout << (name == "tree" ? "default" : name) << "  "
              << (holds.is_null()     ? "-    "
                  : holds.get<bool>() ? "holds"
                                      : "fails")
              << "  " << verdict.at("sentence").get<std::string>() << '\n';
  }
}

int run_command(Arguments& a) {
  Stage stage = load(a);
  Shootout shootout(stage.base, stage.users, a.options, stage.pass);
  std::signal(SIGINT, [](int) { interrupted.store(true); });
  std::signal(SIGTERM, [](int) { interrupted.store(true); });
  ShootoutHooks hooks;
  hooks.progress = show_progress;
  hooks.interrupted = &interrupted;
  const auto results = shootout.run(a.out, hooks);
  if (!results) {
    std::cerr << "\ninterrupted; what is finished lies in " << a.out
              << "/tasks. Run the same command again to go on.\n";
    return 1;
  }
  print_verdicts(*results);
  std::cout << "\nreport: " << std::filesystem::absolute(a.out).lexically_normal().string() << "/report.html\n";
  return 0;
}

int plan_command(Arguments& a) {
  Stage stage = load(a);
  Shootout shootout(stage.base, stage.users, a.options, stage.pass);
  const auto p = shootout.plan(a.out);
  std::cout << stage.users.users.size() << " users, " << p["tasks"] << " tasks, " << p["tasks_waiting"] << " to do\n";
  for (const auto& [name, f] : p["formats"].items())
    std::printf("  %-14s %9ld numbers, %10ld bytes, %.3f s a step\n", name.c_str(), f["parameters"].get<long>(),
                f["bytes"].get<long>(), f["seconds_a_step"].get<double>());
  std::printf("time   about %s\nmemory about %.1f GB\ndisk   about %.1f MB\n", duration(p["seconds"]).c_str(),
              p["memory_bytes"].get<double>() / 1e9, p["disk_bytes"].get<double>() / 1e6);
  return 0;
}

int report_command(const Arguments& a) {
  const auto path = std::filesystem::path(a.out) / "results.json";
  const MappedFile file(path);
  auto results = nlohmann::json::parse(file.bytes().begin(), file.bytes().end(), nullptr, false);
  const auto refuse = [&](const std::string& got) {
    throw FormatError(in_quotes(path.string()) + ": expected the results of a shootout, got " + got);
  };
  if (!results.is_object()) refuse(results.is_discarded() ? "no JSON" : results.type_name());
  if (!results.contains("cells")) refuse("JSON without 'cells'");
  try {
    results["verdicts"] = verdicts(results);
    Shootout::write_reports(a.out, results);
    print_verdicts(results);
  } catch (const nlohmann::json::exception& e) {  // a field that is missing, or of another kind
    refuse(shown(e.what()));
  } catch (const FormatError& e) {
    refuse(shown(e.what()));
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments a;
  CLI::App app("Compares adapters for many users on one shared language model", "tern-shootout");
  app.require_subcommand(1);
  app.fallthrough();
  CLI::App* run = app.add_subcommand("run", "train, evaluate, judge; goes on where an earlier run stopped");
  CLI::App* plan = app.add_subcommand("plan", "estimate time, memory and disk; trains nothing");
  CLI::App* read = app.add_subcommand("read", "show what becomes of people's files; needs no base, trains nothing");
  program::ReadOptions r;
  read->add_option("--user", r.user, "only this one");
  read->add_flag("--text", r.text, "print the very text, document by document with its part");
  read->add_flag("--json", r.json, "as JSON");
  app.add_subcommand("report", "write the reports anew from OUT/results.json");
  ShootoutOptions& o = a.options;
  CLI::Option* base =
      app.add_option("--base", a.base, "bundled, a packaged base (bases.json), a .gguf file, or a Hugging Face folder")
          ->capture_default_str();
  app.add_option("--users", a.users, "a folder with a folder of text for each user (default: the bundled personas)");
  app.add_option("--out", a.out, "where results go")->capture_default_str();
  app.add_option("--formats", a.formats, "some of norm,lora-r4,lora-matched,full")->delimiter(',');
  auto* budget =
      app.add_option("--budget", a.budget, "training time of one adapter: 300s, 5m (default 300s; bundled: 60 steps)");
  app.add_option("--steps", a.steps, "training steps instead of time")->excludes(budget);
  app.add_option("--seeds", o.seeds, "repetitions (E2)")->capture_default_str();
  app.add_option("--texts", o.texts, "eval texts a user")->capture_default_str();
  app.add_option("--experiments", a.experiments, "some of E1,E2,E3,E4,E6,E9,E12")->delimiter(',');
  app.add_option("--noise-formats", a.noise_formats, "formats whose noise floor E3 measures (default norm)")
      ->delimiter(',');
  app.add_option("--trials", o.trials, "learning rates tried, as many for every format")->capture_default_str();
  app.add_option("--precision", o.precision,
                 "of products with weights: full, or mixed (bf16, where the machine has it)")
      ->capture_default_str();
  app.add_option("--gradients", o.gradients, "back through packed ternary weights: float, int8 or int8-stochastic")
      ->capture_default_str();
  app.add_option(
         "--weights", a.weights,
         "of the base that adapters are trained on: stored as the file has them, or one of " + weight_format_names())
      ->capture_default_str();
  app.add_option("--context", o.context, "tokens a sequence")->capture_default_str();
  app.add_option("--eval-tokens", o.eval_tokens, "tokens read of each eval text")->capture_default_str();
  app.add_option("--threads", o.threads, "worker threads")->capture_default_str();
  app.add_option("--self", a.self, "whose words to keep of chats and mail: names, addresses, ids (default: found out)");
  app.add_flag("--keep-personal-data", a.keep_personal_data,
               "do not replace mail addresses, phone numbers and the like");
  app.add_flag("--git", a.git, "of git repositories in people's folders, read one author's lines instead of the files");
  app.add_flag("--strict", a.strict, "leave a user out at the first thing that cannot be read");
  return program::run(app, argc, argv, [&] {
    if (read->parsed()) {
      std::unique_ptr<Tokenizer> counts;
      if (base->count() > 0) counts = load_base_tokenizer(program::find(a.base).path);
      r.users = users_folder(a);
      r.ingest = ingest_options(a);
      r.tokenizer = counts.get();
      return program::read_people(r);
    }
    finish_options(a);
    if (run->parsed()) return run_command(a);
    if (plan->parsed()) return plan_command(a);
    return report_command(a);
  });
}
