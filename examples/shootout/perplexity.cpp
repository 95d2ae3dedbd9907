/// tern-perplexity: how well a base, with or without a user's adapter, predicts a text. Prints one JSON object.
///   tern-perplexity --base bundled --text letter.txt
///   tern-perplexity --base smollm2-135m --text letter.txt --context 512 --convention rolling --adapter a.adapter
#include <nlohmann/json.hpp>
#include <set>

#include "program.hpp"
#include "tern/eval/perplexity.hpp"
#include "tern/experiment/adapter_file.hpp"
#include "tern/experiment/contender.hpp"
#include "tern/models/adapted.hpp"
#include "tern/models/with_weights.hpp"
#include "tern/text/utf8.hpp"
#include "tern/weights/bf16.hpp"
#include "tern/weights/ternary.hpp"

namespace {

using namespace tern;

/// Calls f with the base's model as `weights` says: dense, or its projections in another storage.
template <class F>
Perplexity in_weights(const std::string& weights, Base& base, F&& f) {
  const auto rounded = [&](auto other) { return f(other); };
  if (weights == "bf16") return rounded(with_weights<Bf16<float>>(base.model));
  if (weights == "q8") return rounded(load_model<float, Q8<float>>(GgufFile::open(base.path)));
  if (weights == "q4") return rounded(load_model<float, Q4<float>>(GgufFile::open(base.path)));
  if (weights == "q4_0") return rounded(load_model<float, Q4_0<float>>(GgufFile::open(base.path)));
  if (weights == "ternary")
    return rounded(with_weights<Ternary<float>>(base.model, [](const Dense<float>& w) {
      return Ternary<float>::quantize(w.parameter.value, kernels::TernaryScale::tensor);
    }));
  return f(base.model);
}

}  // namespace

int main(int argc, char** argv) {
  std::string base_name = "bundled", text_path, convention = "llama.cpp", adapter_path, weights = "dense";
  Index context = 512, threads = 2;
  CLI::App app("Perplexity of a text under a base model, with an adapter or without", "tern-perplexity");
  app.add_option("--base", base_name, "bundled, smollm2-135m, or a .gguf file")->capture_default_str();
  app.add_option("--text", text_path, "a UTF-8 text file")->required();
  app.add_option("--context", context, "tokens a window")
      ->capture_default_str()
      ->check(CLI::Range(Index(2), Index(1) << 20));
  app.add_option("--convention", convention, "llama.cpp, rolling or chunked")
      ->capture_default_str()
      ->check(CLI::IsMember(std::set<std::string>{"llama.cpp", "rolling", "chunked"}));
  app.add_option("--adapter", adapter_path, "an adapter that tern-shootout left");
  app.add_option("--weights", weights,
                 "the projections: dense as the file has them, or rounded to bf16, q8, q4, q4_0, ternary")
      ->capture_default_str()
      ->check(CLI::IsMember(std::set<std::string>{"dense", "bf16", "q8", "q4", "q4_0", "ternary"}));
  app.add_option("--threads", threads, "worker threads")
      ->capture_default_str()
      ->check(CLI::Range(Index(1), Index(1024)));

  return program::run(app, argc, argv, [&] {
    Base base = program::load(base_name);
    const MappedFile file(text_path);
    const std::string_view bytes(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
    const auto tokens = base.tokenizer->encode(decode_utf8(bytes, text_path, BadBytes::error).text);

    AdapterSet<float> adapters;
    if (!adapter_path.empty()) {
      const PackedFile stored = read_packed(adapter_path);
      const Contender& contender = find_contender(contenders(), adapter_format(stored, adapter_path, base.fingerprint));
      Random random(0);
      contender.attach(ModelView(base.model), adapters, random);
      fill_adapters(stored, adapter_path, adapters);
    }
    ThreadPool pool(threads);
    Pass pass;
    pass.parallel = pool.parallel();
    pass.kernels = &chosen_kernels();
    PerplexityOptions options;
    options.context = context;
    options.prefix = base.prefix();
    const Convention kind = convention == "rolling"   ? Convention::rolling
                            : convention == "chunked" ? Convention::chunked
                                                      : Convention::llama_cpp;
    Perplexity p;
    try {
      p = in_weights(weights, base, [&](auto& model) {
        Adapted subject(model, adapters);
        typename decltype(subject)::Cache cache;
        return perplexity(subject, pass, kind, tokens, cache, options, base.token_bytes(tokens));
      });
    } catch (const ValueError& e) {  // too few tokens
      throw FormatError("'" + text_path + "': " + e.what());
    }
    const nlohmann::json result = {{"nll", p.nll},
                                   {"tokens", p.tokens},
                                   {"ppl", p.ppl},
                                   {"stderr", p.stderr_},
                                   {"bytes", p.bytes},
                                   {"bits_per_byte", p.bits_per_byte},
                                   {"convention", convention}};
    std::cout << result.dump() << '\n';
    return 0;
  });
}
