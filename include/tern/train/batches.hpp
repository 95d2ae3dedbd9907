#pragma once
#include <algorithm>
#include <concepts>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tern/core/error.hpp"
#include "tern/core/pass.hpp"
#include "tern/core/random.hpp"
#include "tern/core/token.hpp"

namespace tern {

/// What one call of a model trains on: entry t of `targets` is the token that follows entry t of `tokens`.
struct Batch {
  std::vector<Token> tokens, targets;
  std::vector<Sequence> sequences;
  std::vector<Index> user;  ///< user of each row; empty: user 0 everywhere

  /// How many targets are scored.
  Index scored() const {
    return static_cast<Index>(targets.size()) - static_cast<Index>(std::count(targets.begin(), targets.end(), ignored));
  }
};

/// Where training data comes from: next(batch) overwrites a batch.
template <class B>
concept BatchSource = requires(B b, Batch& batch) {
  b.next(batch);
};

struct WindowOptions {
  Index context = 256;    ///< rows a sequence: windows of context + 1 tokens
  Index sequences = 1;    ///< windows a batch
  bool shuffled = false;  ///< false: windows at random offsets. true: epochs, each target once, windows in random order
  std::uint64_t seed = 0;
  /// BOS, if the model wants one: it takes the place of each window's first token, as in evaluation.
  std::optional<Token> prefix{};
};

/// Draws windows of context + 1 tokens from documents; none crosses from one document into another, a shorter document
/// is one shorter window. Equal documents, options and state give equal batches on every platform.
///
/// Random offsets: every window of full length is equally likely. Epochs: each document is cut at multiples of
/// `context`, so that every token but a document's first is a target once an epoch; the last window may be short.
///
/// Borrows the tokens. Allocates at construction, and while a batch grows to its size.
class Windows {
 public:
  /// Enough to go on where a sampler stopped.
  struct State {
    std::uint64_t random = 0;  ///< of the generator: now, or where the epoch began
    Index taken = 0;           ///< windows of this epoch already drawn
  };

  /// Throws ValueError on options outside their range, or where no document has two tokens.
  Windows(std::vector<std::span<const Token>> documents, const WindowOptions& options)
      : documents_(std::move(documents)), options_(options), random_(options.seed) {
    if (options.context < 1)
      throw ValueError("batches: expected a context of at least 1, got " + std::to_string(options.context));
    if (options.sequences < 1)
      throw ValueError("batches: expected at least 1 sequence, got " + std::to_string(options.sequences));
    for (std::size_t d = 0; d < documents_.size(); ++d) list_starts(d);
    if (count_ == 0)
      throw ValueError("batches: expected a document of at least 2 tokens, got none among " +
                       std::to_string(documents_.size()));
    if (options.shuffled) {
      order_.resize(static_cast<std::size_t>(count_));
      begin_epoch();
    }
  }
  Windows(std::span<const Token> text, const WindowOptions& options)
      : Windows(std::vector<std::span<const Token>>{text}, options) {}

  /// Windows of an epoch; with random offsets, how many different ones there are.
  Index count() const { return count_; }

  void next(Batch& batch) {
    batch.tokens.clear();
    batch.targets.clear();
    batch.sequences.clear();
    batch.user.clear();
    for (Index i = 0; i < options_.sequences; ++i) {
      const std::span<const Token> w = draw();
      batch.tokens.insert(batch.tokens.end(), w.begin(), w.end() - 1);
      if (options_.prefix) *(batch.tokens.end() - static_cast<std::ptrdiff_t>(w.size() - 1)) = *options_.prefix;
      batch.targets.insert(batch.targets.end(), w.begin() + 1, w.end());
      batch.sequences.push_back({static_cast<Index>(w.size()) - 1, 0});
    }
  }

  State state() const { return {options_.shuffled ? epoch_ : random_.state, taken_}; }

  /// Throws ValueError where the state is of other documents or options.
  void restore(const State& state) {
    if (state.taken < 0 || (options_.shuffled && state.taken > count_))
      throw ValueError("batches: expected at most " + std::to_string(count_) + " windows taken, got " +
                       std::to_string(state.taken));
    random_.state = state.random;
    if (options_.shuffled) begin_epoch();
    taken_ = state.taken;
  }

 private:
  /// Windows first ... first + n - 1 of all begin in one document, `stride` tokens apart.
  struct Run {
    std::size_t document;
    Index first;
  };

  Index stride() const { return options_.shuffled ? options_.context : 1; }

  void list_starts(std::size_t document) {
    const auto tokens = static_cast<Index>(documents_[document].size());
    if (tokens < 2) return;
    runs_.push_back({document, count_});
    count_ += options_.shuffled ? (tokens - 2) / options_.context + 1 : std::max<Index>(1, tokens - options_.context);
  }

  /// Fisher and Yates, always from the same order: the generator's state alone decides.
  void begin_epoch() {
    epoch_ = random_.state;
    taken_ = 0;
    std::iota(order_.begin(), order_.end(), Index{0});
    for (Index left = count_; left > 1; --left)
      std::swap(order_[static_cast<std::size_t>(left - 1)], order_[static_cast<std::size_t>(random_.below(left))]);
  }

  std::span<const Token> draw() {
    if (options_.shuffled && taken_ == count_) begin_epoch();
    const Index i = options_.shuffled ? order_[static_cast<std::size_t>(taken_)] : random_.below(count_);
    ++taken_;
    const auto after =
        std::upper_bound(runs_.begin(), runs_.end(), i, [](Index n, const Run& r) { return n < r.first; });
    const Run& run = *(after - 1);
    const auto document = documents_[run.document];
    const auto start = static_cast<std::size_t>((i - run.first) * stride());
    return document.subspan(start, std::min(static_cast<std::size_t>(options_.context) + 1, document.size() - start));
  }

  std::vector<std::span<const Token>> documents_;
  WindowOptions options_;
  Random random_;
  std::vector<Run> runs_;     // documents that have windows
  std::vector<Index> order_;  // of the epoch
  Index count_ = 0, taken_ = 0;
  std::uint64_t epoch_ = 0;  // the generator's state where the epoch began
};
static_assert(BatchSource<Windows>);

}  // namespace tern
