#include "tern/eval/perplexity.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <numeric>

#include "support/bigram_model.hpp"

using namespace tern;
using namespace tern::test;
using doctest::Approx;

namespace {

/// Remembers what it was asked; the nll of a token is the number of tokens it was predicted from.
struct Recorder {
  using Scalar = float;
  struct Cache {
    std::vector<std::vector<Token>> inputs, targets;  // of each sequence
    std::vector<std::size_t> calls;                   // sequences of each call
    std::vector<Index> users;
  };
  void nll(const Pass& pass, std::span<const Token> tokens, std::span<const Token> targets, Cache& cache,
           std::span<double> out) const {
    std::size_t row = 0;
    for (const Sequence& s : pass.sequences) {
      const auto rows = static_cast<std::size_t>(s.rows);
      cache.inputs.emplace_back(tokens.begin() + static_cast<std::ptrdiff_t>(row),
                                tokens.begin() + static_cast<std::ptrdiff_t>(row + rows));
      cache.targets.emplace_back(targets.begin() + static_cast<std::ptrdiff_t>(row),
                                 targets.begin() + static_cast<std::ptrdiff_t>(row + rows));
      for (std::size_t t = 0; t < rows; ++t, ++row) out[row] = targets[row] == ignored ? 0 : static_cast<double>(t + 1);
    }
    REQUIRE(row == tokens.size());
    cache.calls.push_back(pass.sequences.size());
    cache.users.insert(cache.users.end(), pass.user.begin(), pass.user.end());
  }
  double gradients(const Pass&, std::span<const Token>, std::span<const Token>, float, Cache&, Gradients<float>&) const {
    return 0;
  }
};
static_assert(LanguageModel<Recorder>);

using Lists = std::vector<std::vector<Token>>;
constexpr Token x = ignored;

/// 0, 1, 2, ...
std::vector<Token> count_to(Index n) {
  std::vector<Token> tokens(static_cast<std::size_t>(n));
  std::iota(tokens.begin(), tokens.end(), 0);
  return tokens;
}

Perplexity record(Recorder::Cache& cache, Convention convention, Index n, const PerplexityOptions& options) {
  return perplexity(Recorder{}, Pass{}, convention, count_to(n), cache, options);
}

std::string message(Convention convention, Index n, const PerplexityOptions& options) {
  Recorder::Cache cache;
  try {
    record(cache, convention, n, options);
  } catch (const ValueError& error) {
    CHECK(cache.calls.empty());
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("perplexity: chunked scores every token but the first of each chunk") {
  Recorder::Cache cache;
  const auto p = record(cache, Convention::chunked, 10, {.context = 4});
  CHECK(cache.inputs == Lists{{0, 1, 2}, {4, 5, 6}, {8}});
  CHECK(cache.targets == Lists{{1, 2, 3}, {5, 6, 7}, {9}});
  CHECK(p.tokens == 7);
  CHECK(p.nll == 6 + 6 + 1);
  REQUIRE(p.chunks.size() == 3);
  CHECK(p.chunks[1].nll == 6);
  CHECK(p.chunks[1].tokens == 3);
  CHECK(p.chunks[2].tokens == 1);

  Recorder::Cache other;
  record(other, Convention::chunked, 9, {.context = 4, .prefix = 99});  // the ninth token has nothing to follow it
  CHECK(other.inputs == Lists{{99, 1, 2}, {99, 5, 6}});
}

TEST_CASE("perplexity: llama.cpp scores the second half of each whole chunk") {
  Recorder::Cache cache;
  const auto p = record(cache, Convention::llama_cpp, 17, {.context = 8, .prefix = 99});
  CHECK(cache.inputs == Lists{{99, 1, 2, 3, 4, 5, 6}, {99, 9, 10, 11, 12, 13, 14}});
  CHECK(cache.targets == Lists{{x, x, x, x, 5, 6, 7}, {x, x, x, x, 13, 14, 15}});
  CHECK(p.tokens == 2 * (8 - 8 / 2 - 1));
  CHECK(p.nll == 2 * (5 + 6 + 7));

  Recorder::Cache odd;
  CHECK(record(odd, Convention::llama_cpp, 15, {.context = 7}).tokens == 2 * (7 - 7 / 2 - 1));
  CHECK(odd.inputs == Lists{{0, 1, 2, 3, 4, 5}, {7, 8, 9, 10, 11, 12}});
  CHECK(odd.targets == Lists{{x, x, x, 4, 5, 6}, {x, x, x, 11, 12, 13}});
}

// The windows of lm_eval.utils.get_rolling_token_windows(range(10), prefix_token=99, max_seq_len=4, context_len=1),
// made disjoint: ([99], [0..3]), ([3], [4..7]), ([5, 6, 7], [8, 9]).
TEST_CASE("perplexity: rolling scores every token once") {
  Recorder::Cache cache;
  const auto p = record(cache, Convention::rolling, 10, {.context = 4, .prefix = 99});
  CHECK(cache.inputs == Lists{{99, 0, 1, 2}, {3, 4, 5, 6}, {5, 6, 7, 8}});
  CHECK(cache.targets == Lists{{0, 1, 2, 3}, {4, 5, 6, 7}, {x, x, 8, 9}});
  CHECK(p.tokens == 10);

  Recorder::Cache bare;
  CHECK(record(bare, Convention::rolling, 10, {.context = 4}).tokens == 9);
  CHECK(bare.inputs == Lists{{0, 1, 2, 3}, {4, 5, 6, 7}, {5, 6, 7, 8}});
  CHECK(bare.targets == Lists{{1, 2, 3, 4}, {5, 6, 7, 8}, {x, x, x, 9}});

  Recorder::Cache brief;
  CHECK(record(brief, Convention::rolling, 3, {.context = 4, .prefix = 99}).tokens == 3);
  CHECK(brief.inputs == Lists{{99, 0, 1}});

  Recorder::Cache whole;
  CHECK(record(whole, Convention::rolling, 8, {.context = 4, .prefix = 99}).tokens == 8);
  CHECK(whole.inputs == Lists{{99, 0, 1, 2}, {3, 4, 5, 6}});
}

TEST_CASE("perplexity: hand-computed on a bigram table") {
  // p(1|0) = 3/4, p(0|0) = 1/4, p(.|1) = 1/2 each.
  BigramModel<double> model(2);
  model.logits.value(0, 1) = std::log(3.0);
  BigramModel<double>::Cache cache;
  const std::vector<Token> text = {0, 1, 1, 0, 0, 1, 0, 1};
  const double sure = std::log(4.0 / 3), rare = std::log(4.0), coin = std::log(2.0);

  const std::vector<Index> bytes = {3, 1, 4, 1, 5, 9, 2, 6};
  const auto chunked = perplexity(model, {}, Convention::chunked, text, cache, {.context = 4}, bytes);
  // 0>1 1>1 1>0 | 0>1 1>0 0>1
  const double sum = 3 * sure + 3 * coin;
  CHECK(chunked.nll == Approx(sum));
  CHECK(chunked.tokens == 6);
  CHECK(chunked.ppl == Approx(std::exp(sum / 6)));
  const double mean = sum / 6;
  const double variance = (3 * sure * sure + 3 * coin * coin) / 6 - mean * mean;
  CHECK(chunked.stderr_ == Approx(chunked.ppl * std::sqrt(variance / 5)));
  CHECK(chunked.bytes == 1 + 4 + 1 + 9 + 2 + 6);
  CHECK(chunked.bits_per_byte == Approx(sum / (23 * std::log(2.0))));

  const auto llama = perplexity(model, {}, Convention::llama_cpp, text, cache, {.context = 4});
  CHECK(llama.tokens == 2);  // 1>0 | 0>1
  CHECK(llama.nll == Approx(coin + sure));
  CHECK(llama.ppl == Approx(std::sqrt(2 * 4.0 / 3)));
  CHECK(llama.stderr_ == Approx(llama.ppl * (coin - sure) / 2));
  CHECK(llama.bytes == 0);

  auto rolling = perplexity(model, {}, Convention::rolling, text, cache, {.context = 4, .prefix = 0});
  CHECK(rolling.tokens == 8);
  CHECK(rolling.nll == Approx(2 * rare + 3 * sure + 3 * coin));  // as above, 0>0 twice: the prefix's, and the text's
  set_bytes(rolling, 10);
  CHECK(rolling.bits_per_byte == Approx(rolling.nll / (10 * std::log(2.0))));
  CHECK_THROWS_WITH_AS(set_bytes(rolling, 0), "bits per byte: expected at least 1 byte, got 0", ValueError);
}

TEST_CASE("perplexity: windows share calls as far as rows allow, with the same result") {
  Perplexity first;
  for (const Index rows : {1, 7, 8, 1024}) {
    CAPTURE(rows);
    Recorder::Cache cache;
    const auto p = record(cache, Convention::chunked, 30, {.context = 5, .rows = rows});
    if (rows == 1) {
      CHECK(cache.calls == std::vector<std::size_t>(6, 1));
      first = p;
    }
    if (rows == 8) CHECK(cache.calls == std::vector<std::size_t>(3, 2));
    if (rows == 1024) CHECK(cache.calls == std::vector<std::size_t>{6});
    CHECK(p.nll == first.nll);
    CHECK(p.stderr_ == first.stderr_);
    CHECK(cache.users.empty());
  }
  Recorder::Cache cache;
  record(cache, Convention::chunked, 5, {.context = 5, .user = 3});
  CHECK(cache.users == std::vector<Index>(4, 3));
}

TEST_CASE("perplexity: a limit reads the first tokens only") {
  Recorder::Cache cache;
  CHECK(record(cache, Convention::chunked, 100, {.context = 4, .max_tokens = 8}).tokens == 6);
  CHECK(cache.inputs == Lists{{0, 1, 2}, {4, 5, 6}});
  Recorder::Cache all;
  CHECK(record(all, Convention::chunked, 8, {.context = 4, .max_tokens = 100}).tokens == 6);
}

TEST_CASE("perplexity: one scored token has no spread") {
  BigramModel<double> model(2);
  BigramModel<double>::Cache cache;
  const std::vector<Token> two = {0, 1};
  const auto p = perplexity(model, {}, Convention::chunked, two, cache);
  CHECK(p.tokens == 1);
  CHECK(p.ppl == Approx(2));
  CHECK(p.stderr_ == 0);
}

TEST_CASE("perplexity: a text too short to score is an error, never a number") {
  for (const Index n : {0, 1})
    for (const auto convention : {Convention::chunked, Convention::llama_cpp, Convention::rolling}) {
      CAPTURE(n);
      const bool llama = convention == Convention::llama_cpp;
      CHECK(message(convention, n, {}) == "perplexity (" + std::string(name(convention)) + "): expected at least " +
                                              (llama ? "1024" : "2") + " tokens, got " + std::to_string(n) +
                                              (llama ? "; the conventions rolling and chunked take shorter texts" : ""));
    }
  CHECK(message(Convention::llama_cpp, 15, {.context = 8}) ==
        "perplexity (llama.cpp): expected at least 16 tokens, got 15; the conventions rolling and chunked take shorter texts");
  CHECK(message(Convention::llama_cpp, 100, {.context = 8, .max_tokens = 15}) ==
        "perplexity (llama.cpp): expected at least 16 tokens, got 15; the conventions rolling and chunked take shorter texts");
  CHECK(message(Convention::llama_cpp, 16, {.context = 8}).empty());
  CHECK(message(Convention::rolling, 0, {.prefix = 9}) == "perplexity (rolling): expected at least 1 tokens, got 0");
  CHECK(message(Convention::rolling, 1, {.prefix = 9}).empty());
  CHECK(message(Convention::chunked, 9, {.context = 1}) ==
        "perplexity (chunked): expected a context of at least 2, got 1");
  CHECK(message(Convention::llama_cpp, 9, {.context = 2}) ==
        "perplexity (llama.cpp): expected a context of at least 3, got 2");
  CHECK(message(Convention::rolling, 9, {.context = 0}) ==
        "perplexity (rolling): expected a context of at least 1, got 0");
}

TEST_CASE("perplexity: what is not finite, or does not fit, is refused") {
  BigramModel<double> model(2);
  model.logits.value(0, 0) = std::numeric_limits<double>::quiet_NaN();
  BigramModel<double>::Cache cache;
  const std::vector<Token> text = {0, 1, 1, 0};
  CHECK_THROWS_AS(perplexity(model, {}, Convention::chunked, text, cache), DivergedError);
  const std::vector<Index> bytes = {1, 2};
  CHECK_THROWS_WITH_AS(perplexity(model, {}, Convention::chunked, text, cache, {}, bytes),
                       "perplexity: expected a byte length for each of 4 tokens, got 2", ValueError);
}
