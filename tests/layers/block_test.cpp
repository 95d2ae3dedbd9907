#include "tern/layers/block.hpp"

#include "support/layer_contract.hpp"
#include "support/tiny_models.hpp"

using namespace tern;
using namespace tern::test;

namespace {

/// Every combination of norms that an architecture could call for.
std::vector<SiteSet> norm_sets() {
  std::vector<SiteSet> sets;
  for (unsigned bits = 0; bits < 64; ++bits) {
    SiteSet set;
    const auto add = [&](unsigned bit, std::initializer_list<Site> sites) {
      if ((bits >> bit & 1u) != 0)
        for (const Site s : sites) set.add(s);
    };
    add(0, {Site::attention_norm});
    add(1, {Site::mlp_norm});
    add(2, {Site::attention_post_norm});
    add(3, {Site::mlp_post_norm});
    add(4, {Site::attention_sub_norm, Site::mlp_sub_norm});
    add(5, {Site::query_norm, Site::key_norm});
    sets.push_back(set);
  }
  return sets;
}

}  // namespace

TEST_CASE_TEMPLATE("Block keeps the layer contract in every family", S, float, double) {
  for (const ModelConfig& config : tiny_families()) {
    CAPTURE(config.architecture);
    const Decoder<S> model = random_decoder<S>(config, 9);
    for (const auto& block : model.blocks) check_layer_contract(block, {.tokens = 7, .in = 8, .out = 8, .seed = 5});
  }
}

TEST_CASE("Block: gradients match finite differences with any norms") {
  for (const SiteSet& norms : norm_sets()) {
    ModelConfig config = tiny_llama();
    config.layers.resize(1);
    config.layers[0].norms = norms;
    auto block = random_decoder<double>(config, 9).blocks[0];
    Random random(3);
    Matrix<double> x = random_matrix<double>(4, 8, random);
    const Matrix<double> weight = random_matrix<double>(4, 8, random);
    Matrix<double> y(4, 8), dx = Matrix<double>::Zero(4, 8);
    Gradients<double> gradients(block);
    Block<double>::Cache cache;
    block.forward({}, x, cache, y);
    block.backward({}, x, cache, weight, dx, gradients);
    const auto loss = [&] {
      Block<double>::Cache own;
      Matrix<double> out(4, 8);
      block.forward({}, x, own, out);
      return (out.array() * weight.array()).sum();
    };
    std::string present;
    for (const Site s : all_sites)
      if (norms.contains(s)) present += std::string(name(s)) + " ";
    CAPTURE(present);
    check_gradient("dx", x, dx, loss, 8);
    check_parameter_gradients(block, gradients, loss, 4);
  }
}

TEST_CASE("Block adds each branch to its input, post norms after the branch") {
  auto config = tiny_gemma();
  auto block = random_decoder<double>(config, 2).blocks[1];
  Random random(3);
  const Matrix<double> x = random_matrix<double>(5, 8, random);
  Matrix<double> y(5, 8);
  Block<double>::Cache cache;
  block.forward({}, x, cache, y);

  Matrix<double> normed(5, 8), branch(5, 8), post(5, 8);
  RmsNorm<double>::Cache n;
  SelfAttention<double>::Cache a;
  GatedMlp<double>::Cache m;
  block.attention_norm->forward({}, x, n, normed);
  block.attention.forward({}, normed, a, branch);
  block.attention_post_norm->forward({}, branch, n, post);
  const Matrix<double> h = x + post;
  block.mlp_norm->forward({}, h, n, normed);
  block.mlp.forward({}, normed, m, branch);
  block.mlp_post_norm->forward({}, branch, n, post);
  CHECK((y - h - post).cwiseAbs().maxCoeff() < 1e-14);
}

TEST_CASE("Block: blocks of one model share a scratch") {
  const auto model = random_decoder<float>(tiny_gemma(), 2);
  Random random(3);
  const Matrix<float> x = random_matrix<float>(5, 8, random);
  const auto through = [&](bool shared) {
    std::vector<Block<float>::Cache> caches(2);
    if (shared) caches[0].scratch = caches[1].scratch = std::make_shared<Block<float>::Scratch>();
    Matrix<float> y = x, dx = Matrix<float>::Zero(5, 8), d = Matrix<float>::Ones(5, 8);
    Gradients<float> gradients(model);
    std::vector<Matrix<float>> in;
    for (std::size_t i = 0; i < 2; ++i) {
      in.push_back(y);
      model.blocks[i].forward({}, in[i], caches[i], y);
    }
    for (std::size_t i = 2; i-- > 0;) {
      dx.setZero();
      model.blocks[i].backward({}, in[i], caches[i], d, dx, gradients);
      d = dx;
    }
    return std::pair(d, gradients);
  };
  const auto own = through(false), shared = through(true);
  CHECK(own.first == shared.first);
  CHECK(same_bits(own.second, shared.second));
}
