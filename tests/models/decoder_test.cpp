#include "tern/models/decoder.hpp"

#include <numeric>

#include "support/gradient_check.hpp"
#include "support/no_allocation.hpp"
#include "tern/adapters/adapter_set.hpp"
#include "tern/adapters/lora.hpp"
#include "tern/adapters/user_gain.hpp"
#include "tern/core/parallel.hpp"
#include "tern/models/adapted.hpp"
#include "tern/models/with_weights.hpp"

using namespace tern;
using namespace tern::test;

namespace {

ModelConfig tiny(bool tied = true, bool sub_norms = false) {
  return {.hidden = 8, .layers = 2, .ffn = 12, .heads = 4, .kv_heads = 2, .head_dim = 4, .vocabulary = 13,
          .rope_theta = 100, .tied = tied, .qkv_bias = sub_norms, .sub_norms = sub_norms};
}

template <class S>
Decoder<S> random_decoder(const ModelConfig& config, std::uint64_t seed) {
  Decoder<S> model(config);
  Random random(seed);
  for_each_parameter(model, [&](std::string_view, auto& p) { fill_normal(p.value, random, 0.4); });
  return model;
}

std::vector<Token> random_tokens(Index n, Index vocabulary, Random& random) {
  std::vector<Token> tokens(static_cast<std::size_t>(n));
  for (Token& t : tokens) t = static_cast<Token>(random.below(vocabulary));
  return tokens;
}

/// An adapter of every kind at every site, away from its start.
template <class S>
AdapterSet<S> adapters_everywhere(const Decoder<S>& model, Index users, Random& random) {
  AdapterSet<S> set;
  for (const SiteShape& s : model.sites()) {
    if (is_norm(s.id.site)) {
      const auto& norm = model.norm(s.id);
      set.attach(s.id, "relative", UserGain<S>(GainKind::relative, norm.gain.value, norm.eps, users));
      if (s.id.layer == 0) set.attach(s.id, "absolute", UserGain<S>(GainKind::absolute, norm.gain.value, norm.eps, users));
    } else {
      set.attach(s.id, "lora", Lora<S>(s.in, s.out, 2, S(3), random));
    }
  }
  for_each_parameter(set, [&](std::string_view, Parameter<S>& p) {
    p.value += random_matrix<S>(p.value.rows(), p.value.cols(), random, 0.2);
  });
  return set;
}

}  // namespace

TEST_CASE("decoder: gradients match finite differences, adapters at every site, several users and texts") {
  const auto check = [](auto model, const Decoder<double>& dense) {
    const ModelConfig& config = model.config;
    Random random(11);
    auto set = adapters_everywhere(dense, 3, random);
    select_trainable(model, [](std::string_view) { return true; });
    select_trainable(set, [](std::string_view) { return true; });
    const auto tokens = random_tokens(9, config.vocabulary, random);
    auto targets = random_tokens(9, config.vocabulary, random);
    targets[4] = ignored;
    const Sequence sequences[] = {{5, 0}, {0, 0}, {4, 0}};
    const Index users[] = {0, 0, 2, 2, 2, 1, 1, 0, 0};
    Pass pass;
    pass.sequences = sequences;
    pass.user = users;
    Adapted adapted(model, set);
    typename decltype(adapted)::Cache cache;
    const double sum = adapted.gradients(pass, tokens, targets, 0.5, cache);
    const auto loss = [&] {
      std::vector<double> nll(9);
      typename decltype(adapted)::Cache c;
      adapted.nll(pass, tokens, targets, c, nll);
      return 0.5 * std::accumulate(nll.begin(), nll.end(), 0.0);
    };
    CHECK(loss() == doctest::Approx(0.5 * sum).epsilon(1e-12));
    check_parameter_gradients(model, loss, 6);
    check_parameter_gradients(set, loss, 6);
  };
  for (const auto& config : {tiny(), tiny(false, true)}) {
    const auto model = random_decoder<double>(config, 4);
    check(model, model);
    const auto same = [](const Dense<double>& w) { return w; };
    check(with_weights<Dense<double>, Bf16>(model, same), model);
  }
}

TEST_CASE("decoder: a table in bf16 gives what a dense one of the same numbers gives in mixed precision") {
  for (const bool tied : {true, false}) {
    Random random(5);
    auto dense = random_decoder<float>(tiny(tied), 6);
    const auto same = [](const Dense<float>& w) { return w; };
    auto frozen = with_weights<Dense<float>, Bf16>(dense, same);
    const auto round = [](Dense<float>& table, const Bf16<float>& rounded) {
      for (Index r = 0; r < table.rows(); ++r) rounded.row(r, table.parameter.value.row(r).data());
    };
    round(dense.embedding.table, frozen.embedding.table);
    if (!tied) round(*dense.head, *frozen.head);
    const auto tokens = random_tokens(40, 13, random), targets = random_tokens(40, 13, random);
    const auto run = [&](auto& model) {
      Random same_each_time(7);
      auto set = adapters_everywhere(dense, 1, same_each_time);
      select_trainable(set, [](std::string_view) { return true; });
      Pass pass;
      pass.precision = Precision::mixed;
      Adapted adapted(model, set);
      typename decltype(adapted)::Cache cache;
      std::vector<double> found{adapted.gradients(pass, tokens, targets, 1, cache)};
      for_each_parameter(set, [&](std::string_view, const Parameter<float>& p) {
        found.insert(found.end(), p.grad.data(), p.grad.data() + p.grad.size());
      });
      return found;
    };
    const auto expected = run(dense), got = run(frozen);
    REQUIRE(got.size() == expected.size());
    for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == doctest::Approx(expected[i]).epsilon(1e-3));
    if (kernels::best_isa() == kernels::Isa::avx512_bf16) CHECK(got == expected);
  }
}

TEST_CASE("decoder: frozen parameters stay untouched, second calls allocate nothing, any thread count gives the same bits") {
  const auto config = tiny();
  Random random(2);
  auto model = random_decoder<float>(config, 4);
  auto set = adapters_everywhere(model, 1, random);
  select_trainable(set, [](std::string_view) { return true; });
  const auto before = model;
  const auto tokens = random_tokens(150, config.vocabulary, random), targets = random_tokens(150, config.vocabulary, random);
  std::vector<Matrix<float>> first;
  double first_loss = 0;
  for (const Index threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    Pass pass;
    pass.parallel = pool.parallel();
    Adapted adapted(model, set);
    decltype(adapted)::Cache cache;
    zero_gradients(set);
    const double loss = adapted.gradients(pass, tokens, targets, 1, cache);
    std::size_t i = 0;
    for_each_parameter(set, [&](std::string_view, const Parameter<float>& p) {
      if (threads == 1)
        first.push_back(p.grad);
      else
        CHECK(p.grad == first[i]);
      ++i;
    });
    if (threads == 1) first_loss = loss;
    CHECK(loss == first_loss);
    const NoAllocation guard;
    adapted.gradients(pass, tokens, targets, 1, cache);
  }
  std::vector<Matrix<float>> values;
  for_each_parameter(before, [&](std::string_view, const auto& p) { values.push_back(p.value); });
  std::size_t i = 0;
  for_each_parameter(model, [&](std::string_view, const auto& p) {
    CHECK(p.value == values[i++]);
    CHECK(p.grad.size() == 0);
  });
}

TEST_CASE("decoder: decoding with a key/value store gives the logits of the whole text") {
  const auto config = tiny();
  Random random(6);
  const auto model = random_decoder<double>(config, 8);
  const auto tokens = random_tokens(9, config.vocabulary, random);
  Decoder<double>::Cache cache;
  Matrix<double> whole(9, config.hidden);
  model.forward({}, tokens, cache, whole);
  auto store = model.store(9);
  Index done = 0;
  for (const Index rows : {4, 1, 3, 1}) {
    const Sequence sequence{rows, done};
    Pass pass;
    pass.sequences = std::span(&sequence, 1);
    Matrix<double> hidden(rows, config.hidden);
    model.forward(pass, std::span(tokens).subspan(done, rows), cache, hidden, NoAdapters{}, nullptr, &store);
    CHECK((hidden - whole.middleRows(done, rows)).cwiseAbs().maxCoeff() < 1e-12);
    done += rows;
  }
}

TEST_CASE("decoder: one batch serves many users") {
  const auto config = tiny();
  Random random(6);
  auto model = random_decoder<double>(config, 8);
  auto set = adapters_everywhere(model, 2, random);
  const auto a = random_tokens(6, config.vocabulary, random), b = random_tokens(5, config.vocabulary, random);
  std::vector<Token> both(a);
  both.insert(both.end(), b.begin(), b.end());
  const auto run = [&](const std::vector<Token>& tokens, std::vector<Index> users, std::vector<Sequence> sequences) {
    Pass pass;
    pass.user = users;
    pass.sequences = sequences;
    Matrix<double> hidden(static_cast<Index>(tokens.size()), config.hidden);
    Decoder<double>::Cache cache;
    AdapterSet<double>::Cache ac;
    model.forward(pass, tokens, cache, hidden, set, &ac);
    return hidden;
  };
  std::vector<Index> users(6, 1);
  users.resize(11, 0);
  const auto mixed = run(both, users, {{6, 0}, {5, 0}});
  CHECK((mixed.topRows(6) - run(a, std::vector<Index>(6, 1), {})).cwiseAbs().maxCoeff() < 1e-12);
  CHECK((mixed.bottomRows(5) - run(b, std::vector<Index>(5, 0), {})).cwiseAbs().maxCoeff() < 1e-12);
}

TEST_CASE("decoder: ids outside the vocabulary and broken configurations are refused by name") {
  auto model = random_decoder<float>(tiny(), 1);
  Decoder<float>::Cache cache;
  Matrix<float> hidden(1, 8);
  const Token wrong[] = {13};
  CHECK_THROWS_WITH_AS(model.forward({}, wrong, cache, hidden),
                       "embedding forward: token 0: expected an id in [0, 13), got 13", ValueError);
  auto config = tiny();
  config.kv_heads = 3;
  CHECK_THROWS_WITH_AS(Decoder<float>{config},
                       "decoder: expected key/value heads that divide the query heads, got 3", ValueError);
}
