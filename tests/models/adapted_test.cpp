#include "tern/models/adapted.hpp"

#include <thread>
#include <vector>

#include "support/tiny_models.hpp"
#include "tern/adapters/attach.hpp"
#include "tern/train/adam.hpp"
#include "tern/weights/packed.hpp"

using namespace tern;
using namespace tern::test;

namespace {

/// What one person has: adapters, caches, a text. The base is everybody's.
template <class Model>
struct Person {
  Person(const Model& base, std::uint64_t seed) : model(base) {
    Random random(seed);
    attach_user_gains(base, set);
    attach_lora<float>(base, set, 2, 4, random, [](SiteId id) { return id.site == Site::query; });
    text = random_tokens(40, base.config.vocabulary, random);
  }

  /// Steps of training and, after each, a score; what training leaves.
  void train(int steps) {
    const Adapted adapted(model, set);
    typename Adapted<Model, AdapterSet<float>>::Cache cache;
    Adam<float> adam({}, set);
    const auto tokens = std::span(text).first(39), targets = std::span(text).last(39);
    std::vector<double> nll(39);
    for (int step = 0; step < steps; ++step) {
      adam.trainable().zero_gradients();
      adapted.gradients({}, tokens, targets, 1.0f / 39, cache, adam.trainable().gradients());
      adam.step(0.01);
      adapted.nll({}, tokens, targets, cache, nll);
      losses.insert(losses.end(), nll.begin(), nll.end());
    }
  }
  std::vector<Matrix<float>> parameters() const {
    std::vector<Matrix<float>> all;
    for_each_parameter(set, [&](std::string_view, const Parameter<float>& p) { all.push_back(p.value); });
    return all;
  }

  const Model& model;
  AdapterSet<float> set;
  std::vector<Token> text;
  std::vector<double> losses;
};

template <class Model>
void check_sharing(const Model& base) {
  Person<Model> first(base, 1), second(base, 2), alone(base, 1), apart(base, 2);
  const auto before = first.parameters();
  alone.train(10);
  apart.train(10);
  std::thread other([&] { second.train(10); });
  first.train(10);
  other.join();
  CHECK(first.losses == alone.losses);
  CHECK(second.losses == apart.losses);
  CHECK(first.parameters() == alone.parameters());
  CHECK(second.parameters() == apart.parameters());
  CHECK(first.parameters() != before);
  CHECK(first.losses.back() != second.losses.back());
}

}  // namespace

TEST_CASE("adapted: two people train on one const base from two threads, each to the bits of training alone") {
  check_sharing(random_decoder<float>(tiny_gemma(), 3));

  Decoder<float, Packed<float>, Packed<float>> packed(tiny_llama(false));
  fill_randomly(packed, 3);
  std::remove_cvref_t<decltype(packed)>::each_part(packed, [&](SiteId id, auto& part) {
    if constexpr (requires { part.weight; })
      part.weight = Packed<float>::quantize(part.weight.parameter()->value,
                                            id.layer == 0 ? WeightFormat::q8 : WeightFormat::ternary);
  });
  packed.head = Packed<float>::quantize(packed.head->parameter()->value, WeightFormat::bf16);
  check_sharing(packed);
}

TEST_CASE("adapted: gradients and losses are the decoder's with the set attached") {
  const auto model = random_decoder<double>(tiny_llama(), 3);
  Random random(4);
  const auto set = adapters_everywhere<double>(model, 1, random);
  const auto tokens = random_tokens(6, 13, random), targets = random_tokens(6, 13, random);
  const Adapted adapted(model, set);
  CHECK(&adapted.decoder() == &model);
  CHECK(&adapted.adapters() == &set);
  decltype(adapted)::Cache cache;
  Decoder<double>::Cache plain;
  AdapterSet<double>::Cache of_set;
  std::vector<double> nll(6), expected(6), bare(6);
  adapted.nll({}, tokens, targets, cache, nll);
  model.nll({}, tokens, targets, plain, expected, Attached(set, of_set));
  model.nll({}, tokens, targets, plain, bare);
  CHECK(nll == expected);
  CHECK(nll != bare);
  Gradients<double> found(set), wanted(set);
  const double sum = adapted.gradients({}, tokens, targets, 2, cache, found);
  CHECK(sum == model.gradients({}, tokens, targets, 2, plain, wanted, Attached(set, of_set)));
  for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i] == wanted[i]);
}
