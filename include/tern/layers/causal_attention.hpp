#pragma once
#include <algorithm>
#include <limits>
#include <span>
#include <string>
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
/// h / (heads/kv_heads). With a window (Gemma 3's sliding_window) a row sees the last `window` positions, its own
/// included; with window 0 it sees all before it.
///   out[t,h] = sum_u softmax_u(scale * q[t,h].k[u]) * v[u],  t - window < u <= t, within each sequence
/// Shapes: q, out [tokens x heads*head_dim]; k, v [tokens x kv_heads*head_dim].
///
/// Under Precision::mixed all products take both factors in bf16 and sum in float, where the machine has such products.
/// Nothing is kept for backward: it computes the probabilities anew, by the kernels that forward called, hence the same
/// bits. Maxima and sums of rows would only save softmax two of its four passes over a row, under 3% of backward.
/// Work is cut into blocks of 64 query rows, and keys that no row of a block sees are left out. As many blocks as fit
/// the scratch are computed at once.
template <std::floating_point S>
class CausalAttention {
 private:
  struct Part;
  struct Task;

 public:
  /// Working memory of a call, at most `budget` numbers a matrix however long the sequences, except that a block of 64
  /// rows always fits. Layers that run one after another share one.
  class Scratch {
   public:
    std::size_t bytes() const {
      return (probabilities_.capacity() + gradient_.capacity()) * sizeof(S) + parts_.capacity() * sizeof(Part) +
             (query_tasks_.capacity() + key_tasks_.capacity()) * sizeof(Task);
    }

   private:
    friend CausalAttention;
    std::vector<S> probabilities_, gradient_;  // of all parts, one after another
    std::vector<Part> parts_;
    std::vector<Task> query_tasks_, key_tasks_;
  };
  static constexpr Index budget = Index(1) << 20;

  CausalAttention() = default;
  /// Throws ValueError on counts below 1, heads that kv_heads does not divide, or a negative window.
  CausalAttention(Index heads, Index kv_heads, Index head_dim, S scale, Index window = 0)
      : heads_(heads), kv_heads_(kv_heads), head_dim_(head_dim), window_(window), scale_(scale) {
    const auto refuse = [](const char* what, const char* expected, Index got) {
      throw ValueError(std::string("attention: ") + what + ": expected " + expected + ", got " + std::to_string(got));
    };
    if (kv_heads < 1) refuse("kv_heads", "1 or more", kv_heads);
    if (heads < 1 || heads % kv_heads != 0) refuse("heads", "a multiple of kv_heads", heads);
    if (head_dim < 1 || head_dim > std::numeric_limits<Index>::max() / heads) refuse("head_dim", "1 or more", head_dim);
    if (window < 0) refuse("window", "0 or more", window);
  }

  Index heads() const { return heads_; }
  Index kv_heads() const { return kv_heads_; }
  Index head_dim() const { return head_dim_; }
  Index window() const { return window_; }

  /// Throws ShapeError unless the pass's sequences make up `tokens` rows and each has what it needs: a store that holds
  /// all its positions or, without stores, start 0. The layer above calls it before it writes anything.
  void check(std::string_view call, const Pass& pass, Index tokens, std::span<const KeyValues<S>> stores = {}) const {
    const auto refuse = [&](const std::string& what) {
      throw ShapeError("attention " + std::string(call) + ": " + what);
    };
    if (heads_ == 0) refuse("expected heads, got none");
    const Sequence whole{tokens, 0};
    const auto all = sequences(pass, whole);
    if (!stores.empty() && stores.size() != all.size())
      refuse("expected one key/value store for each of " + std::to_string(all.size()) + " sequences, got " +
             std::to_string(stores.size()));
    Index left = tokens;
    for (std::size_t s = 0; s < all.size(); ++s) {
      const Index rows = all[s].rows, start = all[s].start;
      const auto refuse_sequence = [&](const std::string& expected) {
        refuse("sequence " + std::to_string(s) + ": expected " + expected + ", got " + std::to_string(rows) +
               " rows from " + std::to_string(start));
      };
      if (rows < 0 || rows > left)
        refuse_sequence("0 to " + std::to_string(left) + " rows, those left of " + std::to_string(tokens));
      left -= rows;
      if (start < 0 || start > std::numeric_limits<Index>::max() - rows) refuse_sequence("a start of 0 or more");
      if (stores.empty() && start > 0) refuse_sequence("a key/value store or a start of 0");
      if (stores.empty()) continue;
      for (const Matrix<S>* m : {&stores[s].keys, &stores[s].values})
        if (m->rows() < start + rows || m->cols() != kv_heads_ * head_dim_)
          refuse("sequence " + std::to_string(s) + ": expected a key/value store of at least [" +
                 std::to_string(start + rows) + " x " + std::to_string(kv_heads_ * head_dim_) + "], got [" +
                 std::to_string(m->rows()) + " x " + std::to_string(m->cols()) + "]");
    }
    if (left != 0)
      refuse("expected sequences of " + std::to_string(tokens) + " rows in all, got " + std::to_string(tokens - left));
  }

  /// Overwrites out. With `stores` (one per sequence) each sequence's new keys and values are appended at its start
  /// and everything stored is attended to; without, every sequence starts at position 0 of its own.
  /// Throws ShapeError before it writes anything.
  void forward(const Pass& pass, In<S> q, In<S> k, In<S> v, Scratch& scratch, Out<S> out,
               std::span<KeyValues<S>> stores = {}) const {
    check("forward", pass, q.rows(), stores);
    expect("forward", "q", q, q.rows(), heads_);
    expect("forward", "k", k, q.rows(), kv_heads_);
    expect("forward", "v", v, q.rows(), kv_heads_);
    expect("forward", "out", out, q.rows(), heads_);
    const Sequence whole{q.rows(), 0};
    const auto all = sequences(pass, whole);
    for (std::size_t s = 0, first = 0; s < stores.size(); first += static_cast<std::size_t>(all[s++].rows)) {
      const auto row = static_cast<Index>(first);
      stores[s].keys.middleRows(all[s].start, all[s].rows) = k.middleRows(row, all[s].rows);
      stores[s].values.middleRows(all[s].start, all[s].rows) = v.middleRows(row, all[s].rows);
    }
    const auto& ops = operations<S>(pass);
    const auto product = product_of(pass, ops);
    each_wave(all, scratch, [&](Index size) {
      grow(scratch.probabilities_, size);
      pass.parallel.each(static_cast<Index>(scratch.query_tasks_.size()), [&](Index i) {
        const Block b = block_of(scratch, i);
        const auto stored = stores.empty() ? nullptr : &stores[b.part.sequence];
        const S* keys = stored ? stored->keys.data() : k.data() + b.part.first * k.outerStride();
        const S* values = stored ? stored->values.data() : v.data() + b.part.first * v.outerStride();
        const Index keys_row = stored ? stored->keys.outerStride() : k.outerStride();
        const Index values_row = stored ? stored->values.outerStride() : v.outerStride();
        S* p = scratch.probabilities_.data() + b.at;
        probabilities(ops, product, b, q, keys, keys_row, p);
        product(b.rows, head_dim_, b.keys, {p, b.part.stride(), 1},
                {values + b.low * values_row + column(b.part), values_row, 1}, out.data() + offset(b, out),
                row_stride(b.part, out), false);
      });
    });
  }

  /// Adds dL/dq, dL/dk, dL/dv. Only for passes without stores. Throws ShapeError before it writes anything.
  void backward(const Pass& pass, In<S> q, In<S> k, In<S> v, Scratch& scratch, In<S> dout, Out<S> dq, Out<S> dk,
                Out<S> dv) const {
    check("backward", pass, q.rows());
    expect("backward", "q", q, q.rows(), heads_);
    expect("backward", "k", k, q.rows(), kv_heads_);
    expect("backward", "v", v, q.rows(), kv_heads_);
    expect("backward", "dout", dout, q.rows(), heads_);
    expect("backward", "dq", dq, q.rows(), heads_);
    expect("backward", "dk", dk, q.rows(), kv_heads_);
    expect("backward", "dv", dv, q.rows(), kv_heads_);
    const Sequence whole{q.rows(), 0};
    const auto& ops = operations<S>(pass);
    const auto product = product_of(pass, ops);
    each_wave(sequences(pass, whole), scratch, [&](Index size) {
      grow(scratch.probabilities_, size);
      grow(scratch.gradient_, size);
      // P = softmax(q k^T), dP = dout v^T, dS = softmax'(dP), dq += dS k: a block of query rows each.
      pass.parallel.each(static_cast<Index>(scratch.query_tasks_.size()), [&](Index i) {
        const Block b = block_of(scratch, i);
        const Index row = b.part.first + b.low, stride = b.part.stride();
        S* p = scratch.probabilities_.data() + b.at;
        S* d = scratch.gradient_.data() + b.at;
        probabilities(ops, product, b, q, k.data() + b.part.first * k.outerStride(), k.outerStride(), p);
        product(b.rows, b.keys, head_dim_, {dout.data() + offset(b, dout), row_stride(b.part, dout), 1},
                {v.data() + row * v.outerStride() + column(b.part), 1, v.outerStride()}, d, stride, false);
        each_row(b, [&](Index r, Index before, Index seen) {
          S* line = d + r * stride;
          std::fill(line, line + before, S(0));
          ops.softmax_backward(seen, scale_, p + r * stride + before, line + before);
          std::fill(line + before + seen, line + b.keys, S(0));
        });
        product(b.rows, head_dim_, b.keys, {d, stride, 1},
                {k.data() + row * k.outerStride() + column(b.part), k.outerStride(), 1}, dq.data() + offset(b, dq),
                row_stride(b.part, dq), true);
      });
      // dk += dS^T q, dv += P^T dout: a block of one key head's rows each, query heads and rows in order.
      pass.parallel.each(static_cast<Index>(scratch.key_tasks_.size()), [&](Index i) {
        const Task& task = scratch.key_tasks_[static_cast<std::size_t>(i)];
        for (std::size_t p = task.part; p < task.last_part; ++p) {
          const Part& part = scratch.parts_[p];
          // The rows that see any of these keys, in whole blocks: all that they see of them is computed.
          const Index begin = std::max(part.begin, task.begin), end = std::min(part.end, seen_until(task.begin));
          if (begin >= end) continue;
          const Index depth = part.heads > 1 ? part.heads : end - begin;
          const Index at = part.at + (begin - part.begin) * part.stride() + task.begin - part.low;
          const Index row = part.first + begin, head = part.head * head_dim_;
          const auto add = [&](const std::vector<S>& left, const In<S>& right, Out<S>& sum) {
            product(task.end - task.begin, head_dim_, depth, {left.data() + at, 1, part.stride()},
                    {right.data() + row * right.outerStride() + head, row_stride(part, right), 1},
                    sum.data() + (part.first + task.begin) * sum.outerStride() + column(part), sum.outerStride(), true);
          };
          add(scratch.gradient_, q, dk);
          add(scratch.probabilities_, dout, dv);
        }
      });
    });
  }

 private:
  static constexpr Index block = 64;

  /// Consecutive rows of one query head in one sequence; or, in a sequence of one row, the query heads that share a key
  /// head, since they make one product. Its numbers lie in the scratch as [rows x (high - low)].
  struct Part {
    std::size_t sequence;
    Index first, start;  // the sequence's first row in the batch and its position
    Index head, heads;
    Index begin, end;  // rows of the sequence
    Index low, high;   // keys that they see, from a block's border on
    Index at;
    Index stride() const { return stride_for(high - low); }
  };
  /// Rows an odd number of cache lines apart: where it is a power of two, a column's elements evict one another.
  static constexpr Index stride_for(Index keys) {
    constexpr Index line = 64 / static_cast<Index>(sizeof(S));
    return ((keys + line - 1) / line | 1) * line;
  }
  /// Rows [begin, end) of `part`, or keys [begin, end) that parts [part, last_part) of one key head see.
  struct Task {
    std::size_t part, last_part;
    Index begin, end;
  };
  /// Query rows of one product: a block of a part.
  struct Block {
    const Part& part;
    Index rows, begin;  // how many; the first of the sequence
    Index low, keys;    // the first key of the sequence, how many
    Index at;
  };

  static std::span<const Sequence> sequences(const Pass& pass, const Sequence& whole) {
    return pass.sequences.empty() ? std::span<const Sequence>(&whole, 1) : pass.sequences;
  }
  template <class M>
  void expect(std::string_view call, std::string_view what, const M& m, Index rows, Index heads) const {
    if (m.rows() != rows || m.cols() != heads * head_dim_)
      expect_shape("attention " + std::string(call), what, m, rows, heads * head_dim_);
  }
  static void grow(std::vector<S>& v, Index size) {
    if (v.size() >= static_cast<std::size_t>(size)) return;
    v.reserve(static_cast<std::size_t>(size));  // no more than needed
    v.resize(static_cast<std::size_t>(size));
  }

  /// The first key that position t sees.
  Index first_seen(Index t) const { return window_ > 0 ? std::max<Index>(0, t - window_ + 1) : 0; }
  /// The first key computed for a block of rows from position t on: a border of blocks, so that pairs of a query block
  /// and a key block are computed whole or not at all.
  Index low_of(Index t) const { return first_seen(t) / block * block; }
  /// The end of the rows whose blocks see keys from `key` on, a border of blocks.
  Index seen_until(Index key) const {
    constexpr Index end = std::numeric_limits<Index>::max();
    return window_ == 0 || window_ > end / 2 ? end : (key + window_ + 2 * block - 2) / block * block;
  }

  /// Calls f(numbers) for group after group of parts that fit the budget, with scratch.parts_ and the tasks filled.
  template <class F>
  void each_wave(std::span<const Sequence> all, Scratch& scratch, F&& f) const {
    Index used = 0, first = 0;
    scratch.parts_.clear();
    const auto finish = [&] {
      if (scratch.parts_.empty()) return;
      list_tasks(scratch);
      f(used);
      scratch.parts_.clear();
      used = 0;
    };
    for (std::size_t s = 0; s < all.size(); first += all[s++].rows) {
      const Index rows = all[s].rows, start = all[s].start;
      const Index heads = rows == 1 ? heads_ / kv_heads_ : 1;
      for (Index head = 0; head < heads_; head += heads)
        for (Index begin = 0; begin < rows;) {
          const Index low = low_of(start + begin);
          const auto size = [&](Index end) { return heads * (end - begin) * stride_for(start + end - low); };
          Index end = begin;
          for (Index next = begin; next < rows;) {
            next = std::min(next + block, rows);
            if (used + size(next) > budget && (used > 0 || end > begin)) break;
            end = next;
          }
          if (end == begin) {
            finish();
            continue;
          }
          scratch.parts_.push_back({s, first, start, head, heads, begin, end, low, start + end, used});
          used += size(end);
          begin = end;
        }
    }
    finish();
  }

  void list_tasks(Scratch& scratch) const {
    const auto& parts = scratch.parts_;
    scratch.query_tasks_.clear();
    scratch.key_tasks_.clear();
    const Index group = heads_ / kv_heads_;
    for (std::size_t p = 0; p < parts.size();) {
      std::size_t last = p;
      Index low = parts[p].low, high = 0;
      for (; last < parts.size() && parts[last].sequence == parts[p].sequence &&
             parts[last].head / group == parts[p].head / group;
           ++last) {
        low = std::min(low, parts[last].low);
        high = std::max(high, parts[last].high);
        for (Index begin = parts[last].begin; begin < parts[last].end; begin += block)
          scratch.query_tasks_.push_back({last, last + 1, begin, std::min(begin + block, parts[last].end)});
      }
      for (Index begin = low; begin < high; begin += block)
        scratch.key_tasks_.push_back({p, last, begin, std::min(begin + block, high)});
      p = last;
    }
  }

  Block block_of(const Scratch& scratch, Index i) const {
    const Task& task = scratch.query_tasks_[static_cast<std::size_t>(i)];
    const Part& part = scratch.parts_[task.part];
    const Index low = low_of(part.start + task.begin);
    return {part,
            part.heads > 1 ? part.heads : task.end - task.begin,
            task.begin,
            low,
            part.start + task.end - low,
            part.at + (task.begin - part.begin) * part.stride() + low - part.low};
  }

  /// Where the part's key head begins in a row of keys or values.
  Index column(const Part& part) const { return part.head / (heads_ / kv_heads_) * head_dim_; }
  /// Where the block's first row begins in q, out or their gradients, and how far its rows are apart.
  template <class M>
  Index offset(const Block& b, const M& m) const {
    return (b.part.first + b.begin) * m.outerStride() + b.part.head * head_dim_;
  }
  template <class M>
  Index row_stride(const Part& part, const M& m) const {
    return part.heads > 1 ? head_dim_ : m.outerStride();
  }

  /// Calls f(row, before, seen) for each row of the block: of its keys the row sees `seen` that follow the first
  /// `before`.
  template <class F>
  void each_row(const Block& b, F&& f) const {
    for (Index r = 0; r < b.rows; ++r) {
      const Index t = b.part.start + b.begin + (b.part.heads > 1 ? 0 : r), from = first_seen(t);
      f(r, from - b.low, t + 1 - from);
    }
  }

  using Product = decltype(kernels::Operations<S>::matmul);
  static Product product_of(const Pass& pass, const kernels::Operations<S>& ops) {
    return pass.precision == Precision::mixed ? ops.matmul_mixed : ops.matmul;
  }

  /// p[r, u] = softmax_u(scale * q[r].k[u]), 0 where row r does not see key u.
  void probabilities(const kernels::Operations<S>& ops, Product product, const Block& b, const In<S>& q, const S* keys,
                     Index keys_row, S* p) const {
    const Index stride = b.part.stride();
    product(b.rows, b.keys, head_dim_, {q.data() + offset(b, q), row_stride(b.part, q), 1},
            {keys + b.low * keys_row + column(b.part), 1, keys_row}, p, stride, false);
    each_row(b, [&](Index r, Index before, Index seen) {
      S* line = p + r * stride;
      std::fill(line, line + before, S(0));
      ops.softmax(seen, scale_, line + before);
      std::fill(line + before + seen, line + b.keys, S(0));
    });
  }

  Index heads_ = 0, kv_heads_ = 0, head_dim_ = 0, window_ = 0;
  S scale_ = S(1);
};

}  // namespace tern
