// A LoRA of rank 4 on a frozen base: the base learns one text, then the adapter alone learns another.
// You learn to attach adapters to a model's sites, to say what trains, and that the base, which is const, never changes.
// Prints how much each run trains, then which text is known, without and with the adapter.
#include <cstdio>
#include <string>

#include "tern/tern.hpp"

namespace {

const std::string first = "a kettle sings, a kettle stops, the tea is poured in blue tin cups, and no one talks of rain. ";
const std::string second = "to reset the router hold the button for ten seconds; wait until both lamps are green again. ";

std::vector<tern::Token> tokens_of(const std::string& s) { return {s.begin(), s.end()}; }

/// Trains all of `what` on `text`: the model itself, or what is attached to it.
template <tern::LanguageModel Model, class What>
void train(const Model& model, What& what, const std::string& text) {
  typename Model::Cache cache;
  tern::Adam<float> adam({}, what);
  const auto tokens = tokens_of(text + text);
  tern::Windows windows(tokens, {.context = 64, .sequences = 2, .seed = 2});
  tern::fit(model, cache, {}, adam, windows, tern::WarmupCosine{.peak = 0.01, .warmup = 10},
            {.budget = tern::Budget::of_steps(600), .clip = 1});
}

/// A text is known below 0.5 nats a character, and strange above 2.
template <tern::LanguageModel Model>
const char* knowledge(const Model& model, const std::string& text) {
  typename Model::Cache cache;
  const auto p = tern::perplexity(model, {}, tern::Convention::chunked, tokens_of(text + text), cache, {.context = 64});
  const double loss = p.nll / static_cast<double>(p.tokens);
  return loss < 0.5 ? "known" : loss > 2 ? "strange" : "half known";
}

}  // namespace

int main() {
  tern::Decoder<float> base({.hidden = 32, .ffn = 64, .heads = 2, .kv_heads = 1, .head_dim = 16, .vocabulary = 128,
                             .layers = std::vector<tern::LayerConfig>(2)});
  tern::Random random(1);
  tern::initialize(base, random);
  train(base, base, first);

  const auto before = base;
  tern::AdapterSet<float> lora;
  tern::attach_lora(base, lora, /*rank=*/4, /*alpha=*/8.0f, random, tern::is_block_linear);
  const tern::Adapted with_lora(base, lora);
  train(with_lora, lora, second);
  std::printf("trained %td numbers, then %td beside them\n", tern::count_parameters(base),
              tern::count_parameters(lora));

  std::printf("                first text  second text\n");
  std::printf("base            %-10s  %s\n", knowledge(base, first), knowledge(base, second));
  std::printf("base with LoRA  %-10s  %s\n", knowledge(with_lora, first),
              knowledge(with_lora, second));
  const bool same = before.embedding.table.parameter.value == base.embedding.table.parameter.value &&
                    before.blocks[0].mlp.up.weight.parameter.value == base.blocks[0].mlp.up.weight.parameter.value;
  std::printf("%s\n", same ? "the base is as it was" : "the base changed");
}
