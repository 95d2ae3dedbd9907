#pragma once
/// What of a person's held-out text is scored, and how a model does on it.
///
/// Chunks of `context` tokens, spread over all held-out documents, are drawn by a hash of their content: the same for
/// every model, and a document more moves none. A chunk lies in one document. Within it every token but the first is
/// predicted from those before; BOS, where the model wants one, takes the first token's place (Convention::chunked).
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tern/core/error.hpp"
#include "tern/core/language_model.hpp"
#include "tern/core/random.hpp"
#include "tern/eval/score_windows.hpp"

namespace tern {

/// A document to score.
struct ScoredDocument {
  std::string name;
  std::vector<Token> tokens;
  std::vector<bool> is_context{};  ///< of each token: it is never a target; empty: none is
  std::vector<Index> bytes{};      ///< of each token's text; empty: unknown
};

/// Tokens [begin, end) of a document, of which `targets` are scored: at least one.
struct ScoredChunk {
  Index document = 0, begin = 0, end = 0, targets = 0;

  bool operator==(const ScoredChunk&) const = default;
};

namespace detail {

inline bool is_target(const ScoredDocument& d, const ScoredChunk& chunk, Index at) {
  return at > chunk.begin && (d.is_context.empty() || !d.is_context[static_cast<std::size_t>(at)]);
}

inline Index count_targets(const ScoredDocument& d, const ScoredChunk& chunk) {
  Index count = 0;
  for (Index at = chunk.begin; at < chunk.end; ++at) count += is_target(d, chunk, at);
  return count;
}

/// Of the chunk's tokens, the same on every platform.
inline std::uint64_t chunk_key(const ScoredDocument& d, const ScoredChunk& chunk) {
  std::uint64_t key = 0;
  for (Index at = chunk.begin; at < chunk.end; ++at)
    key = Random(key ^ static_cast<std::uint64_t>(d.tokens[static_cast<std::size_t>(at)])).next();
  return key;
}

inline void check_document(const ScoredDocument& d) {
  const auto check = [&](const char* what, std::size_t size) {
    if (size != 0 && size != d.tokens.size())
      throw ValueError("document '" + d.name + "': expected " + what + " of " + std::to_string(d.tokens.size()) +
                       " tokens, got " + std::to_string(size));
  };
  check("a mask", d.is_context.size());
  check("bytes", d.bytes.size());
}

}  // namespace detail

/// Draws chunks until `most_targets` tokens are to be scored, the last one cut to make it exact; all of them where
/// there are fewer. They come in the order of documents. Throws ValueError on a context below 2, or a mask of another
/// length.
inline std::vector<ScoredChunk> draw_chunks(std::span<const ScoredDocument> documents, Index context,
                                            Index most_targets) {
  if (context < 2) throw ValueError("chunks: expected a context of at least 2, got " + std::to_string(context));
  std::vector<std::pair<std::uint64_t, ScoredChunk>> all;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    const ScoredDocument& d = documents[i];
    detail::check_document(d);
    const auto size = static_cast<Index>(d.tokens.size());
    for (Index at = 0; at + 1 < size; at += context) {
      ScoredChunk chunk{static_cast<Index>(i), at, std::min(at + context, size)};
      chunk.targets = detail::count_targets(d, chunk);
      if (chunk.targets > 0) all.emplace_back(detail::chunk_key(d, chunk), chunk);
    }
  }
  const auto place = [](const ScoredChunk& c) { return std::tuple(c.document, c.begin); };
  std::sort(all.begin(), all.end(), [&](const auto& a, const auto& b) {
    return std::tuple(a.first, place(a.second)) < std::tuple(b.first, place(b.second));
  });
  std::vector<ScoredChunk> drawn;
  Index left = most_targets;
  for (auto& [key, chunk] : all) {
    if (left <= 0) break;
    const ScoredDocument& d = documents[static_cast<std::size_t>(chunk.document)];
    for (; chunk.targets > left; --chunk.end) chunk.targets -= detail::is_target(d, chunk, chunk.end - 1);
    left -= chunk.targets;
    drawn.push_back(chunk);
  }
  std::sort(drawn.begin(), drawn.end(), [&](const auto& a, const auto& b) { return place(a) < place(b); });
  return drawn;
}

/// Below so many chunks or documents nothing can be claimed about one person: "not testable".
inline constexpr std::size_t least_chunks = 12, least_documents = 3;

inline bool is_testable(std::span<const ScoredChunk> chunks) {
  std::set<Index> documents;
  for (const ScoredChunk& chunk : chunks) documents.insert(chunk.document);
  return chunks.size() >= least_chunks && documents.size() >= least_documents;
}

struct ScoreOptions {
  std::optional<Token> prefix{};  ///< BOS, if the model wants one
  Index rows = 1024;              ///< chunks share a call of the model up to so many rows
  Index user = 0;                 ///< of every row, for adapters that differ by user
};

/// What one chunk contributes.
struct ChunkScore {
  Index document = 0;
  double nll = 0;    ///< sum of -log p over its targets, in nats
  Index tokens = 0;  ///< targets
};

struct Score {
  double nll = 0;
  Index tokens = 0;
  Index bytes = 0;                 ///< of the targets' text; 0: unknown
  std::vector<ChunkScore> chunks;  ///< one for each that was given
};

/// Scores `chunks` of `documents`. How they share calls changes no bit where the model's rows do not depend on each
/// other. The model's cache is the caller's. Throws DivergedError where the model returns something that is not finite.
template <LanguageModel M>
Score score_chunks(const M& model, const Pass& pass, std::span<const ScoredDocument> documents,
                   std::span<const ScoredChunk> chunks, typename M::Cache& cache, const ScoreOptions& options = {}) {
  Score score;
  score_windows(
      model, pass, chunks, options.rows, options.user, cache, [](const ScoredChunk& c) { return c.end - c.begin - 1; },
      [&](const ScoredChunk& c, std::vector<Token>& inputs, std::vector<Token>& targets) {
        const ScoredDocument& d = documents[static_cast<std::size_t>(c.document)];
        for (Index at = c.begin; at + 1 < c.end; ++at) {
          const auto i = static_cast<std::size_t>(at);
          const bool is_target = detail::is_target(d, c, at + 1);
          inputs.push_back(at == c.begin && options.prefix ? *options.prefix : d.tokens[i]);
          targets.push_back(is_target ? d.tokens[i + 1] : ignored);
          if (is_target && !d.bytes.empty()) score.bytes += d.bytes[i + 1];
        }
      },
      [&](const ScoredChunk& c, std::span<const Token> targets, std::span<const double> nll) {
        ChunkScore one{c.document};
        for (std::size_t row = 0; row < targets.size(); ++row) {
          if (targets[row] == ignored) continue;
          one.nll += nll[row];
          ++one.tokens;
        }
        score.nll += one.nll;
        score.tokens += one.tokens;
        score.chunks.push_back(one);
      });
  if (!std::isfinite(score.nll))
    throw DivergedError("score: expected finite log-probabilities, got a sum of " + std::to_string(score.nll));
  return score;
}

}  // namespace tern
