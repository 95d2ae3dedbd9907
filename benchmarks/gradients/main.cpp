/// tern-benchmark-gradients: what rounding gradients does to them, by layer, and to training.
///   tern-benchmark-gradients --base base-ternary.gguf --text letters.txt
/// The base is a GGUF file or a Hugging Face folder. Of packed weights, ternary or of 8 and 4 bits, it measures the products
/// that training runs; of f32, dense ones with gradients rounded as those of ternary weights are.
/// Prints two tables in Markdown: each block's adapter gradients beside those of float kernels (cosine, their length by
/// those's, and the difference's), and losses while an adapter trains, all from the same start and data.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <map>

#include "gradients/rounded_gradient.hpp"
#include "tern/eval/perplexity.hpp"
#include "tern/experiment/contender.hpp"
#include "tern/io/load_model.hpp"
#include "tern/io/with_source.hpp"
#include "tern/models/adapted.hpp"
#include "tern/text/load_tokenizer.hpp"
#include "tern/text/utf8.hpp"
#include "tern/train/adam.hpp"
#include "tern/train/fit.hpp"

namespace {

using namespace tern;

struct Arguments {
  std::string base, text, weights = "stored", format = "norm", precision = "mixed";
  bool stochastic = false;
  Index context = 256, windows = 16, steps = 200, every = 20, threads = 2;
  double rate = 3e-3;
};

struct Way {
  std::string name;
  kernels::Isa isa;
  Precision precision;
  GradientRounding gradients;
};

/// The first is what the others are compared with; float products of the best kernels are of bf16 where they have those.
std::vector<Way> ways(const Arguments& a) {
  const kernels::Isa best = kernels::best_isa();
  const Precision precision = a.precision == "full" ? Precision::full : Precision::mixed;
  std::vector<Way> all = {{"float", kernels::Isa::portable, Precision::full, GradientRounding::none},
                          {"float, best kernels", best, precision, GradientRounding::none},
                          {"int8", best, precision, GradientRounding::nearest}};
  if (a.stochastic) all.push_back({"int8, stochastic", best, precision, GradientRounding::stochastic});
  return all;
}

template <class Model>
class Measurement {
 public:
  Measurement(const Model& model, std::vector<Token> tokens, const Arguments& a)
      : model_(model), tokens_(std::move(tokens)), a_(a), pool_(a.threads) {
    if (training().size() < static_cast<std::size_t>(a.context) + 1)
      throw ValueError("--text: expected more than " + std::to_string(a.context * 5 / 4) + " tokens, got " +
                       std::to_string(tokens_.size()));
  }

  void gradients_by_block() {
    std::vector<std::map<Index, std::vector<float>>> found;
    const auto all = ways(a_);
    for (const Way& way : all) found.push_back(gradients(way));
    std::printf("| block |");
    for (std::size_t i = 1; i < found.size(); ++i) std::printf(" %s: cosine | length | difference |", all[i].name.c_str());
    std::printf("\n| --- |");
    for (std::size_t i = 1; i < found.size(); ++i) std::printf(" --- | --- | --- |");
    for (const auto& [block, exact] : found[0]) {
      std::printf("\n| %s |", block < 0 ? "-" : std::to_string(block).c_str());
      for (std::size_t i = 1; i < found.size(); ++i) {
        const Eigen::Map<const Eigen::VectorXf> a(exact.data(), static_cast<Index>(exact.size())),
            b(found[i][block].data(), a.size());
        const auto x = a.cast<double>().eval(), y = b.cast<double>().eval();
        std::printf(" %.6f | %.4f | %.4f |", x.dot(y) / (x.norm() * y.norm()), y.norm() / x.norm(),
                    (y - x).norm() / x.norm());
      }
    }
    std::printf("\n\n");
  }

  /// All but the first way, whose plain loops would take hours.
  void training_by_step() {
    std::vector<FitResult> runs;
    std::printf("| step |");
    for (const Way& way : ways(a_)) {
      if (way.isa == kernels::Isa::portable) continue;
      runs.push_back(train(way));
      std::printf(" %s: training | validation |", way.name.c_str());
    }
    std::printf("\n| --- |");
    for (std::size_t i = 0; i < runs.size(); ++i) std::printf(" --- | --- |");
    for (std::size_t p = 0; p < runs[0].curve.size(); ++p) {
      std::printf("\n| %td |", runs[0].curve[p].step);
      for (const FitResult& run : runs) {
        const FitPoint& point = run.curve[p];
        if (p == 0)
          std::printf(" | %.4f |", *point.validation);
        else
          std::printf(" %.4f | %.4f |", point.train_loss, *point.validation);
      }
    }
    std::printf("\n| s a step |");
    for (const FitResult& run : runs) std::printf(" %.3f | |", run.seconds / static_cast<double>(run.steps));
    std::printf("\n");
  }

 private:
  using Subject = Adapted<Model, AdapterSet<float>>;

  std::span<const Token> training() const { return std::span(tokens_).first(tokens_.size() * 4 / 5); }
  std::span<const Token> validation() const { return std::span(tokens_).subspan(tokens_.size() * 4 / 5); }

  Pass pass(const Way& way) {
    Pass p;
    p.kernels = &kernels::table(way.isa);
    p.parallel = pool_.parallel();
    p.precision = way.precision;
    p.gradients = way.gradients;
    return p;
  }

  /// A fresh adapter; LoRA's, whose first half starts at zero, is the same for every way.
  void attach(AdapterSet<float>& set) {
    Random random(1);
    find_contender(contenders(), a_.format).attach(ModelView(model_), set, random);
  }

  /// By block, of the mean loss over the windows.
  std::map<Index, std::vector<float>> gradients(const Way& way) {
    AdapterSet<float> set;
    attach(set);
    const Subject subject(model_, set);
    Gradients<float> gradients(set);
    Windows source({training()}, {.context = a_.context, .sequences = 1, .seed = 3});
    Batch batch;
    for (Index i = 0; i < a_.windows; ++i) {
      source.next(batch);
      Pass p = pass(way);
      p.sequences = batch.sequences;
      subject.gradients(p, batch.tokens, batch.targets, 1.f / static_cast<float>(a_.windows * a_.context), cache_,
                        gradients);
    }
    std::map<Index, std::vector<float>> found;
    set.each([&](SiteId site, std::string_view, const Parameter<float>& p) {
      const Matrix<float>& gradient = gradients.of(p);
      auto& all = found[site.layer];
      all.insert(all.end(), gradient.data(), gradient.data() + gradient.size());
    });
    return found;
  }

  FitResult train(const Way& way) {
    AdapterSet<float> set;
    attach(set);
    const Subject subject(model_, set);
    Adam<float> adam(AdamOptions{}, set);
    Windows source({training()}, {.context = a_.context, .sequences = 1, .shuffled = true, .seed = 4});
    FitOptions options;
    options.budget = Budget::of_steps(a_.steps);
    options.validate_every = Budget::of_steps(a_.every);
    options.clip = 1;
    const Pass p = pass(way);
    FitHooks hooks;
    hooks.validate = [&] {
      const Perplexity found = perplexity(subject, p, Convention::chunked, validation().first(
          std::min<std::size_t>(validation().size(), 4096)), cache_, {.context = a_.context});
      return found.nll / static_cast<double>(found.tokens);
    };
    const auto rate = WarmupCosine{.peak = a_.rate, .warmup = std::max<Index>(1, a_.steps / 20), .floor = 0.1};
    return fit(subject, cache_, p, adam, source, rate, options, hooks);
  }

  const Model& model_;
  std::vector<Token> tokens_;
  const Arguments& a_;
  ThreadPool pool_;
  typename Subject::Cache cache_;
};

template <class W, class Source>
void measure(const Source& source, std::optional<WeightFormat> linears, std::vector<Token> tokens, const Arguments& a) {
  const auto model = load_model<float, W, Packed<float>>(source, {.linears = linears});
  Measurement m(model, std::move(tokens), a);
  m.gradients_by_block();
  if (a.steps > 0) m.training_by_step();
}

std::vector<Token> read_tokens(const std::filesystem::path& base, const std::string& text) {
  const auto tokenizer = std::filesystem::is_directory(base)
                             ? load_tokenizer(base)
                             : load_tokenizer(gguf_tokenizer_fields(GgufFile::open(base)), base.string());
  const MappedFile file(text);
  const std::string_view bytes(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  return tokenizer->encode(decode_utf8(bytes, text, BadBytes::error).text);
}

}  // namespace

int main(int argc, char** argv) {
  Arguments a;
  CLI::App app("What rounding gradients does to them and to training", "tern-benchmark-gradients");
  app.add_option("--base", a.base, "a .gguf file or a Hugging Face folder")->required();
  app.add_option("--weights", a.weights, "of the blocks: stored, or one of " + weight_format_names())
      ->capture_default_str();
  app.add_flag("--stochastic", a.stochastic, "also rounded at random");
  app.add_option("--precision", a.precision, "of all but the first: mixed, or full, so that they differ on the way back alone")
      ->capture_default_str()
      ->check(CLI::IsMember({"full", "mixed"}));
  app.add_option("--text", a.text, "a UTF-8 text file: four fifths train, the rest validates")->required();
  app.add_option("--format", a.format, "norm, lora-r4 or lora-matched")->capture_default_str();
  app.add_option("--context", a.context, "tokens a window")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--windows", a.windows, "whose gradients are compared")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--steps", a.steps, "of training; 0: none")->capture_default_str()->check(CLI::NonNegativeNumber);
  app.add_option("--every", a.every, "steps a row")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--rate", a.rate, "Adam's highest learning rate")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--threads", a.threads, "worker threads")->capture_default_str()->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  try {
    auto tokens = read_tokens(a.base, a.text);
    with_source(a.base, [&](const auto& source) {
      if (a.weights == "f32")
        measure<tern::benchmark::RoundedGradient<float>>(source, std::nullopt, std::move(tokens), a);
      else if (a.weights == "stored")
        measure<Packed<float>>(source, std::nullopt, std::move(tokens), a);
      else
        measure<Packed<float>>(source, parse_weight_format(a.weights), std::move(tokens), a);
    });
  } catch (const std::exception& e) {
    std::cerr << "tern-benchmark-gradients: " << e.what() << '\n';
    return 1;
  }
  return 0;
}
