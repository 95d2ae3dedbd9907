/// tern-benchmark-memory: what bases take while tern scores text and trains on them.
///   tern-benchmark-memory [--weights FORMAT] [--threads N] BASE...
/// Prints a table in Markdown, a row for each base and case. Each case is a process of its own, so that its peak is its
/// own: the most memory that it had at once, pages of the mapped file included. Token ids are random: no figure depends on
/// them. MB are 10^6 bytes.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>

#include "tern/adapters/attach.hpp"
#include "tern/eval/perplexity.hpp"
#include "tern/io/load_model.hpp"
#include "tern/io/with_source.hpp"
#include "tern/models/adapted.hpp"
#include "tern/models/convert.hpp"
#include "tern/train/adam.hpp"
#include "tern/train/budget.hpp"

namespace {

namespace fs = std::filesystem;
using namespace tern;
using Model = PackedDecoder<float>;

/// The files of weights at `path`.
std::vector<fs::path> weight_files(const fs::path& path) {
  if (!fs::is_directory(path)) return {path};
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(path))
    if (entry.path().extension() == ".safetensors") files.push_back(entry.path());
  return files;
}

/// Brings a base's files into the page cache.
void warm(const fs::path& path) {
  std::vector<char> piece(std::size_t{1} << 20);
  for (const fs::path& file : weight_files(path)) {
    std::ifstream in(file, std::ios::binary);
    while (in.read(piece.data(), static_cast<std::streamsize>(piece.size()))) {
    }
  }
}

/// What a case has to work with.
struct Setting {
  fs::path path;
  LoadOptions load;
  Pass pass;

  Model model() const {
    return with_source(path, [&](const auto& source) { return load_model<float>(source, load); });
  }
};

std::vector<Token> random_ids(const Model& model, Index count) {
  Random random(1);
  std::vector<Token> ids;
  for (Index i = 0; i < count; ++i)
    ids.push_back(static_cast<Token>(random.below(static_cast<std::uint64_t>(model.config.vocabulary))));
  return ids;
}

/// Each case returns the seconds that its row states.
double score(const Setting& s) {
  const Model model = s.model();
  Model::Cache cache;
  const auto ids = random_ids(model, 8192);
  const Stopwatch watch;
  perplexity(model, s.pass, Convention::chunked, ids, cache, {.context = 512});
  return watch.seconds();
}

double norm_step(const Setting& s, Index tokens, bool recompute) {
  const Model model = s.model();
  AdapterSet<float> gains;
  attach_user_gains(model, gains);
  const Adapted adapted(model, gains);
  Adapted<Model, AdapterSet<float>>::Cache cache;
  cache.decoder.recompute = recompute;
  Adam<float> adam({}, gains);
  const auto ids = random_ids(model, tokens + 1);
  const std::span<const Token> text(ids);
  double seconds = 0;
  for (int step = 0; step < 2; ++step) {  // the first one also allocates
    const Stopwatch watch;
    adam.trainable().zero_gradients(s.pass.parallel);
    adapted.gradients(s.pass, text.first(text.size() - 1), text.subspan(1), 1.f / static_cast<float>(tokens), cache,
                      adam.trainable().gradients());
    adam.step(1e-3, s.pass.parallel);
    seconds = watch.seconds();
  }
  return seconds;
}

double first_loss(const Setting& s) {
  warm(s.path);
  const Stopwatch watch;
  const Model model = s.model();
  Model::Cache cache;
  const auto ids = random_ids(model, 2);
  perplexity(model, s.pass, Convention::chunked, ids, cache, {.context = 512});
  return watch.seconds();
}

struct Case {
  const char* name;
  double (*run)(const Setting&);
};
constexpr Case cases[] = {
    {"score 8,192 tokens, context 512", score},
    {"norm-only step, 256 tokens", [](const Setting& s) { return norm_step(s, 256, false); }},
    {"norm-only step, 256 tokens, checkpointing", [](const Setting& s) { return norm_step(s, 256, true); }},
    {"norm-only step, 1,024 tokens, checkpointing", [](const Setting& s) { return norm_step(s, 1024, true); }},
    {"open, first token's loss", first_loss},
};

struct Arguments {
  std::vector<std::string> bases;
  std::string weights = "stored";
  Index threads = 2;
};

/// Prints a row; called in a process of its own.
void run_case(const Case& c, const std::string& base, const Arguments& a) {
  ThreadPool pool(a.threads);
  Setting s{base, {}, {}};
  s.pass.parallel = s.load.parallel = pool.parallel();
  if (a.weights != "stored") s.load.linears = s.load.tables = parse_weight_format(a.weights);
  const double seconds = c.run(s);
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const double peak = static_cast<double>(usage.ru_maxrss) * 1024 / 1e6;
  double size = 0;
  for (const fs::path& file : weight_files(base)) size += static_cast<double>(fs::file_size(file)) / 1e6;
  std::printf("| %s | %s | %.0f | %.0f | %.2f | %.2f |\n", fs::path(base).filename().c_str(), c.name, size, peak,
              peak / size, seconds);
  std::fflush(stdout);
}

/// Whether f() returned, in a child process, without an exception.
template <class F>
bool in_child(F&& f) {
  std::fflush(stdout);
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) {
    try {
      f();
      ::_exit(0);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "tern-benchmark-memory: %s\n", error.what());
      ::_exit(1);
    }
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments a;
  CLI::App app("What bases take while tern scores text and trains on them", "tern-benchmark-memory");
  app.add_option("bases", a.bases, ".gguf files or Hugging Face folders")->required()->check(CLI::ExistingPath);
  app.add_option("--weights", a.weights, "stored, or a weight format that all are converted to")->capture_default_str();
  app.add_option("--threads", a.threads, "worker threads")->capture_default_str()->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  std::printf("| base | case | file, MB | peak, MB | peak by file | seconds |\n| --- | --- | --- | --- | --- | --- |\n");
  bool well = true;
  for (const std::string& base : a.bases)
    for (const Case& c : cases) well = in_child([&] { run_case(c, base, a); }) && well;
  return well ? 0 : 1;
}
