#pragma once
#include <cmath>
#include <span>
#include <vector>

#include "tern/core/error.hpp"
#include "tern/weights/operations.hpp"

namespace tern {

/// Keys and values of one text in one layer, the caller's, for decoding: rows [0, start) are filled.
template <std::floating_point S>
struct KeyValues {
  Matrix<S> keys, values;  // [capacity x kv_heads*head_dim]
};

/// Causal softmax attention with grouped queries (GQA, arXiv 2305.13245): query head h reads key/value head
/// h / (heads/kv_heads).
///   out[t,h] = sum_{u <= t} softmax_u(scale * q[t,h].k[u]) * v[u],  within each sequence
/// Shapes: q, out [tokens x heads*head_dim]; k, v [tokens x kv_heads*head_dim].
/// Work is cut into blocks of query rows, so that little above the diagonal is computed.
template <std::floating_point S>
class CausalAttention {
 public:
  /// One sequence of the batch.
  struct Run {
    Index first, rows, start, keys;  // first row in the batch, its rows, their first position, keys seen by the last
    Index offset;                    // of its probabilities
    Index blocks_before;             // query blocks of the sequences before it
    std::size_t index;
  };
  /// Probabilities of every head and sequence, one after another, each [rows x keys].
  struct Cache {
    std::vector<S> probabilities;
    std::vector<Run> runs;
  };
  /// Working memory of backward: the probabilities' gradient, laid out as they are.
  struct Scratch {
    std::vector<S> gradient;
  };

  CausalAttention() = default;
  CausalAttention(Index heads, Index kv_heads, Index head_dim, S scale)
      : heads_(heads), kv_heads_(kv_heads), head_dim_(head_dim), scale_(scale) {}

  Index heads() const { return heads_; }
  Index kv_heads() const { return kv_heads_; }
  Index head_dim() const { return head_dim_; }

  /// Overwrites out. With `stores` (one per sequence) each sequence's new keys and values are appended at its start
  /// and everything stored is attended to; without, every sequence starts at position 0 of its own.
  void forward(const Pass& pass, In<S> q, In<S> k, In<S> v, Cache& cache, Out<S> out,
               std::span<KeyValues<S>> stores = {}) const {
    const Plan plan(*this, pass, q.rows(), stores, cache.runs);
    cache.probabilities.resize(static_cast<std::size_t>(plan.size));
    for (std::size_t s = 0; s < stores.size(); ++s) {
      const Run& run = plan.runs[s];
      stores[s].keys.middleRows(run.start, run.rows) = k.middleRows(run.first, run.rows);
      stores[s].values.middleRows(run.start, run.rows) = v.middleRows(run.first, run.rows);
    }
    const auto& ops = operations<S>(pass);
    pass.parallel.each(plan.query_tasks(), [&](Index task) {
      const auto [run, head, begin, end] = plan.query_task(task);
      const Index seen = run->start + end;  // keys the block's last row sees
      const In<S> keys = stores.empty() ? In<S>(k.middleRows(run->first, run->rows)) : In<S>(stores[run->index].keys);
      const In<S> values =
          stores.empty() ? In<S>(v.middleRows(run->first, run->rows)) : In<S>(stores[run->index].values);
      const Index column = head / (heads_ / kv_heads_) * head_dim_;
      S* p = cache.probabilities.data() + run->offset + (head * run->rows + begin) * run->keys;
      ops.matmul(end - begin, seen, head_dim_,
                 {q.data() + (run->first + begin) * q.outerStride() + head * head_dim_, q.outerStride(), 1},
                 {keys.data() + column, 1, keys.outerStride()}, p, run->keys, false);
      for (Index r = 0; r < end - begin; ++r) {
        const Index visible = run->start + begin + r + 1;
        ops.softmax(visible, scale_, p + r * run->keys);
        std::fill(p + r * run->keys + visible, p + r * run->keys + seen, S(0));
      }
      ops.matmul(end - begin, head_dim_, seen, {p, run->keys, 1}, {values.data() + column, values.outerStride(), 1},
                 out.data() + (run->first + begin) * out.outerStride() + head * head_dim_, out.outerStride(), false);
    });
  }

  /// Adds dL/dq, dL/dk, dL/dv. Only for passes without stores.
  void backward(const Pass& pass, In<S> q, In<S> k, In<S> v, Cache& cache, Scratch& scratch, In<S> dout, Out<S> dq,
                Out<S> dk, Out<S> dv) const {
    const Plan plan(*this, pass, q.rows(), {}, cache.runs);
    scratch.gradient.resize(static_cast<std::size_t>(plan.size));
    const auto& ops = operations<S>(pass);
    // dP = dout v^T, dS = softmax'(dP), dq += dS k: a block of one head's query rows each.
    pass.parallel.each(plan.query_tasks(), [&](Index task) {
      const auto [run, head, begin, end] = plan.query_task(task);
      const Index column = head / (heads_ / kv_heads_) * head_dim_;
      const Index at = run->offset + (head * run->rows + begin) * run->keys;
      const S* p = cache.probabilities.data() + at;
      S* d = scratch.gradient.data() + at;
      ops.matmul(end - begin, end, head_dim_,
                 {dout.data() + (run->first + begin) * dout.outerStride() + head * head_dim_, dout.outerStride(), 1},
                 {v.data() + run->first * v.outerStride() + column, 1, v.outerStride()}, d, run->keys, false);
      for (Index r = 0; r < end - begin; ++r) {
        ops.softmax_backward(begin + r + 1, scale_, p + r * run->keys, d + r * run->keys);
        std::fill(d + r * run->keys + begin + r + 1, d + r * run->keys + end, S(0));
      }
      ops.matmul(end - begin, head_dim_, end, {d, run->keys, 1},
                 {k.data() + run->first * k.outerStride() + column, k.outerStride(), 1},
                 dq.data() + (run->first + begin) * dq.outerStride() + head * head_dim_, dq.outerStride(), true);
    });
    // dk += dS^T q, dv += P^T dout: a block of one key head's rows each, query heads and rows in order.
    pass.parallel.each(plan.key_tasks(), [&](Index task) {
      const auto [run, kv_head, begin, end] = plan.key_task(task);
      const Index group = heads_ / kv_heads_;
      for (Index head = kv_head * group; head < (kv_head + 1) * group; ++head) {
        const Index below = run->rows - begin;  // queries from `begin` on see these keys
        const Index at = run->offset + (head * run->rows + begin) * run->keys + begin;
        // Query blocks end at multiples of `block`, so columns [begin, end) of rows >= begin are all written.
        const Index q_at = head * head_dim_;
        ops.matmul(end - begin, head_dim_, below, {scratch.gradient.data() + at, 1, run->keys},
                   {q.data() + (run->first + begin) * q.outerStride() + q_at, q.outerStride(), 1},
                   dk.data() + (run->first + begin) * dk.outerStride() + kv_head * head_dim_, dk.outerStride(), true);
        ops.matmul(end - begin, head_dim_, below, {cache.probabilities.data() + at, 1, run->keys},
                   {dout.data() + (run->first + begin) * dout.outerStride() + q_at, dout.outerStride(), 1},
                   dv.data() + (run->first + begin) * dv.outerStride() + kv_head * head_dim_, dv.outerStride(), true);
      }
    });
  }

 private:
  static constexpr Index block = 64;

  struct Task {
    const Run* run;
    Index head, begin, end;  // rows [begin, end) of the run
  };

  /// How rows fall into sequences, and sequences into tasks.
  struct Plan {
    Plan(const CausalAttention& owner, const Pass& pass, Index tokens, std::span<KeyValues<S>> stores,
         std::vector<Run>& storage)
        : attention(owner), runs(storage) {
      const Sequence whole{tokens, 0};
      const auto sequences = pass.sequences.empty() ? std::span<const Sequence>(&whole, 1) : pass.sequences;
      if (!stores.empty() && stores.size() != sequences.size())
        throw ShapeError("attention forward: expected one key/value store for each of " +
                         std::to_string(sequences.size()) + " sequences, got " + std::to_string(stores.size()));
      runs.resize(sequences.size());
      Index first = 0, blocks = 0;
      for (std::size_t s = 0; s < sequences.size(); ++s) {
        const auto [rows, start] = sequences[s];
        if (stores.empty() && start != 0)
          throw ShapeError("attention forward: a sequence that starts at " + std::to_string(start) +
                           " needs a key/value store");
        if (!stores.empty() && stores[s].keys.rows() < start + rows)
          throw ShapeError("attention forward: expected a key/value store of at least " +
                           std::to_string(start + rows) + " rows, got " + std::to_string(stores[s].keys.rows()));
        runs[s] = {first, rows, start, start + rows, size, blocks, s};
        first += rows;
        blocks += (rows + block - 1) / block;
        size += attention.heads_ * rows * (start + rows);
      }
      if (first != tokens)
        throw ShapeError("attention forward: expected sequences of " + std::to_string(tokens) + " rows in all, got " +
                         std::to_string(first));
      total_blocks = blocks;
    }
    Index query_tasks() const { return total_blocks * attention.heads_; }
    Index key_tasks() const { return total_blocks * attention.kv_heads_; }
    Task query_task(Index task) const { return find(task, attention.heads_); }
    Task key_task(Index task) const { return find(task, attention.kv_heads_); }
    Task find(Index task, Index heads) const {
      const Index wanted = task / heads;
      std::size_t low = 0, high = runs.size();
      while (high - low > 1) {
        const std::size_t middle = (low + high) / 2;
        (runs[middle].blocks_before <= wanted ? low : high) = middle;
      }
      const Run& run = runs[low];
      const Index begin = (wanted - run.blocks_before) * block;
      return {&run, task % heads, begin, std::min(begin + block, run.rows)};
    }

    const CausalAttention& attention;
    std::vector<Run>& runs;
    Index size = 0, total_blocks = 0;
  };

  Index heads_ = 0, kv_heads_ = 0, head_dim_ = 0;
  S scale_ = S(1);
};

}  // namespace tern
