#pragma once
#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tern/core/error.hpp"
#include "tern/core/language_model.hpp"
#include "tern/eval/score_windows.hpp"

namespace tern {

/// How a text is cut into windows, and which of its tokens are scored. "Chunk" is one window.
enum class Convention {
  /// Independent chunks of `context` tokens, the last one shorter; every token but a chunk's first is scored.
  chunked,
  /// llama.cpp's perplexity tool: chunks of `context` tokens, a shorter rest left out; scored are the tokens at
  /// context/2 + 1 ... context - 1 of each, that is context - context/2 - 1 of them. Needs 2 * context tokens.
  llama_cpp,
  /// lm-eval-harness: every token is scored once; windows of up to `context` inputs that predict `context` tokens
  /// each, the last one reaching back to be as long. `prefix` predicts the first token; without it none does.
  rolling,
};

constexpr std::string_view name(Convention convention) {
  constexpr std::string_view names[] = {"chunked", "llama.cpp", "rolling"};
  return names[static_cast<std::size_t>(convention)];
}

struct PerplexityOptions {
  Index context = 512;  ///< tokens a window
  /// BOS, if the model wants one: it replaces each chunk's first token (chunked, llama_cpp) or precedes the text
  /// (rolling).
  std::optional<Token> prefix{};
  Index max_tokens = 0;  ///< only so many tokens of the text; 0: all
  Index rows = 1024;     ///< windows share a call of the model up to so many rows
  Index user = 0;        ///< of every row, for adapters that differ by user
};

/// What one window contributes.
struct ChunkNll {
  double nll = 0;    ///< sum of -log p over its scored tokens
  Index tokens = 0;  ///< how many are scored
};

/// A text's perplexity, with what makes it comparable.
struct Perplexity {
  Convention convention = Convention::chunked;
  double nll = 0;            ///< sum of -log p over the scored tokens, in nats
  Index tokens = 0;          ///< scored
  double ppl = 0;            ///< exp(nll / tokens)
  double stderr_ = 0;        ///< of ppl: ppl * sqrt(var / (tokens - 1)), var the tokens' variance; 0 for one token
  Index bytes = 0;           ///< of the scored tokens' text; 0: unknown
  double bits_per_byte = 0;  ///< nll / (bytes * ln 2); 0 while bytes are unknown
  std::vector<ChunkNll> chunks;
};

/// Fills in bits per byte for a text of `bytes` bytes. Throws ValueError unless there are any.
inline void set_bytes(Perplexity& p, Index bytes) {
  if (bytes <= 0) throw ValueError("bits per byte: expected at least 1 byte, got " + std::to_string(bytes));
  p.bytes = bytes;
  p.bits_per_byte = p.nll / (static_cast<double>(bytes) * std::numbers::ln2);
}

namespace detail {

/// Rows [begin, end) of the text are inputs, those from `scored` on have their successor scored.
/// An input at -1 is the prefix.
struct ScoredWindow {
  Index begin = 0, scored = 0, end = 0;
};

inline std::vector<ScoredWindow> chunked_windows(Index n, Index context) {
  std::vector<ScoredWindow> windows;
  for (Index at = 0; at + 1 < n; at += context) windows.push_back({at, at, std::min(at + context, n) - 1});
  return windows;
}

inline std::vector<ScoredWindow> llama_cpp_windows(Index n, Index context) {
  std::vector<ScoredWindow> windows;
  for (Index at = 0; at + context <= n; at += context) windows.push_back({at, at + context / 2, at + context - 1});
  return windows;
}

inline std::vector<ScoredWindow> rolling_windows(Index n, Index context, bool prefix) {
  const Index first = prefix ? -1 : 0;  // the first input
  std::vector<ScoredWindow> windows;
  for (Index at = first; at < n - 1; at += context) {
    const Index end = std::min(at + context, n - 1);
    windows.push_back({std::max(first, end - context), at, end});
  }
  return windows;
}

/// The text's windows. Throws ValueError where the text is too short to score.
inline std::vector<ScoredWindow> scored_windows(Convention convention, Index n, const PerplexityOptions& options) {
  const std::string place = "perplexity (" + std::string(name(convention)) + ")";
  const Index context = options.context;
  const Index shortest_context = convention == Convention::llama_cpp ? 3 : convention == Convention::chunked ? 2 : 1;
  if (context < shortest_context)
    throw ValueError(place + ": expected a context of at least " + std::to_string(shortest_context) + ", got " +
                     std::to_string(context));
  const bool prefixed = convention == Convention::rolling && options.prefix.has_value();
  const Index fewest = convention == Convention::llama_cpp ? 2 * context : prefixed ? 1 : 2;
  if (n < fewest)
    throw ValueError(place + ": expected at least " + std::to_string(fewest) + " tokens, got " + std::to_string(n) +
                     (convention == Convention::llama_cpp ? "; the conventions rolling and chunked take shorter texts" : ""));
  switch (convention) {
    case Convention::llama_cpp:
      return llama_cpp_windows(n, context);
    case Convention::rolling:
      return rolling_windows(n, context, prefixed);
    default:
      return chunked_windows(n, context);
  }
}

}  // namespace detail

/// Scores `tokens` by a convention. `token_bytes`, if given, holds the byte length of each token's text and yields bits
/// per byte of what was scored. The prefix of a chunk takes the place of its first token, which is never scored.
/// The model's cache is the caller's. Throws ValueError on a text too short to score, and DivergedError where the model
/// returns something that is not finite.
template <LanguageModel M>
Perplexity perplexity(const M& model, const Pass& pass, Convention convention, std::span<const Token> tokens,
                      typename M::Cache& cache, const PerplexityOptions& options = {},
                      std::span<const Index> token_bytes = {}) {
  if (!token_bytes.empty() && token_bytes.size() != tokens.size())
    throw ValueError("perplexity: expected a byte length for each of " + std::to_string(tokens.size()) +
                     " tokens, got " + std::to_string(token_bytes.size()));
  if (options.max_tokens > 0)
    tokens = tokens.first(std::min(tokens.size(), static_cast<std::size_t>(options.max_tokens)));
  const auto windows = detail::scored_windows(convention, static_cast<Index>(tokens.size()), options);

  Perplexity result;
  result.convention = convention;
  result.chunks.reserve(windows.size());
  double squares = 0;
  Index bytes = 0;
  score_windows(
      model, pass, std::span<const detail::ScoredWindow>(windows), options.rows, options.user, cache,
      [](const detail::ScoredWindow& w) { return w.end - w.begin; },
      [&](const detail::ScoredWindow& w, std::vector<Token>& inputs, std::vector<Token>& targets) {
        for (Index at = w.begin; at < w.end; ++at) {
          const bool replaced = options.prefix && at == w.begin && (convention != Convention::rolling || at < 0);
          inputs.push_back(replaced ? *options.prefix : tokens[static_cast<std::size_t>(at)]);
          targets.push_back(at >= w.scored ? tokens[static_cast<std::size_t>(at + 1)] : ignored);
          if (at >= w.scored && !token_bytes.empty()) bytes += token_bytes[static_cast<std::size_t>(at + 1)];
        }
      },
      [&](const detail::ScoredWindow&, std::span<const Token> targets, std::span<const double> nll) {
        ChunkNll chunk;
        for (std::size_t row = 0; row < targets.size(); ++row) {
          if (targets[row] == ignored) continue;
          chunk.nll += nll[row];
          squares += nll[row] * nll[row];
          ++chunk.tokens;
        }
        result.chunks.push_back(chunk);
        result.nll += chunk.nll;
        result.tokens += chunk.tokens;
      });

  const auto count = static_cast<double>(result.tokens);
  const double mean = result.nll / count;
  if (!std::isfinite(mean))
    throw DivergedError("perplexity: expected finite log-probabilities, got a sum of " + std::to_string(result.nll));
  result.ppl = std::exp(mean);
  if (result.tokens > 1)
    result.stderr_ = result.ppl * std::sqrt(std::max(0.0, squares / count - mean * mean) / (count - 1));
  if (bytes > 0) set_bytes(result, bytes);
  return result;
}

}  // namespace tern
