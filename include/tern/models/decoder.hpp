#pragma once
#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "tern/core/language_model.hpp"
#include "tern/core/random.hpp"
#include "tern/layers/block.hpp"
#include "tern/layers/embedding.hpp"
#include "tern/layers/rows.hpp"
#include "tern/models/config.hpp"
#include "tern/models/head.hpp"
#include "tern/models/hidden_noise.hpp"
#include "tern/models/key_value_store.hpp"

namespace tern {

/// Asks for a decoder whose weights are all empty.
inline constexpr struct Unfilled {
} unfilled{};

/// A decoder-only transformer: embedding, blocks, final norm, vocabulary head (tied to the embedding or its own).
/// S is the arithmetic, W the storage of the blocks' linears, T that of embedding and head.
/// One const model serves many threads, each with a Cache of its own; adapters are lent per call.
/// Every public call checks tokens, shapes, sequences and users before it writes: ShapeError, ValueError.
template <std::floating_point S, class W = Dense<S>, TableStorage<S> T = Dense<S>>
class Decoder {
 public:
  using Scalar = S;
  using Weights = W;
  using BlockCache = typename Block<S, W>::Cache;

  /// What a call leaves and works in; may be used for calls of any kind, one after another.
  struct Cache {
    /// Backward computes each block again from its input instead of keeping what is in it: the same bits, a third more
    /// time, the memory of one block.
    bool recompute = false;

    std::vector<Matrix<S>> x;  ///< inputs of the blocks and the last one's output [tokens x hidden]; 2 while scoring
    std::vector<BlockCache> blocks;  ///< of each block; 1 while scoring or recomputing
    std::shared_ptr<typename Block<S, W>::Scratch> scratch;
    typename RmsNorm<S>::Cache final_norm;
    Matrix<S> hidden, dhidden, dx[2];
    HeadCache<S, T> head;

    std::size_t bytes() const {
      std::size_t n = detail::bytes_of(final_norm, head, hidden, dhidden, dx[0], dx[1]);
      for (const auto& m : x) n += detail::bytes_of(m);
      for (const auto& b : blocks) n += b.bytes();
      return n + (scratch ? scratch->bytes() : 0);
    }
  };

  using Store = KeyValueStore<S>;

  Decoder() = default;

  /// A model of zeros with unit gains, ready to be filled by a loader or by initialize(); packed storages are empty.
  explicit Decoder(const ModelConfig& c) : Decoder(c, unfilled) {
    if constexpr (std::is_constructible_v<T, Matrix<S>>) {
      embedding.table = T(Matrix<S>::Zero(config.vocabulary, config.hidden));
      if (head) *head = embedding.table;
    }
    if constexpr (std::is_constructible_v<W, Matrix<S>>)
      each_part(*this, [&](SiteId id, auto& part) {
        const SiteShape shape = *site_shape(config, id);
        if constexpr (requires { part.weight; }) part.weight = W(Matrix<S>::Zero(shape.out, shape.in));
      });
  }
  /// The same with empty weights, for who fills them one by one.
  Decoder(const ModelConfig& c, Unfilled) : config(c) {
    validate(config, "decoder");
    if (!config.tied) head.emplace();
    embedding.scale = static_cast<S>(config.embedding_scale);
    blocks.resize(config.layers.size());
    for (Index i = 0; i < config.layer_count(); ++i) build(blocks[static_cast<std::size_t>(i)], i);
    final_norm = RmsNorm<S>(config.hidden, static_cast<S>(config.epsilon));
    final_norm.name = name(Site::final_norm);
  }

  /// hidden [tokens x hidden] = final_norm(blocks(embedding(tokens))). Overwrites hidden, and leaves in the cache what
  /// backward needs. `store`: see CausalAttention.
  template <class At = NothingAttached>
  void forward(const Pass& pass, std::span<const Token> tokens, Cache& c, Out<S> hidden, const At& attached = {},
               Store* store = nullptr) const {
    run(pass, tokens, c, hidden, attached, store, c.recompute ? Keep::inputs : Keep::everything);
  }

  /// The same for passes without a backward: keeps one block's memory.
  template <class At = NothingAttached>
  void forward_only(const Pass& pass, std::span<const Token> tokens, Cache& c, Out<S> hidden, const At& attached = {},
                    Store* store = nullptr) const {
    run(pass, tokens, c, hidden, attached, store, Keep::nothing);
  }

  /// Adds the gradients of whatever trains, given dL/dhidden, which is changed by adapters at the final norm, after
  /// forward() of the same pass, tokens and cache.
  template <class At = NothingAttached>
  void backward(const Pass& pass, std::span<const Token> tokens, Cache& c, Out<S> dhidden, Gradients<S>& gradients,
                const At& attached = {}) const {
    const Index rows = static_cast<Index>(tokens.size());
    check("decoder backward", pass, rows, attached);
    embedding.check("backward", tokens);
    expect_shape("decoder backward", "dhidden", dhidden, rows, config.hidden);
    for (const auto& block : blocks) block.attention.attention.check("backward", pass, rows);
    if (c.x.size() != blocks.size() + 1 || c.blocks.size() != (c.recompute ? 1 : blocks.size()) || c.x.back().rows() != rows || c.x.back().cols() != config.hidden)
      throw ShapeError("decoder backward: expected the cache of a forward pass of " + std::to_string(rows) + " tokens");
    Matrix<S>*dy = &c.dx[0], *dx = &c.dx[1];
    zeros_like(pass, c.x.back(), *dy);
    detail::backward_at(Site::final_norm, final_norm, pass, c.x.back(), c.final_norm, dhidden, *dy, gradients,
                        attached.at(-1));
    for (std::size_t i = blocks.size(); i-- > 0;) {
      const auto at = attached.at(static_cast<Index>(i));
      BlockCache& block = c.blocks[c.recompute ? 0 : i];
      if (c.recompute) {
        reshape(*dx, rows, config.hidden);
        blocks[i].forward(pass, c.x[i], block, *dx, at);
      }
      zeros_like(pass, c.x[i], *dx);
      blocks[i].backward(pass, c.x[i], block, *dy, *dx, gradients, at);
      std::swap(dx, dy);
    }
    embedding.backward(pass, tokens, *dy, gradients);
  }

  /// logits [rows x vocabulary] = head(hidden [rows x hidden]), rows of whatever texts. Overwrites logits.
  template <class At = NothingAttached>
  void logits(const Pass& pass, In<S> hidden, typename T::Cache& cache, Out<S> logits, const At& attached = {}) const {
    Pass rows = pass;
    rows.sequences = {};
    check("decoder logits", rows, hidden.rows(), attached);
    expect_shape("decoder logits", "hidden", hidden, -1, config.hidden);
    expect_shape("decoder logits", "logits", logits, hidden.rows(), config.vocabulary);
    head_table().multiply(pass, hidden, cache, logits);
    attached.at(-1).forward(Site::head, rows, hidden, logits);
  }
  template <class At = NothingAttached>
  void logits(const Pass& pass, In<S> hidden, Out<S> out, const At& attached = {}) const {
    typename T::Cache cache;
    logits(pass, hidden, cache, out, attached);
  }

  /// See GenerativeModel: a forward_only with a store, and the logits of the rows `wanted`.
  template <class At = NothingAttached>
  Out<S> next_logits(const Pass& pass, std::span<const Token> tokens, std::span<const Index> wanted, Cache& c,
                     Store& store, const At& attached = {}) const {
    const Index rows = static_cast<Index>(tokens.size()), n = static_cast<Index>(wanted.size());
    for (const Index row : wanted)
      if (row < 0 || row >= rows)
        throw ShapeError("decoder next_logits: expected rows in [0, " + std::to_string(rows) + "), got " +
                         std::to_string(row));
    reshape(c.hidden, rows, config.hidden);
    forward_only(pass, tokens, c, c.hidden, attached, &store);
    reshape(c.head.in, n, config.hidden);
    reshape(c.head.logits, n, config.vocabulary);
    logits(gather_rows(pass, c.hidden, wanted, c.head), c.head.in, c.head.table, c.head.logits, attached);
    return c.head.logits;
  }

  /// See GenerativeModel: longrope turns all keys of a text otherwise once it is beyond the original context.
  bool rereads(Index length, Index longer) const {
    return std::any_of(config.layers.begin(), config.layers.end(), [&](const LayerConfig& layer) {
      const RopeConfig& rope = layer.rope;
      return !rope.long_divisors.empty() && length <= rope.original_context && longer > rope.original_context;
    });
  }

  /// nll[t] = -log p(targets[t] | tokens up to t), 0 where the target is `ignored`: see LanguageModel.
  template <class At = NothingAttached>
  void nll(const Pass& pass, std::span<const Token> tokens, std::span<const Token> targets, Cache& c,
           std::span<double> nll, const At& attached = {}) const {
    if (nll.size() != tokens.size())
      throw ShapeError("decoder nll: expected room for " + std::to_string(tokens.size()) + " losses, got " +
                       std::to_string(nll.size()));
    check_targets("decoder nll", tokens, targets);
    reshape(c.hidden, static_cast<Index>(tokens.size()), config.hidden);
    forward_only(pass, tokens, c, c.hidden, attached);
    std::fill(nll.begin(), nll.end(), 0.0);
    each_scored<S>(pass, c.hidden, targets, config.vocabulary, c.head, [&](const Pass& part, std::span<const Index> rows) {
      const Index n = static_cast<Index>(rows.size());
      logits(part, c.head.in.topRows(n), c.head.table, c.head.logits.topRows(n), attached);
      const auto& ops = operations<S>(pass);
      pass.parallel.each(n, [&](Index i) {
        const auto t = static_cast<std::size_t>(rows[static_cast<std::size_t>(i)]);
        nll[t] = ops.cross_entropy(config.vocabulary, c.head.logits.row(i).data(), targets[t], S(0), nullptr);
      });
    });
  }

  /// Returns the sum of nll and adds scale * d(sum)/dp to the gradient of everything that trains, adapters included.
  template <class At = NothingAttached>
  double gradients(const Pass& pass, std::span<const Token> tokens, std::span<const Token> targets, S scale, Cache& c,
                   Gradients<S>& gradients, const At& attached = {}) const {
    check_targets("decoder gradients", tokens, targets);
    reshape(c.hidden, static_cast<Index>(tokens.size()), config.hidden);
    forward(pass, tokens, c, c.hidden, attached);
    zeros_like(pass, c.hidden, c.dhidden);
    double total = 0;
    each_scored<S>(pass, c.hidden, targets, config.vocabulary, c.head, [&](const Pass& part, std::span<const Index> rows) {
      const Index n = static_cast<Index>(rows.size());
      const auto in = c.head.in.topRows(n);
      auto dlogits = c.head.logits.topRows(n);
      auto din = c.head.din.topRows(n);
      logits(part, in, c.head.table, dlogits, attached);
      const auto& ops = operations<S>(pass);
      double losses[most_head_rows];
      pass.parallel.each(n, [&](Index i) {
        const auto t = static_cast<std::size_t>(rows[static_cast<std::size_t>(i)]);
        S* row = c.head.logits.row(i).data();
        losses[i] = ops.cross_entropy(config.vocabulary, row, targets[t], scale, row);
      });
      for (Index i = 0; i < n; ++i) total += losses[i];
      din.setZero();
      attached.at(-1).backward(Site::head, part, in, dlogits, din, gradients);
      const T& table = head_table();
      if constexpr (requires { table.accumulate(part, in, c.head.table, dlogits, gradients); })
        table.accumulate(part, in, c.head.table, dlogits, gradients);
      // In int8 softmax's many small numbers would all be 0 beside the target's.
      Pass as_they_are = part;
      as_they_are.gradients = GradientRounding::none;
      table.multiply_transposed(as_they_are, dlogits, c.head.table, din);
      for (Index i = 0; i < n; ++i) c.dhidden.row(rows[static_cast<std::size_t>(i)]) += din.row(i);
    });
    backward(pass, tokens, c, c.dhidden, gradients, attached);
    return total;
  }

  /// Every site of this model, in the order of the forward pass.
  std::vector<SiteShape> sites() const { return tern::sites(config); }
  bool has(SiteId id) const { return site_shape(config, id).has_value(); }
  /// Throws ValueError "<place>: ..." where an adapter is attached at a site that this model lacks.
  template <class Adapters>
  void expect_sites(const char* place, const Adapters& adapters) const {
    for (const SiteId id : adapters.sites())
      if (!has(id))
        throw ValueError(std::string(place) + ": expected a site of the model, got '" + to_string(id) + "', which this " +
                         config.architecture + " model lacks");
  }

  /// The norm at a site; throws ValueError if this model has none there.
  const RmsNorm<S>& norm(SiteId id) const {
    const RmsNorm<S>* found = nullptr;
    each_part(*this, [&](SiteId at, const auto& part) {
      if constexpr (std::is_same_v<std::remove_cvref_t<decltype(part)>, RmsNorm<S>>)
        if (at == id) found = &part;
    });
    if (found == nullptr)
      throw ValueError("decoder: expected the site of a norm, got '" + to_string(id) + "'");
    return *found;
  }

  /// Room for `capacity` positions of `sequences` texts. Throws ValueError on negative numbers.
  Store store(Index capacity, Index sequences = 1) const {
    return make_store<S>(blocks.size(), capacity, sequences, config.kv_width());
  }

  /// Calls f(SiteId, part) for every norm and linear of the blocks and the final norm: what loaders, savers and
  /// converters walk. The tables are `embedding` and `head`.
  template <class Self, class F>
  static void each_part(Self& self, F&& f) {
    for (std::size_t i = 0; i < self.blocks.size(); ++i)
      Block<S, W>::members(self.blocks[i], [&](Site site, auto& member) {
        const SiteId id{static_cast<Index>(i), site};
        if constexpr (requires { member.has_value(); }) {
          if (member) f(id, *member);
        } else {
          f(id, member);
        }
      });
    f(SiteId{-1, Site::final_norm}, self.final_norm);
  }

  /// Calls f(storage) for the weights of the tables and of every linear.
  template <class F>
  void each_weights(F&& f) const {
    f(embedding.table);
    if (head) f(*head);
    each_part(*this, [&](SiteId, const auto& part) {
      if constexpr (requires { part.weight; }) f(part.weight);
    });
  }
  /// Bytes of those.
  std::size_t weight_bytes() const {
    std::size_t n = 0;
    each_weights([&](const auto& w) { n += w.bytes(); });
    return n;
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
  enum class Keep { everything, inputs, nothing };

  const T& head_table() const { return head ? *head : embedding.table; }

  void build(Block<S, W>& block, Index layer) {
    const LayerConfig& c = config.layers[static_cast<std::size_t>(layer)];
    Block<S, W>::members(block, [&](Site site, auto& member) {
      const auto shape = site_shape(config, {layer, site});
      if (!shape) return;
      const std::string called = to_string(SiteId{layer, site});
      if constexpr (requires { member.has_value(); }) {
        member.emplace(shape->out, static_cast<S>(config.epsilon));
        member->name = called;
      } else {
        if (c.biases.contains(site)) member.bias.emplace(Matrix<S>(Matrix<S>::Zero(1, shape->out)));
        member.name = called;
      }
    });
    const double scale = c.query_scale > 0 ? c.query_scale : 1 / std::sqrt(static_cast<double>(config.head_dim));
    block.attention.rope = Rope<S>(config.head_dim, c.rope);
    block.attention.attention =
        CausalAttention<S>(config.heads, config.kv_heads, config.head_dim, static_cast<S>(scale), c.window);
    block.mlp.kind = c.gate;
  }

  template <class At>
  void check(const char* place, const Pass& pass, Index rows, const At& attached) const {
    detail::expect_pass(place, pass, rows, attached);
    if constexpr (requires { attached.set(); }) expect_sites(place, attached.set());
  }
  void check_targets(const char* place, std::span<const Token> tokens, std::span<const Token> targets) const {
    if (targets.size() != tokens.size())
      throw ShapeError(std::string(place) + ": expected " + std::to_string(tokens.size()) + " targets, got " +
                       std::to_string(targets.size()));
    for (std::size_t t = 0; t < targets.size(); ++t)
      if (targets[t] != ignored && (targets[t] < 0 || targets[t] >= config.vocabulary))
        throw ValueError(std::string(place) + ": target " + std::to_string(t) + ": expected an id in [0, " +
                         std::to_string(config.vocabulary) + "), got " + std::to_string(targets[t]));
  }

  static std::span<KeyValues<S>> stores(Store* store, std::size_t layer) {
    return store != nullptr ? std::span<KeyValues<S>>(store->layers[layer]) : std::span<KeyValues<S>>();
  }

  template <class At>
  void run(const Pass& pass, std::span<const Token> tokens, Cache& c, Out<S> hidden, const At& attached, Store* store,
           Keep keep) const {
    const Index rows = static_cast<Index>(tokens.size());
    check("decoder forward", pass, rows, attached);
    embedding.check("forward", tokens);
    expect_shape("decoder forward", "hidden", hidden, rows, config.hidden);
    if (store != nullptr && store->layers.size() != blocks.size())
      throw ShapeError("decoder forward: expected a key/value store of " + std::to_string(blocks.size()) +
                       " layers, got " + std::to_string(store->layers.size()));
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      if (store != nullptr && store->layers[i].empty())
        throw ShapeError("decoder forward: expected a key/value store of 1 sequence or more, got none");
      blocks[i].attention.attention.check("forward", pass, rows, stores(store, i));
    }
    c.x.resize(keep == Keep::nothing ? 2 : blocks.size() + 1);
    c.blocks.resize(keep == Keep::everything ? blocks.size() : 1);
    if (!c.scratch) c.scratch = std::make_shared<typename Block<S, W>::Scratch>();
    for (auto& x : c.x) reshape(x, rows, config.hidden);
    for (auto& block : c.blocks) block.scratch = c.scratch;
    embedding.forward(pass, tokens, c.x[0]);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      const std::size_t from = keep == Keep::nothing ? i % 2 : i, to = keep == Keep::nothing ? 1 - from : i + 1;
      blocks[i].forward(pass, c.x[from], c.blocks[keep == Keep::everything ? i : 0], c.x[to],
                        attached.at(static_cast<Index>(i)), stores(store, i));
      if (pass.noise.relative > 0) detail::add_noise(pass.noise, static_cast<Index>(i), tokens, c.x[to]);
    }
    detail::forward_at(Site::final_norm, final_norm, pass, c.x[keep == Keep::nothing ? blocks.size() % 2 : blocks.size()],
                       c.final_norm, hidden, attached.at(-1));
  }
};

/// Random weights for training from nothing: Normal(0, 0.02) everywhere, the projections back into the residual stream
/// divided by sqrt(2 * layers) (GPT-2's rule); gains 1, biases 0.
template <std::floating_point S>
void initialize(Decoder<S>& model, Random& random) {
  const double residual = 0.02 / std::sqrt(2.0 * static_cast<double>(model.config.layer_count()));
  for_each_parameter(model, [&](std::string_view path, Parameter<S>& p) {
    if (path.ends_with("gain") || path.ends_with("bias")) return;
    const bool back = path.ends_with("output.weight") || path.ends_with("down.weight");
    fill_normal(p.value, random, back ? residual : 0.02);
  });
}

}  // namespace tern
