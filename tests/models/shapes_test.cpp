/// Every public call of every layer, adapter and model, with each argument one row, column or entry too short and too
/// long, and with sequences and users that do not fit: each is refused before anything is written.
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "support/tiny_models.hpp"
#include "tern/weights/ternary_aware.hpp"

using namespace tern;
using namespace tern::test;

namespace {

constexpr Index rows = 48;
constexpr Index most = std::numeric_limits<Index>::max();

/// What a call is given and may write to, by name.
struct Arguments {
  std::map<std::string, Matrix<float>> matrices;
  std::map<std::string, std::vector<Token>> tokens;
  std::vector<double> losses;
  std::vector<Sequence> sequences;
  std::vector<Index> users;
  std::vector<std::vector<KeyValues<float>>> stores;  // [layer][sequence]
  Gradients<float> gradients;

  Matrix<float>& operator[](const std::string& name) { return matrices.at(name); }
  Pass pass() const {
    Pass p;
    p.sequences = sequences;
    p.user = users;
    return p;
  }
};

bool same(const Matrix<float>& a, const Matrix<float>& b) { return a.rows() == b.rows() && a.cols() == b.cols() && a == b; }

/// Whether nothing that a call could write to has changed.
bool same(const Arguments& a, const Arguments& b) {
  bool kept = a.losses == b.losses && a.stores.size() == b.stores.size();
  for (const auto& [name, m] : a.matrices) kept = kept && same(m, b.matrices.at(name));
  for (std::size_t i = 0; i < a.gradients.size(); ++i) kept = kept && same(a.gradients[i], b.gradients[i]);
  for (std::size_t l = 0; kept && l < a.stores.size(); ++l) {
    kept = a.stores[l].size() == b.stores[l].size();
    for (std::size_t s = 0; kept && s < a.stores[l].size(); ++s)
      kept = same(a.stores[l][s].keys, b.stores[l][s].keys) && same(a.stores[l][s].values, b.stores[l][s].values);
  }
  return kept;
}

/// A call and arguments that it accepts.
struct Call {
  std::string name;
  Arguments good;
  std::function<void(Arguments&)> call;
  std::function<void(Arguments&)> before = [](Arguments&) {};  ///< with good arguments: fills the cache for backward
  Index users = 0;                                             ///< that what is attached knows; 0: the call reads none
  bool sequences = false, starts = false;                      ///< it reads them; they may start later
};

Matrix<float> filled(Index r, Index c, float value = 0.5f) { return Matrix<float>::Constant(r, c, value); }

void walk(const Call& c) {
  CAPTURE(c.name);
  const auto refused = [&](const std::string& what, auto&& spoil) {
    CAPTURE(what);
    Arguments good = c.good;
    c.before(good);
    Arguments bad = c.good;
    spoil(bad);
    const Arguments kept = bad;
    bool thrown = false;
    try {
      c.call(bad);
    } catch (const ShapeError&) {
      thrown = true;
    } catch (const ValueError&) {
      thrown = true;
    }
    CHECK(thrown);
    CHECK(same(bad, kept));
  };
  const auto each_misfit = [&](const std::string& what, auto&& member) {
    for (const auto& [r, k] : {std::pair<Index, Index>{1, 0}, {-1, 0}, {0, 1}, {0, -1}})
      refused(what + " " + std::to_string(r) + " rows, " + std::to_string(k) + " columns more",
              [&, r = r, k = k](Arguments& a) {
                Matrix<float>& m = member(a);
                m = filled(m.rows() + r, m.cols() + k);
              });
  };
  {
    Arguments good = c.good;
    c.before(good);
    good = c.good;
    CHECK_NOTHROW(c.call(good));
    CHECK_FALSE(same(good, c.good));  // it writes, so the refusals say something
  }
  for (const auto& [what, m] : c.good.matrices)
    each_misfit(what, [what = what](Arguments& a) -> Matrix<float>& { return a[what]; });
  for (const auto& [what, list] : c.good.tokens) {
    refused(what + " short", [&, what = what](Arguments& a) { a.tokens[what].pop_back(); });
    refused(what + " long", [&, what = what](Arguments& a) { a.tokens[what].push_back(1); });
    for (const Token wrong : {Token(13), std::numeric_limits<Token>::max(), std::numeric_limits<Token>::min()})
      refused(what + " out of range", [&, what = what](Arguments& a) { a.tokens[what].back() = wrong; });
  }
  if (!c.good.losses.empty()) {
    refused("losses short", [](Arguments& a) { a.losses.pop_back(); });
    refused("losses long", [](Arguments& a) { a.losses.push_back(0); });
  }
  if (c.sequences) {
    for (const std::vector<Sequence>& wrong : std::vector<std::vector<Sequence>>{{{rows + 1, 0}},
                                                                                  {{rows - 1, 0}},
                                                                                  {{0, 0}},
                                                                                  {{rows, 0}, {1, 0}},
                                                                                  {{20, 0}, {27, 0}},
                                                                                  {{rows + 1, 0}, {-1, 0}},
                                                                                  {{-1, 0}, {rows + 1, 0}},
                                                                                  {{rows, -1}},
                                                                                  {{rows, most}},
                                                                                  {{most, 0}, {most, 0}},
                                                                                  {{20, 0}, {28, -1}}})
      refused("sequences", [&](Arguments& a) { a.sequences = wrong; });
    if (!c.starts) refused("a start", [](Arguments& a) { a.sequences = {{20, 0}, {28, 1}}; });
  }
  if (c.users > 0)
    for (const Index wrong : {c.users, Index(-1), most, std::numeric_limits<Index>::min()})
      refused("user out of range", [&](Arguments& a) { a.users.back() = wrong; });
  if (c.users > 0) {
    refused("a user short", [](Arguments& a) { a.users.pop_back(); });
    refused("a user long", [](Arguments& a) { a.users.push_back(0); });
  }
  for (std::size_t l = 0; l < c.good.stores.size(); ++l) {
    for (std::size_t s = 0; s < c.good.stores[l].size(); ++s) {
      const std::string at = std::to_string(l) + " " + std::to_string(s);
      const Matrix<float>& keys = c.good.stores[l][s].keys;
      const Index needed = c.good.sequences[s].start + c.good.sequences[s].rows;
      REQUIRE(keys.rows() >= needed);
      for (Matrix<float> KeyValues<float>::*half : {&KeyValues<float>::keys, &KeyValues<float>::values})
        for (const auto& [r, k] : {std::pair<Index, Index>{needed - 1, keys.cols()}, {needed, keys.cols() - 1}, {needed, keys.cols() + 1}})
          refused("store " + at, [&, r = r, k = k](Arguments& a) { a.stores[l][s].*half = filled(r, k); });
    }
    refused("a store less", [&](Arguments& a) { a.stores[l].pop_back(); });
    refused("a store more", [&](Arguments& a) { a.stores[l].push_back(a.stores[l][0]); });
  }
}

const std::vector<Sequence> two_texts = {{20, 0}, {28, 0}};
const std::vector<Sequence> two_later = {{20, 3}, {28, 0}};

std::vector<Index> three_users() {
  std::vector<Index> users(rows, 2);
  for (std::size_t i = 0; i < 30; ++i) users[i] = static_cast<Index>(i % 2);
  return users;
}

template <class Layer>
Gradients<float> canaries(const Layer& layer) {
  Gradients<float> gradients(layer);
  for (std::size_t i = 0; i < gradients.size(); ++i) gradients[i].setConstant(7);
  return gradients;
}
template <class A, class B>
Gradients<float> canaries(const A& a, const B& b) {
  Gradients<float> gradients(a, b);
  for (std::size_t i = 0; i < gradients.size(); ++i) gradients[i].setConstant(7);
  return gradients;
}

/// forward and backward of a layer of rows, by run(arguments, cache) and back(arguments, cache).
template <class L, class Run, class Back>
void walk_layer(const std::string& name, Index in, Index out, Index users, bool sequences, bool starts,
                const Gradients<float>& gradients, Run&& run, Back&& back) {
  typename L::Cache cache;
  const auto base = [&](const std::string& call) {
    Call c;
    c.name = name + " " + call;
    c.users = users;
    c.sequences = sequences;
    c.starts = starts;
    if (sequences) c.good.sequences = two_texts;
    if (users > 0) c.good.users = three_users();
    return c;
  };
  Call forward = base("forward");
  forward.good.matrices = {{"x", filled(rows, in)}, {"y", filled(rows, out, 7)}};
  forward.call = [&](Arguments& a) { run(a, cache); };
  walk(forward);
  Call backward = base("backward");
  backward.good.matrices = {{"x", filled(rows, in)}, {"dy", filled(rows, out)}, {"dx", filled(rows, in, 7)}};
  backward.good.gradients = gradients;
  backward.before = [&](Arguments& a) {
    cache = {};
    a.matrices["y"] = filled(rows, out);
    run(a, cache);
  };
  backward.call = [&](Arguments& a) { back(a, cache); };
  walk(backward);
  backward.name += " without forward";
  Arguments a = backward.good;
  cache = {};
  if constexpr (requires { cache.bytes(); }) {
    CHECK_THROWS_AS(back(a, cache), ShapeError);
    CHECK(same(a, backward.good));
  }
}

template <class L>
void walk_plain(const std::string& name, const L& layer, Index in, Index out) {
  walk_layer<L>(
      name, in, out, 0, false, false, canaries(layer),
      [&](Arguments& a, typename L::Cache& c) { layer.forward(a.pass(), a["x"], c, a["y"]); },
      [&](Arguments& a, typename L::Cache& c) { layer.backward(a.pass(), a["x"], c, a["dy"], a["dx"], a.gradients); });
}

/// A layer of block 0 with adapters for three users at each of its sites; `starts`: it has no use for where texts start.
template <class L>
void walk_attached(const std::string& name, const L& layer, const AdapterSet<float>& set, bool starts) {
  AdapterSet<float>::Cache of_set;
  walk_layer<L>(
      name, 8, 8, 3, true, starts, canaries(layer, set),
      [&](Arguments& a, typename L::Cache& c) {
        layer.forward(a.pass(), a["x"], c, a["y"], Attached(set, of_set).at(0));
      },
      [&](Arguments& a, typename L::Cache& c) {
        layer.backward(a.pass(), a["x"], c, a["dy"], a["dx"], a.gradients, Attached(set, of_set).at(0));
      });
}

AdapterSet<float> for_three(const Decoder<float>& model) {
  Random random(5);
  return adapters_everywhere<float>(model, 3, random);
}

Arguments stored_arguments(Index layers) {
  Arguments a;
  a.sequences = two_later;
  a.users = three_users();
  for (Index l = 0; l < layers; ++l)
    a.stores.push_back({{filled(23, 8, 7), filled(23, 8, 7)}, {filled(28, 8, 7), filled(28, 8, 7)}});
  return a;
}

}  // namespace

TEST_CASE("shapes: RmsNorm and Linear") {
  Random random(1);
  walk_plain("rms norm", RmsNorm<float>(6), 6, 6);
  Linear<float> linear(Dense<float>(random_matrix<float>(5, 6, random)));
  walk_plain("linear", linear, 6, 5);
  linear.bias.emplace(Matrix<float>(Matrix<float>::Ones(1, 5)));
  walk_plain("linear with bias", linear, 6, 5);
  walk_plain("ternary-aware linear", Linear<float, TernaryAware<float>>(TernaryAware<float>(random_matrix<float>(5, 6, random))),
             6, 5);
}

TEST_CASE("shapes: Embedding") {
  Random random(1);
  const Embedding<float> embedding(random_matrix<float>(13, 6, random));
  std::vector<Token> tokens(rows, 3);
  Call forward{.name = "embedding forward", .good = {}, .call = [&](Arguments& a) {
                 embedding.forward(a.pass(), a.tokens["tokens"], a["y"]);
               }};
  forward.good.tokens = {{"tokens", tokens}};
  forward.good.matrices = {{"y", filled(rows, 6, 7)}};
  walk(forward);
  Call backward{.name = "embedding backward", .good = {}, .call = [&](Arguments& a) {
                  embedding.backward(a.pass(), a.tokens["tokens"], a["dy"], a.gradients);
                }};
  backward.good.tokens = {{"tokens", tokens}};
  backward.good.matrices = {{"dy", filled(rows, 6)}};
  backward.good.gradients = canaries(embedding);
  walk(backward);
}

TEST_CASE("shapes: Rope") {
  const Rope<float> rope(4, {.theta = 100}), narrow(4, {.theta = 100, .rotated = 2});
  Rope<float>::Tables tables;
  Call apply{.name = "rope", .good = {}, .call = [&](Arguments& a) {
               rope.apply({}, rope.table(a.sequences, rows, tables), 1, a["x"]);
             }};
  apply.good.matrices = {{"x", filled(rows, 4)}};
  apply.good.sequences = two_texts;
  apply.sequences = apply.starts = true;
  walk(apply);
  CHECK_THROWS_AS(rope.table({}, -1, tables), ShapeError);
  Matrix<float> x = filled(rows, 4);
  const auto other = narrow.table({}, rows, tables);
  CHECK_THROWS_AS(rope.apply({}, other, 1, x), ShapeError);
  CHECK_THROWS_AS(rope.apply({}, {}, 1, x), ShapeError);
  CHECK(same(x, filled(rows, 4)));
  CHECK_THROWS_AS(Rope<float>(4, {.divisors = {1}}), ValueError);
  CHECK_THROWS_AS(Rope<float>(4, {.long_divisors = {1, 2, 3}}), ValueError);
  CHECK_THROWS_AS(Rope<float>(4, {.rotated = 6}), ValueError);
  CHECK_THROWS_AS(Rope<float>(3, {}), ValueError);
}

TEST_CASE("shapes: CausalAttention") {
  const CausalAttention<float> attention(4, 2, 4, 0.5f);
  CausalAttention<float>::Scratch scratch;
  Call forward{.name = "attention forward", .good = {}, .call = [&](Arguments& a) {
                 attention.forward(a.pass(), a["q"], a["k"], a["v"], scratch, a["out"]);
               }};
  forward.good.matrices = {{"q", filled(rows, 16)}, {"k", filled(rows, 8)}, {"v", filled(rows, 8)}, {"out", filled(rows, 16, 7)}};
  forward.good.sequences = two_texts;
  forward.sequences = true;
  walk(forward);
  Call stored = forward;
  stored.name = "attention forward with stores";
  stored.good.stores = stored_arguments(1).stores;
  stored.good.sequences = two_later;
  stored.starts = true;
  stored.call = [&](Arguments& a) {
    attention.forward(a.pass(), a["q"], a["k"], a["v"], scratch, a["out"], a.stores[0]);
  };
  walk(stored);
  Call backward = forward;
  backward.name = "attention backward";
  backward.good.matrices = {{"q", filled(rows, 16)},     {"k", filled(rows, 8)},     {"v", filled(rows, 8)},
                            {"dout", filled(rows, 16)},  {"dq", filled(rows, 16, 7)}, {"dk", filled(rows, 8, 7)},
                            {"dv", filled(rows, 8, 7)}};
  backward.call = [&](Arguments& a) {
    attention.backward(a.pass(), a["q"], a["k"], a["v"], scratch, a["dout"], a["dq"], a["dk"], a["dv"]);
  };
  walk(backward);
}

TEST_CASE("shapes: SelfAttention, GatedMlp and Block, with adapters at every site") {
  for (const auto& config : {tiny_gemma(), tiny_bitnet(), tiny_qwen2()}) {
    CAPTURE(config.architecture);
    const auto model = random_decoder<float>(config, 3);
    const auto set = for_three(model);
    const auto& block = model.blocks[0];
    walk_attached("self attention", block.attention, set, false);
    walk_attached("gated mlp", block.mlp, set, true);
    walk_attached("block", block, set, false);

    AdapterSet<float>::Cache of_set;
    Block<float>::Cache cache;
    Call stored{.name = "block with stores", .good = stored_arguments(1), .call = [&](Arguments& a) {
                  block.forward(a.pass(), a["x"], cache, a["y"], Attached(set, of_set).at(0), a.stores[0]);
                }};
    stored.good.matrices = {{"x", filled(rows, 8)}, {"y", filled(rows, 8, 7)}};
    stored.sequences = stored.starts = true;
    stored.users = 3;
    walk(stored);
    stored.name = "self attention with stores";
    stored.call = [&](Arguments& a) {
      block.attention.forward(a.pass(), a["x"], cache.attention, a["y"], Attached(set, of_set).at(0), a.stores[0]);
    };
    walk(stored);
  }
}

TEST_CASE("shapes: UserGain and Lora") {
  Random random(1);
  const auto both = [&](const std::string& name, const auto& adapter, Index in, Index out, float y) {
    using A = std::remove_cvref_t<decltype(adapter)>;
    typename A::Cache cache;
    Call forward;
    forward.name = name + " forward";
    forward.good.matrices = {{"x", filled(rows, in)}, {"y", filled(rows, out, y)}};
    forward.good.sequences = two_texts;
    forward.good.users = three_users();
    forward.users = 3;
    forward.sequences = forward.starts = true;
    forward.call = [&](Arguments& a) { adapter.forward(a.pass(), a["x"], cache, a["y"]); };
    walk(forward);
    Call backward = forward;
    backward.name = name + " backward";
    backward.good.matrices = {{"x", filled(rows, in)}, {"dy", filled(rows, out, 7)}, {"dx", filled(rows, in, 7)}};
    backward.good.gradients = canaries(adapter);
    backward.before = [&](Arguments& a) {
      cache = {};
      a.matrices["y"] = filled(rows, out, y);
      adapter.forward(a.pass(), a["x"], cache, a["y"]);
    };
    backward.call = [&](Arguments& a) { adapter.backward(a.pass(), a["x"], cache, a["dy"], a["dx"], a.gradients); };
    walk(backward);
    cache = {};
    Arguments a = backward.good;
    CHECK_THROWS_AS(backward.call(a), ShapeError);
    CHECK(same(a, backward.good));
  };
  for (const GainKind kind : {GainKind::relative, GainKind::absolute}) {
    UserGain<float> gain(kind, Matrix<float>::Ones(1, 6), 1e-6f, 3);
    gain.gain.value.setConstant(2);
    both("user gain", gain, 6, 6, 1);  // the norm's own output of rows that are all alike
  }
  Lora<float> lora(6, 5, 2, 3.0f, random, 3);
  lora.up.value.setOnes();
  both("lora", lora, 6, 5, 7);
}

TEST_CASE("shapes: Decoder") {
  for (const auto& config : {tiny_gemma(), tiny_bitnet()})
    for (const bool recompute : {false, true}) {
      CAPTURE(config.architecture);
      const auto model = random_decoder<float>(config, 3);
      const auto set = for_three(model);
      AdapterSet<float>::Cache of_set;
      Decoder<float>::Cache cache;
      cache.recompute = recompute;
      const Attached attached(set, of_set);
      Random random(2);
      const auto tokens = random_tokens(rows, 13, random), targets = random_tokens(rows, 13, random);
      const auto base = [&](const std::string& name) {
        Call c;
        c.name = "decoder " + name;
        c.good.tokens = {{"tokens", tokens}};
        c.good.sequences = two_texts;
        c.good.users = three_users();
        c.users = 3;
        c.sequences = true;
        return c;
      };
      Call forward = base("forward");
      forward.good.matrices = {{"hidden", filled(rows, 8, 7)}};
      forward.call = [&](Arguments& a) { model.forward(a.pass(), a.tokens["tokens"], cache, a["hidden"], attached); };
      walk(forward);
      Call only = forward;
      only.name = "decoder forward_only";
      only.call = [&](Arguments& a) { model.forward_only(a.pass(), a.tokens["tokens"], cache, a["hidden"], attached); };
      walk(only);

      Call stored = forward;
      stored.name = "decoder forward with stores";
      stored.starts = true;
      stored.good.sequences = two_later;
      stored.good.stores = stored_arguments(2).stores;
      stored.call = [&](Arguments& a) {
        Decoder<float>::Store store{std::move(a.stores)};
        const auto give_back = [&] { a.stores = std::move(store.layers); };
        try {
          model.forward_only(a.pass(), a.tokens["tokens"], cache, a["hidden"], attached, &store);
        } catch (...) {
          give_back();
          throw;
        }
        give_back();
      };
      walk(stored);
      for (const std::size_t layers : {0u, 1u, 3u}) {
        Arguments a = stored.good;
        a.stores.resize(layers, stored.good.stores[0]);
        const Arguments kept = a;
        CHECK_THROWS_AS(stored.call(a), ShapeError);
        CHECK(same(a, kept));
      }
      Arguments storeless = stored.good;
      storeless.stores.assign(2, {});
      CHECK_THROWS_AS(stored.call(storeless), ShapeError);

      Call backward = base("backward");
      backward.good.matrices = {{"dhidden", filled(rows, 8)}};
      backward.good.gradients = canaries(model, set);
      backward.before = [&](Arguments& a) {
        Matrix<float> hidden(rows, 8);
        model.forward(a.pass(), a.tokens["tokens"], cache, hidden, attached);
      };
      backward.call = [&](Arguments& a) {
        model.backward(a.pass(), a.tokens["tokens"], cache, a["dhidden"], a.gradients, attached);
      };
      walk(backward);
      {
        // After scoring, nothing is there to go back through; nor after a forward of the other kind of cache.
        Arguments a = backward.good;
        Matrix<float> hidden(rows, 8);
        model.forward_only(a.pass(), tokens, cache, hidden, attached);
        CHECK_THROWS_AS(backward.call(a), ShapeError);
        backward.before(a);
        cache.recompute = !recompute;
        CHECK_THROWS_AS(backward.call(a), ShapeError);
        cache.recompute = recompute;
        CHECK(same(a, backward.good));
      }

      Call logits = base("logits");
      logits.good.tokens.clear();
      logits.sequences = false;
      logits.good.matrices = {{"hidden", filled(rows, 8)}, {"logits", filled(rows, 13, 7)}};
      logits.call = [&](Arguments& a) { model.logits(a.pass(), a["hidden"], a["logits"], attached); };
      walk(logits);

      Call nll = base("nll");
      nll.good.tokens["targets"] = targets;
      nll.good.losses.assign(rows, 7);
      nll.call = [&](Arguments& a) {
        model.nll(a.pass(), a.tokens["tokens"], a.tokens["targets"], cache, a.losses, attached);
      };
      walk(nll);
      Call gradients = base("gradients");
      gradients.good.tokens["targets"] = targets;
      gradients.good.gradients = canaries(model, set);
      gradients.call = [&](Arguments& a) {
        model.gradients(a.pass(), a.tokens["tokens"], a.tokens["targets"], 1, cache, a.gradients, attached);
      };
      walk(gradients);
      CHECK_THROWS_AS(model.store(-1), ValueError);
      CHECK_THROWS_AS(model.store(1, -1), ValueError);
    }
}

TEST_CASE("shapes: 49 rows announced for 48 are refused without anything attached") {
  const auto model = random_decoder<float>(tiny_llama(), 3);
  Decoder<float>::Cache cache;
  const std::vector<Token> tokens(48, 1);
  const Sequence wrong[] = {{49, 0}};
  Pass pass;
  pass.sequences = wrong;
  Matrix<float> hidden = filled(48, 8, 7);
  CHECK_THROWS_WITH_AS(model.forward(pass, tokens, cache, hidden),
                       "decoder forward: expected sequences of 48 rows in all, got more by sequence 0", ShapeError);
  CHECK(same(hidden, filled(48, 8, 7)));
}
