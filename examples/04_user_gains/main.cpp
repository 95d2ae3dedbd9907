// Two people, one base, one batch: each has gains of their own at every norm, and every row of the batch names its user.
// You learn Pass::user, which chooses the gains row by row, forward and backward.
// Prints what a person costs, that a mixed batch gives each the same gradients as a batch of their own, and what the
// model says to each after the same words.
#include <cstdio>
#include <string>

#include "tern/tern.hpp"

namespace {

using Model = tern::Adapted<tern::Decoder<float>, tern::AdapterSet<float>>;

constexpr tern::Index users = 2;
const std::string names[users] = {"Anna", "Bo"};
const std::string prompt = "in the morning i ";
const std::string texts[users] = {prompt + "drink tea by the window.", prompt + "run along the old river."};

std::vector<tern::Token> tokens_of(const std::string& s) { return {s.begin(), s.end()}; }

/// The texts of the people in `who`, one sequence each; every row names its user.
tern::Batch batch_of(const std::vector<tern::Index>& who) {
  tern::Batch batch;
  for (const tern::Index user : who) {
    const auto tokens = tokens_of(texts[user]);
    batch.tokens.insert(batch.tokens.end(), tokens.begin(), tokens.end() - 1);
    batch.targets.insert(batch.targets.end(), tokens.begin() + 1, tokens.end());
    batch.user.insert(batch.user.end(), tokens.size() - 1, user);
    batch.sequences.push_back({static_cast<tern::Index>(tokens.size()) - 1, 0});
  }
  return batch;
}

/// Gives fit() the same batch again and again.
struct Always {
  tern::Batch batch;
  void next(tern::Batch& out) const { out = batch; }
};

/// Trains what is trainable in `layers`.
template <class M, class Layers>
void train(M model, const tern::Batch& batch, tern::Index steps, Layers& layers) {
  typename M::Cache cache;
  tern::Adam<float> adam({}, layers);
  Always source{batch};
  tern::fit(model, cache, {}, adam, source, tern::WarmupCosine{.peak = 0.01, .warmup = 10},
            {.budget = tern::Budget::of_steps(steps), .clip = 1});
}

/// The gains' gradients, summed over batches of one person or several.
std::vector<tern::Matrix<float>> gradients(Model model, const std::vector<std::vector<tern::Index>>& batches) {
  tern::zero_gradients(*model.adapters);
  for (const auto& who : batches) {
    const tern::Batch batch = batch_of(who);
    tern::Pass pass;
    pass.user = batch.user;
    pass.sequences = batch.sequences;
    Model::Cache cache;
    model.gradients(pass, batch.tokens, batch.targets, 1, cache);
  }
  std::vector<tern::Matrix<float>> found;
  tern::for_each_parameter(*model.adapters, [&](std::string_view, const auto& p) { found.push_back(p.grad); });
  return found;
}

/// Goes on from the prompt for everyone at once, with the likeliest character each time.
void speak(const Model& model, tern::Index length) {
  std::string said[users] = {prompt, prompt};
  Model::Cache cache;
  for (; length > 0; --length) {
    const auto rows = static_cast<tern::Index>(said[0].size());
    std::vector<tern::Index> user(said[0].size(), 0);
    user.resize(2 * said[0].size(), 1);
    const tern::Sequence sequences[users] = {{rows, 0}, {rows, 0}};
    tern::Pass pass;
    pass.user = user;
    pass.sequences = sequences;
    tern::Matrix<float> hidden(2 * rows, model.decoder->config.hidden), logits(2 * rows, model.decoder->config.vocabulary);
    model.decoder->forward(pass, tokens_of(said[0] + said[1]), cache.decoder, hidden, *model.adapters, &cache.adapters);
    model.decoder->logits(pass, hidden, logits, *model.adapters, &cache.adapters);
    for (tern::Index u = 0; u < users; ++u) {
      tern::Index likeliest = 0;
      logits.row((u + 1) * rows - 1).maxCoeff(&likeliest);
      said[u] += static_cast<char>(likeliest);
    }
  }
  for (tern::Index u = 0; u < users; ++u) std::printf("%s: %s\n", names[u].c_str(), said[u].c_str());
}

}  // namespace

int main() {
  tern::Decoder<float> base({.hidden = 32, .layers = 2, .ffn = 64, .heads = 2, .kv_heads = 1, .head_dim = 16,
                             .vocabulary = 128});
  tern::Random random(1);
  tern::initialize(base, random);
  tern::select_trainable(base, [](std::string_view) { return true; });
  tern::NoAdapters none;
  const tern::Batch everyone = batch_of({0, 1});
  train(tern::Adapted(base, none), everyone, 300, base);  // the base knows both texts, and not whose turn it is
  tern::freeze(base);

  tern::AdapterSet<float> gains;
  tern::attach_user_gains(base, gains, tern::GainKind::relative, users);
  tern::select_trainable(gains, [](std::string_view) { return true; });
  std::printf("%td gains a person, %td parameters in the base\n", tern::count_parameters(gains) / users,
              tern::count_parameters(base));
  const Model model(base, gains);
  const bool same = gradients(model, {{0, 1}}) == gradients(model, {{0}, {1}});
  std::printf("one mixed batch or one each: %s\n", same ? "the same gradients" : "other gradients");
  train(model, everyone, 100, gains);
  speak(model, 24);
}
