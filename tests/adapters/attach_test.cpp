#include "tern/adapters/attach.hpp"

#include <set>

#include "support/tiny_models.hpp"
#include "tern/models/adapted.hpp"
#include "tern/models/convert.hpp"

using namespace tern;
using namespace tern::test;

namespace {

/// A candidate on a model, as the comparison attaches it.
template <class S, class Model>
AdapterSet<S> attached(const Model& model, const MatchedAdapter& candidate, Index users = 1) {
  AdapterSet<S> set;
  Random random(4);
  attach_matched(model, set, candidate, random, find_directions<S>({}, model, candidate), users);
  return set;
}

const std::vector<Token> tokens = {3, 7, 1, 1, 12, 5}, targets = {7, 1, 1, 12, 5, 0};

}  // namespace

TEST_CASE(
    "matched adapters: a person has as many numbers as the candidate says, at its sites, and starts as the base") {
  for (const ModelConfig& config : tiny_families()) {
    CAPTURE(config.architecture);
    const auto model = random_decoder<double>(config, 5);
    std::vector<double> base(tokens.size()), nll(tokens.size());
    Decoder<double>::Cache cache;
    model.nll({}, tokens, targets, cache, base);
    for (const MatchedAdapter& candidate : size_matched(model.sites(), gains(config))) {
      CAPTURE(candidate.name);
      const auto set = attached<double>(model, candidate), three = attached<double>(model, candidate, 3);
      CHECK(count_parameters(set) == candidate.numbers);
      CHECK(count_parameters(three) == 3 * candidate.numbers);
      CHECK(three.users() == 3);
      std::set<SiteId> expected;
      for (const MatchedSite& s : candidate.sites) expected.insert(s.id);
      CHECK(std::set<SiteId>(set.sites().begin(), set.sites().end()) == expected);
      const Adapted adapted(model, set);
      decltype(adapted)::Cache own;
      adapted.nll({}, tokens, targets, own, nll);
      CHECK(nll == base);
    }
  }
}

TEST_CASE("matched adapters: gradients through a model match finite differences, two users in one batch") {
  const auto model = random_decoder<double>(tiny_gemma(), 6);
  const std::vector<Index> users = {1, 1, 0, 0, 0, 1};
  const std::vector<Sequence> sequences = {{2, 0}, {3, 0}, {1, 0}};
  Pass pass;
  pass.user = users;
  pass.sequences = sequences;
  for (const MatchedAdapter& candidate : size_matched(model.sites(), gains(model.config))) {
    CAPTURE(candidate.name);
    auto set = attached<double>(model, candidate, 2);
    Random random(7);
    for_each_parameter(set, [&](std::string_view, auto& p) {
      p.value += random_matrix<double>(p.value.rows(), p.value.cols(), random, 0.1);
    });
    const Adapted adapted(model, set);
    decltype(adapted)::Cache cache;
    Gradients<double> gradients(set);
    adapted.gradients(pass, tokens, targets, 1.0, cache, gradients);
    const auto loss = [&] {
      std::vector<double> nll(tokens.size());
      adapted.nll(pass, tokens, targets, cache, nll);
      double total = 0;
      for (const double n : nll) total += n;
      return total;
    };
    check_parameter_gradients(set, gradients, loss, 6);
  }
}

TEST_CASE("LoRA-XS finds its directions in weights of any format, the same for everybody") {
  PackedDecoder<float> model(tiny_llama());
  fill_randomly(model, 5);
  const auto candidate = size_matched(model.sites(), 60)[3];
  REQUIRE(candidate.name == "matched-lora-xs");
  const auto packed = converted(model, WeightFormat::q8, WeightFormat::f32);
  const auto of_dense = find_directions<float>({}, model, candidate),
             of_packed = find_directions<float>({}, packed, candidate);
  CHECK(of_dense.size() == candidate.sites.size());
  for (const MatchedSite& s : candidate.sites) {
    CHECK(of_packed.at(s.id)->rank() == s.rank);
    // Rounding moves a weight by at most a 254th of its row's largest. So it moves W by no more than sqrt(in) / 254 of
    // its Frobenius norm, which is no more than sqrt(min(in, out)) of the largest singular value: here sqrt(12 * 8) /
    // 254.
    const float exact = of_dense.at(s.id)->up.col(0).norm();
    CHECK(std::abs(of_packed.at(s.id)->up.col(0).norm() - exact) <= 9.8f / 254 * exact);
  }
  CHECK(find_directions<float>({}, model, size_matched(model.sites(), 60)[0]).empty());
}

TEST_CASE("matched adapters refuse sites that the model lacks, and LoRA-XS to be without its directions") {
  const auto model = random_decoder<float>(tiny_llama(), 5);
  AdapterSet<float> set;
  Random random(1);
  MatchedAdapter stray{"matched-gains", "gains", MatchedKind::gains, {{{7, Site::down}, 1}}, 8};
  CHECK_THROWS_WITH_AS(attach_matched(model, set, stray, random, {}),
                       "matched-gains: expected a site of the model, got 'blocks.7.down'", ValueError);
  stray.kind = MatchedKind::lora_xs;
  CHECK_THROWS_WITH_AS(find_directions<float>({}, model, stray),
                       "lora-xs: expected linears of the model, got 'blocks.7.down'", ValueError);
  const MatchedAdapter xs{"matched-lora-xs", "LoRA-XS", MatchedKind::lora_xs, {{{1, Site::down}, 2}}, 4};
  CHECK_THROWS_WITH_AS(attach_matched(model, set, xs, random, {}),
                       "matched-lora-xs: expected 2 singular directions of 'blocks.1.down', got none", ValueError);
  auto fewer = xs;
  fewer.sites[0].rank = 1;
  CHECK_THROWS_WITH_AS(attach_matched(model, set, xs, random, find_directions<float>({}, model, fewer)),
                       "matched-lora-xs: expected 2 singular directions of 'blocks.1.down', got 1", ValueError);
}
