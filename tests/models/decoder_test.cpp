#include "tern/models/decoder.hpp"

#include <numeric>

#include "support/bf16_numbers.hpp"
#include "support/no_allocation.hpp"
#include "support/tiny_models.hpp"
#include "tern/core/parallel.hpp"
#include "tern/models/adapted.hpp"
#include "tern/weights/packed.hpp"

using namespace tern;
using namespace tern::test;

namespace {

/// A batch of three texts, one of them empty, of three users.
struct Batch {
  explicit Batch(const ModelConfig& config, std::uint64_t seed = 11) {
    Random random(seed);
    tokens = random_tokens(9, config.vocabulary, random);
    targets = random_tokens(9, config.vocabulary, random);
    targets[4] = ignored;
  }
  Pass pass() const {
    Pass p;
    p.sequences = sequences;
    p.user = users;
    return p;
  }
  std::vector<Token> tokens, targets;
  std::vector<Sequence> sequences = {{5, 0}, {0, 0}, {4, 0}};
  std::vector<Index> users = {0, 0, 2, 2, 2, 1, 1, 0, 0};
};

template <class Model>
using CacheOf = typename Adapted<Model, AdapterSet<typename Model::Scalar>>::Cache;

template <class Model, class Set>
std::vector<double> losses(const Model& model, const Set& set, const Batch& batch, CacheOf<Model>& cache) {
  std::vector<double> nll(batch.tokens.size());
  Adapted(model, set).nll(batch.pass(), batch.tokens, batch.targets, cache, nll);
  return nll;
}

/// Same dense numbers in another storage of weights and tables.
template <class W, class T, class S>
Decoder<S, W, T> restored(const Decoder<S>& dense, W (*linear)(const Matrix<S>&), T (*table)(const Matrix<S>&)) {
  Decoder<S, W, T> model(dense.config, unfilled);
  std::vector<const Linear<S>*> linears;
  std::vector<const RmsNorm<S>*> norms;
  Decoder<S>::each_part(dense, [&](SiteId, const auto& part) {
    if constexpr (requires { part.weight; })
      linears.push_back(&part);
    else
      norms.push_back(&part);
  });
  std::size_t l = 0, n = 0;
  Decoder<S, W, T>::each_part(model, [&](SiteId, auto& part) {
    if constexpr (requires { part.weight; }) {
      part.weight = linear(linears[l]->weight.parameter.value);
      part.bias = linears[l++]->bias;
    } else {
      part.gain = norms[n++]->gain;
    }
  });
  model.embedding.table = table(dense.embedding.table.parameter.value);
  if (dense.head) model.head = table(dense.head->parameter.value);
  return model;
}

}  // namespace

TEST_CASE("decoder: gradients match finite differences in every family, adapters at every site, users and texts") {
  const auto check = [](auto model) {
    Random random(11);
    auto set = adapters_everywhere<double>(model, 3, random);
    const Batch batch(model.config);
    CacheOf<decltype(model)> cache;
    Gradients<double> gradients(model, set);
    const double sum = Adapted(model, set).gradients(batch.pass(), batch.tokens, batch.targets, 0.5, cache, gradients);
    const auto loss = [&] {
      CacheOf<decltype(model)> own;
      const auto nll = losses(model, set, batch, own);
      return 0.5 * std::accumulate(nll.begin(), nll.end(), 0.0);
    };
    CHECK(loss() == doctest::Approx(0.5 * sum).epsilon(1e-12));
    check_parameter_gradients(model, gradients, loss, 6);
    check_parameter_gradients(set, gradients, loss, 6);
  };
  for (const auto& config : tiny_families()) {
    CAPTURE(config.architecture);
    const auto model = random_decoder<double>(config, 4);
    check(model);
    const auto dense = [](const Matrix<double>& w) { return Dense<double>(w); };
    const auto bf16 = [](const Matrix<double>& w) { return Bf16<double>::quantize(w); };
    check(restored<Dense<double>, Bf16<double>>(model, +dense, +bf16));
  }
}

TEST_CASE("decoder: a table in bf16, typed or packed, gives what a dense one of the same numbers gives in mixed precision") {
  for (const bool tied : {true, false}) {
    auto dense = random_decoder<float>(tiny_llama(tied), 6);
    const auto round = [](Dense<float>& table) {
      const auto rounded = Bf16<float>::quantize(table.parameter.value);
      for (Index r = 0; r < table.rows(); ++r) rounded.row(r, table.parameter.value.row(r).data());
    };
    round(dense.embedding.table);
    if (!tied) round(*dense.head);
    const auto as_dense = [](const Matrix<float>& w) { return Dense<float>(w); };
    const auto as_bf16 = [](const Matrix<float>& w) { return Bf16<float>::quantize(w); };
    const auto packed = [](const Matrix<float>& w) { return Packed<float>(w); };
    const auto packed_bf16 = [](const Matrix<float>& w) { return Packed<float>::quantize(w, WeightFormat::bf16); };
    const auto run = [&](const auto& model) {
      Random same_each_time(7);
      const auto set = adapters_everywhere<float>(dense, 3, same_each_time);
      const Batch batch(model.config);
      Pass pass = batch.pass();
      pass.precision = Precision::mixed;
      CacheOf<std::remove_cvref_t<decltype(model)>> cache;
      Gradients<float> gradients(set);
      std::vector<double> found{Adapted(model, set).gradients(pass, batch.tokens, batch.targets, 1, cache, gradients)};
      for (std::size_t i = 0; i < gradients.size(); ++i)
        found.insert(found.end(), gradients[i].data(), gradients[i].data() + gradients[i].size());
      return found;
    };
    const auto expected = run(dense);
    const auto typed = run(restored<Dense<float>, Bf16<float>>(dense, +as_dense, +as_bf16));
    REQUIRE(typed.size() == expected.size());
    for (std::size_t i = 0; i < typed.size(); ++i) CHECK(typed[i] == doctest::Approx(expected[i]).epsilon(1e-3));
    if (kernels::best_isa() == kernels::Isa::avx512_bf16) CHECK(typed == expected);
    CHECK(run(restored<Packed<float>, Packed<float>>(dense, +packed, +packed_bf16)) == typed);
  }
}

TEST_CASE("decoder: gradients of the head go back as they are, whatever rounds those through packed weights") {
  const auto dense = random_decoder<float>(tiny_llama(), 6);
  const auto as_dense = [](const Matrix<float>& w) { return Dense<float>(w); };
  const auto as_q8 = [](const Matrix<float>& w) { return Q8<float>::quantize(w); };
  const auto model = restored<Dense<float>, Q8<float>>(dense, +as_dense, +as_q8);
  Random random(7);
  const auto set = adapters_everywhere<float>(dense, 3, random);
  const Batch batch(model.config);
  const auto run = [&](GradientRounding rounding) {
    Pass pass = batch.pass();
    pass.gradients = rounding;
    CacheOf<std::remove_cvref_t<decltype(model)>> cache;
    Gradients<float> gradients(set);
    Adapted(model, set).gradients(pass, batch.tokens, batch.targets, 1, cache, gradients);
    std::vector<float> found;
    for (std::size_t i = 0; i < gradients.size(); ++i)
      found.insert(found.end(), gradients[i].data(), gradients[i].data() + gradients[i].size());
    return found;
  };
  CHECK(run(GradientRounding::nearest) == run(GradientRounding::none));
}

TEST_CASE("decoder: frozen parameters stay untouched, second calls allocate nothing, any thread count gives the same bits") {
  for (const auto& config : tiny_families()) {
    CAPTURE(config.architecture);
    Random random(2);
    const auto model = random_decoder<float>(config, 4);
    const auto set = adapters_everywhere<float>(model, 1, random);
    const auto tokens = random_tokens(150, config.vocabulary, random);
    const auto targets = random_tokens(150, config.vocabulary, random);
    Gradients<float> first;
    double first_loss = 0;
    for (const Index threads : {1, 2, 5}) {
      ThreadPool pool(threads);
      Pass pass;
      pass.parallel = pool.parallel();
      const Adapted adapted(model, set);
      CacheOf<Decoder<float>> cache;
      Gradients<float> gradients(set);
      const double loss = adapted.gradients(pass, tokens, targets, 1, cache, gradients);
      if (threads == 1) {
        first = gradients;
        first_loss = loss;
      }
      CHECK(loss == first_loss);
      for (std::size_t i = 0; i < gradients.size(); ++i) CHECK(gradients[i] == first[i]);
      std::vector<double> nll(tokens.size());
      adapted.nll(pass, tokens, targets, cache, nll);
      const NoAllocation guard;
      adapted.nll(pass, tokens, targets, cache, nll);
    }
  }
}

TEST_CASE("decoder: after the first call of gradients nothing allocates") {
  for (const auto& config : tiny_families())
    for (const bool recompute : {false, true}) {
      CAPTURE(config.architecture);
      Random random(2);
      const auto model = random_decoder<float>(config, 4);
      const auto set = adapters_everywhere<float>(model, 3, random);
      const Batch batch(config);
      const Adapted adapted(model, set);
      CacheOf<Decoder<float>> cache;
      cache.decoder.recompute = recompute;
      Gradients<float> gradients(model, set);
      const Pass pass = batch.pass();
      adapted.gradients(pass, batch.tokens, batch.targets, 1, cache, gradients);
      const NoAllocation guard;
      adapted.gradients(pass, batch.tokens, batch.targets, 1, cache, gradients);
    }
}

TEST_CASE("decoder: gradients in bf16 are float's but for roundings, with the same bits on any threads") {
  for (const auto& config : tiny_families()) {
    CAPTURE(config.architecture);
    Random random(2);
    const auto model = random_decoder<float>(config, 4);
    const auto set = adapters_everywhere<float>(model, 3, random);
    const Batch batch(config);
    CacheOf<Decoder<float>> cache;
    Gradients<float> full(model, set);
    Adapted(model, set).gradients(batch.pass(), batch.tokens, batch.targets, 1, cache, full);
    std::vector<StateMatrix<float>> first;
    for (const Index threads : {1, 2, 3}) {
      ThreadPool pool(threads);
      Pass pass = batch.pass();
      pass.parallel = pool.parallel();
      Gradients<float> narrow(StateType::bf16, model, set);
      Adapted(model, set).gradients(pass, batch.tokens, batch.targets, 1, cache, narrow);
      {
        const NoAllocation guard;
        narrow.set_zero();
        Adapted(model, set).gradients(pass, batch.tokens, batch.targets, 1, cache, narrow);
      }
      std::vector<StateMatrix<float>> found;
      int in_bf16 = 0;
      for (std::size_t i = 0; i < narrow.size(); ++i) {
        CAPTURE(i);
        found.push_back(narrow.held(i));
        if (!narrow.held(i).is_bf16()) {
          CHECK(narrow[i] == full[i]);
          continue;
        }
        ++in_bf16;
        // A linear's gradient is rounded once. A tied table's twice, and its two parts may cancel: they are as large as
        // the largest number of the table, which no rounding moves by more than 2^-8.
        const Matrix<float> off = (widened(narrow.held(i).bf16()) - full[i]).cwiseAbs();
        const bool table = full[i].rows() == config.vocabulary;
        const auto bound = static_cast<float>(kernels::bf16_rounding);
        if (table)
          CHECK(off.maxCoeff() <= 3 * bound * full[i].cwiseAbs().maxCoeff());
        else
          CHECK((off.array() <= bound * full[i].cwiseAbs().array()).all());
      }
      CHECK(in_bf16 == (config.tied ? 1 : 2) + 7 * static_cast<int>(config.layer_count()));
      if (threads == 1) first = found;
      CHECK(found == first);
    }
  }
}

TEST_CASE("decoder: computing each block again on the way back gives the same bits, and keeps one block") {
  for (const auto& config : tiny_families()) {
    CAPTURE(config.architecture);
    Random random(3);
    const auto model = random_decoder<float>(config, 4);
    const auto set = adapters_everywhere<float>(model, 3, random);
    const Batch batch(config);
    const auto run = [&](bool recompute, CacheOf<Decoder<float>>& cache) {
      cache.decoder.recompute = recompute;
      Gradients<float> gradients(model, set);
      Adapted(model, set).gradients(batch.pass(), batch.tokens, batch.targets, 1, cache, gradients);
      return gradients;
    };
    CacheOf<Decoder<float>> kept_cache, again_cache;
    const auto kept = run(false, kept_cache), again = run(true, again_cache);
    CHECK(kept_cache.decoder.blocks.size() == 2);
    CHECK(again_cache.decoder.blocks.size() == 1);
    for (std::size_t i = 0; i < kept.size(); ++i) CHECK(kept[i] == again[i]);
  }
}

TEST_CASE("decoder: one cache serves calls of every kind, one after another") {
  for (const auto& config : tiny_families()) {
    CAPTURE(config.architecture);
    Random random(3);
    const auto model = random_decoder<float>(config, 4);
    const auto set = adapters_everywhere<float>(model, 3, random);
    const Batch batch(config), other(config, 12);
    CacheOf<Decoder<float>> cache, fresh;
    const auto before = losses(model, set, batch, cache);
    Gradients<float> first(model, set), second(model, set);
    const double sum = Adapted(model, set).gradients(batch.pass(), batch.tokens, batch.targets, 1, cache, first);
    CHECK(sum == std::accumulate(before.begin(), before.end(), 0.0));
    CHECK(losses(model, set, batch, cache) == before);
    CHECK(losses(model, set, other, cache) == losses(model, set, other, fresh));
    cache.decoder.recompute = true;
    Adapted(model, set).gradients(batch.pass(), batch.tokens, batch.targets, 1, cache, second);
    for (std::size_t i = 0; i < first.size(); ++i) CHECK(first[i] == second[i]);
    CHECK(losses(model, set, batch, cache) == before);
  }
}

TEST_CASE("decoder: forward_only gives forward's bits") {
  for (const auto& config : tiny_families()) {
    CAPTURE(config.architecture);
    Random random(3);
    const auto model = random_decoder<float>(config, 4);
    const auto set = adapters_everywhere<float>(model, 3, random);
    const Batch batch(config);
    const auto run = [&](bool only) {
      Decoder<float>::Cache cache;
      AdapterSet<float>::Cache of_set;
      Matrix<float> hidden(9, config.hidden);
      if (only)
        model.forward_only(batch.pass(), batch.tokens, cache, hidden, Attached(set, of_set));
      else
        model.forward(batch.pass(), batch.tokens, cache, hidden, Attached(set, of_set));
      CHECK(cache.blocks.size() == (only ? 1 : 2));
      CHECK(cache.x.size() == (only ? 2 : 3));
      return hidden;
    };
    CHECK(run(true) == run(false));
  }
}

TEST_CASE("decoder: decoding with a key/value store gives the logits of the whole text") {
  // Not phi3's: longrope turns keys by the length of the whole text, which decoding does not know yet.
  for (const auto& config : {tiny_llama(), tiny_bitnet(), tiny_qwen2(), tiny_gemma()}) {
    CAPTURE(config.architecture);
    Random random(6);
    const auto model = random_decoder<double>(config, 8);
    const auto set = adapters_everywhere<double>(model, 3, random);
    const std::vector<Token> texts[] = {random_tokens(9, config.vocabulary, random),
                                        random_tokens(7, config.vocabulary, random)};
    const Index users[] = {2, 1};
    std::vector<Token> all = texts[0];
    all.insert(all.end(), texts[1].begin(), texts[1].end());
    std::vector<Index> user_of(9, 2);
    user_of.resize(16, 1);
    const Sequence sequences[] = {{9, 0}, {7, 0}};
    Pass pass;
    pass.sequences = sequences;
    pass.user = user_of;
    Decoder<double>::Cache cache;
    AdapterSet<double>::Cache of_set;
    Matrix<double> whole(16, config.hidden);
    model.forward(pass, all, cache, whole, Attached(set, of_set));

    auto store = model.store(9, 2);
    Index done[] = {0, 0};
    for (const std::array<Index, 2> rows : {std::array<Index, 2>{4, 1}, {1, 3}, {3, 0}, {1, 3}}) {
      const Sequence now[] = {{rows[0], done[0]}, {rows[1], done[1]}};
      std::vector<Token> tokens;
      std::vector<Index> user;
      for (int s : {0, 1}) {
        tokens.insert(tokens.end(), texts[s].begin() + done[s], texts[s].begin() + done[s] + rows[s]);
        user.insert(user.end(), static_cast<std::size_t>(rows[s]), users[s]);
      }
      Pass step;
      step.sequences = now;
      step.user = user;
      Matrix<double> hidden(rows[0] + rows[1], config.hidden);
      model.forward_only(step, tokens, cache, hidden, Attached(set, of_set), &store);
      const auto near = [](const auto& a, const auto& b) { return a.size() == 0 || (a - b).cwiseAbs().maxCoeff() < 1e-12; };
      CHECK(near(hidden.topRows(rows[0]), whole.middleRows(done[0], rows[0])));
      CHECK(near(hidden.bottomRows(rows[1]), whole.middleRows(9 + done[1], rows[1])));
      for (int s : {0, 1}) done[s] += rows[s];
    }
    CHECK(done[0] == 9);
    CHECK(done[1] == 7);
  }
}

TEST_CASE("decoder: a window hides what lies before it") {
  auto config = tiny_llama();
  for (LayerConfig& layer : config.layers) layer.window = 2;
  const auto model = random_decoder<double>(config, 8);
  std::vector<Token> tokens = {1, 2, 3, 4, 5, 6};
  const auto last = [&] {
    Decoder<double>::Cache cache;
    Matrix<double> hidden(6, config.hidden);
    model.forward({}, tokens, cache, hidden);
    return Matrix<double>(hidden.bottomRows(1));
  };
  const Matrix<double> before = last();
  tokens[2] = 9;  // two layers of windows of 2 reach back 2 rows
  CHECK(last() == before);
  tokens[3] = 9;
  CHECK(last() != before);
}

TEST_CASE("decoder: one batch serves many users") {
  for (const auto& config : tiny_families()) {
    CAPTURE(config.architecture);
    Random random(6);
    const auto model = random_decoder<double>(config, 8);
    const auto set = adapters_everywhere<double>(model, 2, random);
    const auto a = random_tokens(6, config.vocabulary, random), b = random_tokens(5, config.vocabulary, random);
    std::vector<Token> both(a);
    both.insert(both.end(), b.begin(), b.end());
    const auto run = [&](const std::vector<Token>& tokens, std::vector<Index> users, std::vector<Sequence> sequences) {
      Pass pass;
      pass.user = users;
      pass.sequences = sequences;
      Decoder<double>::Cache cache;
      AdapterSet<double>::Cache of_set;
      Matrix<double> hidden(static_cast<Index>(tokens.size()), config.hidden);
      Matrix<double> logits(hidden.rows(), config.vocabulary);
      model.forward(pass, tokens, cache, hidden, Attached(set, of_set));
      model.logits(pass, hidden, logits, Attached(set, of_set));
      return logits;
    };
    std::vector<Index> users(6, 1);
    users.resize(11, 0);
    const auto mixed = run(both, users, {{6, 0}, {5, 0}});
    CHECK((mixed.topRows(6) - run(a, std::vector<Index>(6, 1), {})).cwiseAbs().maxCoeff() < 1e-12);
    CHECK((mixed.bottomRows(5) - run(b, std::vector<Index>(5, 0), {})).cwiseAbs().maxCoeff() < 1e-12);
    CHECK((mixed.topRows(6) - run(a, std::vector<Index>(6, 0), {})).cwiseAbs().maxCoeff() > 1e-3);

    std::vector<Token> targets = random_tokens(11, config.vocabulary, random);
    targets[2] = ignored;  // so that scored rows are not the batch's
    Pass pass;
    const std::vector<Sequence> sequences = {{6, 0}, {5, 0}};
    pass.user = users;
    pass.sequences = sequences;
    CacheOf<Decoder<double>> cache;
    std::vector<double> nll(11);
    Adapted(model, set).nll(pass, both, targets, cache, nll);
    for (std::size_t t = 0; t < nll.size(); ++t) {
      const auto row = mixed.row(static_cast<Index>(t)).array();
      const double expected = targets[t] == ignored ? 0 : std::log(row.exp().sum()) - row(targets[t]);
      CHECK(nll[t] == doctest::Approx(expected).epsilon(1e-9));
    }
  }
}

TEST_CASE("decoder: an adapter at a site that the model lacks is refused by name") {
  const auto model = random_decoder<float>(tiny_llama(), 1);
  const auto set_at = [&](SiteId id) {
    AdapterSet<float> set;
    set.attach(id, "gain", UserGain<float>(GainKind::relative, Matrix<float>::Ones(1, 8), 1e-5f));
    return set;
  };
  const Token tokens[] = {1, 2};
  Decoder<float>::Cache cache;
  AdapterSet<float>::Cache of_set;
  Gradients<float> gradients;
  Matrix<float> hidden = Matrix<float>::Zero(2, 8);
  std::vector<double> nll(2, 7.0);
  for (const auto& [id, called] : {std::pair<SiteId, std::string>{{1, Site::attention_post_norm}, "blocks.1.attention_post_norm"},
                                   {{2, Site::mlp_norm}, "blocks.2.mlp_norm"},
                                   {{-1, Site::query}, "query"},
                                   {{0, Site::head}, "blocks.0.head"}}) {
    const auto set = set_at(id);
    CHECK_THROWS_WITH_AS(Adapted(model, set),
                         ("adapters: expected a site of the model, got '" + called + "', which this llama model lacks").c_str(),
                         ValueError);
    const Attached attached(set, of_set);
    const auto lacks = [&, called = called](const std::string& call) {
      return "decoder " + call + ": expected a site of the model, got '" + called + "', which this llama model lacks";
    };
    CHECK_THROWS_WITH_AS(model.forward({}, tokens, cache, hidden, attached), lacks("forward").c_str(), ValueError);
    CHECK_THROWS_AS(model.forward_only({}, tokens, cache, hidden, attached), ValueError);
    CHECK_THROWS_AS(model.nll({}, tokens, tokens, cache, nll, attached), ValueError);
    CHECK_THROWS_AS(model.gradients({}, tokens, tokens, 1, cache, gradients, attached), ValueError);
    CHECK_THROWS_WITH_AS(model.backward({}, tokens, cache, hidden, gradients, attached), lacks("backward").c_str(),
                         ValueError);
  }
  CHECK(hidden.isZero(0));
  CHECK(nll == std::vector<double>(2, 7.0));
}

TEST_CASE("decoder: ids outside the vocabulary and broken configurations are refused by name") {
  auto model = random_decoder<float>(tiny_llama(), 1);
  Decoder<float>::Cache cache;
  Matrix<float> hidden(1, 8);
  const Token wrong[] = {13};
  CHECK_THROWS_WITH_AS(model.forward({}, wrong, cache, hidden),
                       "embedding forward: token 0: expected an id in [0, 13), got 13", ValueError);
  auto config = tiny_llama();
  config.kv_heads = 3;
  CHECK_THROWS_WITH_AS(Decoder<float>{config},
                       "decoder: expected key/value heads that divide the query heads, got 3", ValueError);
}

TEST_CASE("decoder: parts, sites, names and counts tell of one description") {
  for (const auto& config : tiny_families()) {
    CAPTURE(config.architecture);
    const Decoder<float> model(config);
    std::vector<SiteId> parts;
    Decoder<float>::each_part(model, [&](SiteId id, const auto& part) {
      parts.push_back(id);
      CHECK(part.name == to_string(id));
      const auto shape = site_shape(config, id);
      REQUIRE(shape);
      if constexpr (requires { part.weight; }) {
        CHECK(part.in() == shape->in);
        CHECK(part.out() == shape->out);
      } else {
        CHECK(part.channels() == shape->out);
        CHECK(&part == &model.norm(id));
      }
    });
    std::vector<SiteId> listed;
    for (const SiteShape& s : model.sites()) listed.push_back(s.id);
    parts.push_back({-1, Site::head});
    CHECK(parts == listed);
    CHECK(count_parameters(model) == parameters(config));
    Index trained = 0, vectors = 0;
    for_each_parameter(model, [&](std::string_view path, const auto& p) {
      if (!path.ends_with("gain")) return;
      trained += p.value.size();
      ++vectors;
    });
    CHECK(trained == gains(config));
    CHECK(vectors == gain_vectors(config));
  }
  CHECK_THROWS_WITH_AS(Decoder<float>(tiny_llama()).norm({0, Site::query}),
                       "decoder: expected the site of a norm, got 'blocks.0.query'", ValueError);
}
