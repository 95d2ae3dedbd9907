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
#include "tern/text/utf8.hpp"

using namespace tern;

int main(int argc, char** argv) {
  std::string base_name = "bundled", text_path, convention = "llama.cpp", adapter_path, weights = "stored",
              precision = "full";
  Index context = 512, threads = 2;
  CLI::App app("Perplexity of a text under a base model, with an adapter or without", "tern-perplexity");
  app.add_option("--base", base_name, "bundled, a packaged base, a .gguf file, or a Hugging Face folder")
      ->capture_default_str();
  app.add_option("--text", text_path, "a UTF-8 text file")->required();
  app.add_option("--context", context, "tokens a window")
      ->capture_default_str()
      ->check(CLI::Range(Index(2), Index(1) << 20));
  app.add_option("--convention", convention, "llama.cpp, rolling or chunked")
      ->capture_default_str()
      ->check(CLI::IsMember(std::set<std::string>{"llama.cpp", "rolling", "chunked"}));
  app.add_option("--adapter", adapter_path, "an adapter that tern-shootout left");
  app.add_option("--weights", weights, "stored as the file has them, or f32, bf16, q8, q4, q4_0, ternary")
      ->capture_default_str();
  app.add_option("--precision", precision,
                 "of products with weights: full, or mixed, which rounds activations where that is faster")
      ->capture_default_str()
      ->check(CLI::IsMember(std::set<std::string>{"full", "mixed"}));
  app.add_option("--threads", threads, "worker threads")
      ->capture_default_str()
      ->check(CLI::Range(Index(1), Index(1024)));

  return program::run(app, argc, argv, [&] {
    ThreadPool pool(threads);
    Pass pass;
    pass.parallel = pool.parallel();
    pass.kernels = &chosen_kernels();
    pass.precision = precision == "mixed" ? Precision::mixed : Precision::full;
    const Base base = program::load(
        base_name,
        {.weights = program::parse_weights(weights), .fingerprint = !adapter_path.empty(), .parallel = pass.parallel});
    const MappedFile file(text_path);
    const std::string_view bytes(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
    const auto tokens = base.tokenizer->encode(decode_utf8(bytes, text_path, BadBytes::error).text);

    AdapterSet<float> adapters;
    if (!adapter_path.empty()) {
      const PackedFile stored = read_packed(adapter_path);
      const std::string name = contender_of(stored, adapter_path, base.fingerprint);
      const ModelView model(base.model, pass);
      Random random(0);
      find_contender(with_candidates(contenders(), model), name).attach(model, adapters, random);
      fill_adapters(stored, adapter_path, adapters);
    }
    PerplexityOptions options;
    options.context = context;
    options.prefix = base.prefix();
    const Convention kind = convention == "rolling"   ? Convention::rolling
                            : convention == "chunked" ? Convention::chunked
                                                      : Convention::llama_cpp;
    Perplexity p;
    try {
      const Adapted subject(base.model, adapters);
      decltype(subject)::Cache cache;
      p = perplexity(subject, pass, kind, tokens, cache, options, base.token_bytes(tokens));
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
