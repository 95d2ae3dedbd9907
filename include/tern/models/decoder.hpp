#pragma once
#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "tern/core/language_model.hpp"
#include "tern/core/random.hpp"
#include "tern/layers/block.hpp"
#include "tern/layers/embedding.hpp"
#include "tern/models/config.hpp"
#include "tern/weights/bf16.hpp"

namespace tern {

/// A decoder-only transformer: embedding, pre-norm blocks, final norm, vocabulary head (tied to the embedding or its own).
/// S is the arithmetic, W the storage of the blocks' projections, T that of embedding and head.
/// One const model serves many threads, each with a Cache of its own; adapters are lent per call.
template <std::floating_point S, class W = Dense<S>, TableStorage<S> T = Dense<S>>
class Decoder {
 public:
  using Scalar = S;
  using Weights = W;

  struct Cache {
    std::vector<Matrix<S>> x;  // input of each block, and output of the last: [tokens x hidden] each
    std::vector<typename Block<S, W>::Cache> blocks;
    typename RmsNorm<S>::Cache final_norm;
    Matrix<S> hidden, dhidden, dx[2];
    // The rows at the head, head_rows() at a time: [head_rows() x hidden], [head_rows() x vocabulary].
    Matrix<S> head_in, dhead_in, logits;
    std::vector<Index> scored;
  };

  /// Keys and values of every layer and sequence, for decoding.
  struct Store {
    std::vector<std::vector<KeyValues<S>>> layers;  // [layer][sequence]
  };

  Decoder() = default;

  /// A model of zeros with unit gains, ready to be filled by a loader or by initialize(); packed storages are empty.
  explicit Decoder(const ModelConfig& c) : config(c) {
    validate(config, "decoder");
    const auto linear = [](Index out, Index in) {
      Linear<S, W> l;
      if constexpr (std::is_constructible_v<W, Matrix<S>>) l.weight = W(Matrix<S>::Zero(out, in));
      return l;
    };
    if (!config.tied) head.emplace();
    if constexpr (std::is_constructible_v<T, Matrix<S>>) {
      embedding.table = T(Matrix<S>::Zero(config.vocabulary, config.hidden));
      if (head) *head = embedding.table;
    }
    const S eps = static_cast<S>(config.epsilon);
    blocks.resize(static_cast<std::size_t>(config.layers));
    for (Index i = 0; i < config.layers; ++i) {
      Block<S, W>& b = blocks[static_cast<std::size_t>(i)];
      b.attention_norm = RmsNorm<S>(config.hidden, eps);
      b.mlp_norm = RmsNorm<S>(config.hidden, eps);
      b.attention.query = linear(config.query_width(), config.hidden);
      b.attention.key = linear(config.kv_width(), config.hidden);
      b.attention.value = linear(config.kv_width(), config.hidden);
      b.attention.output = linear(config.hidden, config.query_width());
      if (config.qkv_bias) {
        b.attention.query.bias.emplace(Matrix<S>(Matrix<S>::Zero(1, config.query_width())));
        b.attention.key.bias.emplace(Matrix<S>(Matrix<S>::Zero(1, config.kv_width())));
        b.attention.value.bias.emplace(Matrix<S>(Matrix<S>::Zero(1, config.kv_width())));
      }
      b.attention.rope = Rope<S>(config.head_dim, config.rope_theta, config.rope_divisors);
      b.attention.attention = CausalAttention<S>(config.heads, config.kv_heads, config.head_dim,
                                                 S(1) / std::sqrt(static_cast<S>(config.head_dim)));
      b.mlp.gate = linear(config.ffn, config.hidden);
      b.mlp.up = linear(config.ffn, config.hidden);
      b.mlp.down = linear(config.hidden, config.ffn);
      b.mlp.kind = config.gate;
      if (config.sub_norms) {
        b.attention.sub_norm.emplace(config.query_width(), eps);
        b.mlp.sub_norm.emplace(config.ffn, eps);
      }
      name_layers(b, i);
    }
    final_norm = RmsNorm<S>(config.hidden, eps);
    final_norm.name = "final_norm";
  }

  /// hidden [tokens x hidden] = final_norm(blocks(embedding(tokens))). Overwrites hidden.
  template <class Adapters = NoAdapters>
  void forward(const Pass& pass, std::span<const Token> tokens, Cache& c, Out<S> hidden, const Adapters& adapters = {},
               typename Adapters::Cache* ac = nullptr, Store* store = nullptr) const {
    const Index rows = static_cast<Index>(tokens.size());
    prepare(c, rows);
    embedding.forward(pass, tokens, c.x[0]);
    for (std::size_t i = 0; i < blocks.size(); ++i)
      blocks[i].forward(pass, c.x[i], c.blocks[i], c.x[i + 1], adapters, ac, static_cast<Index>(i),
                        store != nullptr ? std::span<KeyValues<S>>(store->layers[i]) : std::span<KeyValues<S>>());
    detail::forward_at({-1, Site::final_norm}, final_norm, pass, c.x.back(), c.final_norm, hidden, adapters, ac);
  }

  /// Adds the gradients of whatever trains, given dL/dhidden, which is changed by adapters at the final norm.
  template <class Adapters = NoAdapters>
  void backward(const Pass& pass, std::span<const Token> tokens, Cache& c, Out<S> dhidden, Adapters&& adapters = {},
                typename std::remove_cvref_t<Adapters>::Cache* ac = nullptr) {
    Matrix<S>*dy = &c.dx[0], *dx = &c.dx[1];
    zeros_like(c.x.back(), *dy);
    detail::backward_at({-1, Site::final_norm}, final_norm, pass, c.x.back(), c.final_norm, dhidden, *dy, adapters, ac);
    if (!c.blocks[0].scratch) c.blocks[0].scratch = std::make_shared<typename Block<S, W>::Scratch>();
    for (std::size_t i = blocks.size(); i-- > 0;) {
      c.blocks[i].scratch = c.blocks[0].scratch;
      zeros_like(c.x[i], *dx);
      blocks[i].backward(pass, c.x[i], c.blocks[i], *dy, *dx, adapters, ac, static_cast<Index>(i));
      std::swap(dx, dy);
    }
    embedding.backward(pass, tokens, *dy);
  }

  /// logits [rows x vocabulary] = head(hidden). Overwrites logits.
  template <class Adapters = NoAdapters>
  void logits(const Pass& pass, In<S> hidden, Out<S> logits, const Adapters& adapters = {},
              typename Adapters::Cache* ac = nullptr) const {
    typename T::Cache nothing;
    head_table().multiply(pass, hidden, nothing, logits);
    if constexpr (!std::is_same_v<Adapters, NoAdapters>)
      adapters.forward({-1, Site::head}, pass, hidden, *ac, logits);
  }

  /// nll[t] = -log p(targets[t] | tokens up to t), 0 where the target is `ignored`: see LanguageModel.
  template <class Adapters = NoAdapters>
  void nll(const Pass& pass, std::span<const Token> tokens, std::span<const Token> targets, Cache& c,
           std::span<double> nll, const Adapters& adapters = {}, typename Adapters::Cache* ac = nullptr) const {
    reshape(c.hidden, static_cast<Index>(tokens.size()), config.hidden);
    forward(pass, tokens, c, c.hidden, adapters, ac);
    std::fill(nll.begin(), nll.end(), 0.0);
    each_head_part(pass, targets, c, adapters, ac, [&](std::span<const Index> rows) {
      const auto& ops = operations<S>(pass);
      pass.parallel.each(static_cast<Index>(rows.size()), [&](Index i) {
        const auto t = static_cast<std::size_t>(rows[static_cast<std::size_t>(i)]);
        nll[t] = ops.cross_entropy(config.vocabulary, c.logits.row(i).data(), targets[t], S(0), nullptr);
      });
    });
  }

  /// Returns the sum of nll and adds scale * d(sum)/dp to every trainable parameter, adapters' included.
  template <class Adapters = NoAdapters>
  double gradients(const Pass& pass, std::span<const Token> tokens, std::span<const Token> targets, S scale, Cache& c,
                   Adapters&& adapters = {}, typename std::remove_cvref_t<Adapters>::Cache* ac = nullptr) {
    reshape(c.hidden, static_cast<Index>(tokens.size()), config.hidden);
    forward(pass, tokens, c, c.hidden, adapters, ac);
    zeros_like(c.hidden, c.dhidden);
    double total = 0;
    each_head_part(pass, targets, c, adapters, ac, [&](std::span<const Index> rows) {
      const auto& ops = operations<S>(pass);
      double part[most_head_rows];
      pass.parallel.each(static_cast<Index>(rows.size()), [&](Index i) {
        const auto t = static_cast<std::size_t>(rows[static_cast<std::size_t>(i)]);
        S* row = c.logits.row(i).data();
        part[i] = ops.cross_entropy(config.vocabulary, row, targets[t], scale, row);
      });
      for (std::size_t i = 0; i < rows.size(); ++i) total += part[i];
      const Index n = static_cast<Index>(rows.size());
      reshape(c.dhead_in, head_rows(), config.hidden);
      c.dhead_in.setZero();
      if constexpr (!std::is_same_v<std::remove_cvref_t<Adapters>, NoAdapters>)
        adapters.backward({-1, Site::head}, pass, c.head_in.topRows(n), *ac, c.logits.topRows(n),
                          c.dhead_in.topRows(n));
      T& table = head_table();
      typename T::Cache nothing;
      const auto x = c.head_in.topRows(n), dy = c.logits.topRows(n);
      table.multiply_transposed(pass, dy, nothing, c.dhead_in.topRows(n));
      if constexpr (requires { table.accumulate(pass, x, nothing, dy); }) table.accumulate(pass, x, nothing, dy);
      for (Index i = 0; i < n; ++i) c.dhidden.row(rows[static_cast<std::size_t>(i)]) += c.dhead_in.row(i);
    });
    backward(pass, tokens, c, c.dhidden, adapters, ac);
    return total;
  }

  /// Every site of this model, in the order of the forward pass.
  std::vector<SiteShape> sites() const {
    std::vector<SiteShape> all;
    const auto add = [&](Index layer, Site site, Index in, Index out) { all.push_back({{layer, site}, in, out}); };
    for (Index i = 0; i < config.layers; ++i) {
      add(i, Site::attention_norm, config.hidden, config.hidden);
      add(i, Site::query, config.hidden, config.query_width());
      add(i, Site::key, config.hidden, config.kv_width());
      add(i, Site::value, config.hidden, config.kv_width());
      if (config.sub_norms) add(i, Site::attention_sub_norm, config.query_width(), config.query_width());
      add(i, Site::attention_output, config.query_width(), config.hidden);
      add(i, Site::mlp_norm, config.hidden, config.hidden);
      add(i, Site::gate, config.hidden, config.ffn);
      add(i, Site::up, config.hidden, config.ffn);
      if (config.sub_norms) add(i, Site::mlp_sub_norm, config.ffn, config.ffn);
      add(i, Site::down, config.ffn, config.hidden);
    }
    add(-1, Site::final_norm, config.hidden, config.hidden);
    add(-1, Site::head, config.hidden, config.vocabulary);
    return all;
  }

  /// The norm at a site; throws ValueError if this model has none there.
  const RmsNorm<S>& norm(SiteId id) const {
    if (id.site == Site::final_norm) return final_norm;
    if (id.layer >= 0 && id.layer < config.layers) {
      const Block<S, W>& b = blocks[static_cast<std::size_t>(id.layer)];
      if (id.site == Site::attention_norm) return b.attention_norm;
      if (id.site == Site::mlp_norm) return b.mlp_norm;
      if (id.site == Site::attention_sub_norm && b.attention.sub_norm) return *b.attention.sub_norm;
      if (id.site == Site::mlp_sub_norm && b.mlp.sub_norm) return *b.mlp.sub_norm;
    }
    throw ValueError("decoder: expected the site of a norm, got '" + to_string(id) + "'");
  }

  /// Room for `capacity` positions of `sequences` texts.
  Store store(Index capacity, Index sequences = 1) const {
    Store s;
    s.layers.resize(blocks.size());
    for (auto& layer : s.layers)
      layer.resize(static_cast<std::size_t>(sequences),
                   KeyValues<S>{Matrix<S>(capacity, config.kv_width()), Matrix<S>(capacity, config.kv_width())});
    return s;
  }

  template <class Self, class F>
  static void fields(Self& self, F&& f) {
    f("embedding", self.embedding);
    f("blocks", self.blocks);
    f("final_norm", self.final_norm);
    f("head", self.head);
  }

  ModelConfig config;
  Embedding<S, T> embedding;
  std::vector<Block<S, W>> blocks;
  RmsNorm<S> final_norm;
  std::optional<T> head;  ///< [vocabulary x hidden]; none if tied

 private:
  /// Rows that meet the vocabulary at once: their logits never fill more than 64 MB in float, however many tokens there
  /// are. Fewer would read, and pack, the head's weights more often.
  static constexpr Index most_head_rows = 512;
  Index head_rows() const { return std::clamp<Index>((Index{1} << 24) / config.vocabulary, 1, most_head_rows); }

  const T& head_table() const { return head ? *head : embedding.table; }
  T& head_table() { return head ? *head : embedding.table; }

  void prepare(Cache& c, Index rows) const {
    c.x.resize(blocks.size() + 1);
    c.blocks.resize(blocks.size());
    for (auto& x : c.x) reshape(x, rows, config.hidden);
  }

  /// Gathers the scored rows of c.hidden, head_rows() at a time, into c.head_in, forms their logits and calls f(rows).
  template <class Adapters, class F>
  void each_head_part(const Pass& pass, std::span<const Token> targets, Cache& c, const Adapters& adapters,
                      typename Adapters::Cache* ac, F&& f) const {
    if (static_cast<Index>(targets.size()) != c.hidden.rows())
      throw ShapeError("decoder: expected " + std::to_string(c.hidden.rows()) + " targets, got " +
                       std::to_string(targets.size()));
    c.scored.clear();
    for (std::size_t t = 0; t < targets.size(); ++t) {
      if (targets[t] == ignored) continue;
      if (targets[t] < 0 || targets[t] >= config.vocabulary)
        throw ValueError("decoder: target " + std::to_string(t) + ": expected an id in [0, " +
                         std::to_string(config.vocabulary) + "), got " + std::to_string(targets[t]));
      c.scored.push_back(static_cast<Index>(t));
    }
    const auto at_once = static_cast<std::size_t>(head_rows());
    for (std::size_t begin = 0; begin < c.scored.size(); begin += at_once) {
      const auto rows =
          std::span<const Index>(c.scored).subspan(begin, std::min(at_once, c.scored.size() - begin));
      const Index n = static_cast<Index>(rows.size());
      reshape(c.head_in, head_rows(), config.hidden);
      reshape(c.logits, head_rows(), config.vocabulary);
      for (Index i = 0; i < n; ++i) c.head_in.row(i) = c.hidden.row(rows[static_cast<std::size_t>(i)]);
      logits(pass, c.head_in.topRows(n), c.logits.topRows(n), adapters, ac);
      f(rows);
    }
  }

  static void name_layers(Block<S, W>& b, Index i) {
    const auto set = [&](auto& layer, Site site) { layer.name = to_string(SiteId{i, site}); };
    set(b.attention_norm, Site::attention_norm);
    set(b.attention.query, Site::query);
    set(b.attention.key, Site::key);
    set(b.attention.value, Site::value);
    set(b.attention.output, Site::attention_output);
    set(b.mlp_norm, Site::mlp_norm);
    set(b.mlp.gate, Site::gate);
    set(b.mlp.up, Site::up);
    set(b.mlp.down, Site::down);
    if (b.attention.sub_norm) set(*b.attention.sub_norm, Site::attention_sub_norm);
    if (b.mlp.sub_norm) set(*b.mlp.sub_norm, Site::mlp_sub_norm);
  }
};

/// A decoder that stays as it is: projections in W, embedding and head in bf16, which costs half of a float table's
/// memory and packs nothing anew where products are in mixed precision; others see a table rounded once.
template <std::floating_point S, class W>
using FrozenDecoder = Decoder<S, W, Bf16<S>>;

/// Random weights for training from nothing: Normal(0, 0.02) everywhere, the projections back into the residual stream
/// divided by sqrt(2 * layers) (GPT-2's rule); gains 1, biases 0.
template <std::floating_point S>
void initialize(Decoder<S>& model, Random& random) {
  const double residual = 0.02 / std::sqrt(2.0 * static_cast<double>(model.config.layers));
  for_each_parameter(model, [&](std::string_view path, Parameter<S>& p) {
    if (path.ends_with("gain") || path.ends_with("bias")) return;
    const bool back = path.ends_with("output.weight") || path.ends_with("down.weight");
    fill_normal(p.value, random, back ? residual : 0.02);
  });
}

}  // namespace tern
