// A LoRA of rank 4 on a frozen base: the base learns one text, then the adapter alone learns another.
// You learn to attach adapters to a model's sites, to choose what trains, and that the base never changes.
// Prints what each run trains, then which text is known, without and with the adapter.
#include <cstdio>
#include <string>

#include "tern/tern.hpp"

namespace {

const std::string first = "a kettle sings, a kettle stops, the tea is poured in blue tin cups, and no one talks of rain. ";
const std::string second = "to reset the router hold the button for ten seconds; wait until both lamps are green again. ";

std::vector<tern::Token> tokens_of(const std::string& s) { return {s.begin(), s.end()}; }

/// Trains whatever is trainable in model and adapters on `text`.
template <class Adapters>
void train(tern::Decoder<float>& model, Adapters& adapters, const std::string& text, tern::Index steps) {
  tern::Adapted adapted(model, adapters);
  typename decltype(adapted)::Cache cache;
  tern::Adam<float> adam({}, model, adapters);
  std::printf("training %td of %td parameters\n", adam.trainable().count(),
              tern::count_parameters(model) + tern::count_parameters(adapters));
  const auto tokens = tokens_of(text + text);
  tern::Windows windows(tokens, {.context = 64, .sequences = 2, .seed = 2});
  tern::fit(adapted, cache, {}, adam, windows, tern::WarmupCosine{.peak = 0.01, .warmup = 10},
            {.budget = tern::Budget::of_steps(steps), .clip = 1});
}

/// A text is known below 0.5 nats a character, and strange above 2.
template <class Adapters>
const char* knowledge(tern::Decoder<float>& model, Adapters& adapters, const std::string& text) {
  tern::Adapted adapted(model, adapters);
  typename decltype(adapted)::Cache cache;
  const auto p = tern::perplexity(adapted, {}, tern::Convention::chunked, tokens_of(text + text), cache,
                                  {.context = 64});
  const double loss = p.nll / static_cast<double>(p.tokens);
  return loss < 0.5 ? "known" : loss > 2 ? "strange" : "half known";
}

}  // namespace

int main() {
  tern::Decoder<float> base({.hidden = 32, .layers = 2, .ffn = 64, .heads = 2, .kv_heads = 1, .head_dim = 16,
                             .vocabulary = 128});
  tern::Random random(1);
  tern::initialize(base, random);
  tern::NoAdapters none;
  tern::select_trainable(base, [](std::string_view) { return true; });
  train(base, none, first, 600);

  tern::freeze(base);
  const auto before = base;
  tern::AdapterSet<float> lora;
  tern::attach_lora(base, lora, /*rank=*/4, /*alpha=*/8.0f, random, tern::is_block_linear);
  tern::select_trainable(lora, [](std::string_view) { return true; });
  train(base, lora, second, 600);

  std::printf("                first text  second text\n");
  std::printf("base            %-10s  %s\n", knowledge(base, none, first), knowledge(base, none, second));
  std::printf("base with LoRA  %-10s  %s\n", knowledge(base, lora, first), knowledge(base, lora, second));
  const bool same = before.embedding.table.parameter.value == base.embedding.table.parameter.value &&
                    before.blocks[0].mlp.up.weight.parameter.value == base.blocks[0].mlp.up.weight.parameter.value;
  std::printf("%s\n", same ? "the base is as it was" : "the base changed");
}
