#include "tern/eval/scored_chunks.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "support/bigram_model.hpp"
#include "tern/eval/perplexity.hpp"

using namespace tern;
using tern::test::BigramModel;

namespace {

constexpr Index vocabulary = 50;

std::vector<ScoredDocument> documents(const std::vector<Index>& sizes, std::uint64_t seed = 1) {
  Random random(seed);
  std::vector<ScoredDocument> all;
  for (const Index size : sizes) {
    ScoredDocument& d = all.emplace_back();
    d.name = "d" + std::to_string(all.size());
    for (Index i = 0; i < size; ++i) {
      d.tokens.push_back(static_cast<Token>(random.below(vocabulary)));
      d.bytes.push_back(1 + d.tokens.back() % 5);
    }
  }
  return all;
}

BigramModel<double> model() {
  BigramModel<double> m(vocabulary);
  Random random(3);
  fill_normal(m.logits.value, random, 1.0);
  return m;
}

Index targets(const std::vector<ScoredChunk>& chunks) {
  Index sum = 0;
  for (const ScoredChunk& c : chunks) sum += c.targets;
  return sum;
}

}  // namespace

TEST_CASE("scored chunks: all of every document where there is no limit, in no chunk shorter than two tokens") {
  const auto all = documents({20, 1, 0, 17, 2});
  const auto chunks = draw_chunks(all, 8, 1000);
  CHECK(chunks == std::vector<ScoredChunk>{
                      {0, 0, 8, 7}, {0, 8, 16, 7}, {0, 16, 20, 3}, {3, 0, 8, 7}, {3, 8, 16, 7}, {4, 0, 2, 1}});
  CHECK(draw_chunks({}, 8, 1000).empty());
  CHECK(draw_chunks(all, 8, 0).empty());
  CHECK_THROWS_WITH_AS(draw_chunks(all, 1, 10), "chunks: expected a context of at least 2, got 1", ValueError);
}

TEST_CASE("scored chunks: drawn over the whole held-out part, exactly as many targets as asked for") {
  const auto all = documents(std::vector<Index>(40, 100));
  for (const Index most : {1, 6, 7, 8, 100, 701, 3000}) {
    CAPTURE(most);
    CHECK(targets(draw_chunks(all, 8, most)) == most);
  }
  const auto chunks = draw_chunks(all, 8, 700);
  std::set<Index> seen, begins;
  for (const ScoredChunk& c : chunks) seen.insert(c.document), begins.insert(c.begin);
  CHECK(seen.size() > 30);     // 100 of 520 chunks miss few of 40 documents,
  CHECK(begins.size() == 13);  // and no place in them
}

TEST_CASE("scored chunks: a document more, or another order, moves none that stays") {
  auto all = documents(std::vector<Index>(20, 64));
  const auto drawn = [&] {
    std::set<std::pair<std::string, Index>> places;
    for (const ScoredChunk& c : draw_chunks(all, 8, 7 * 40))
      places.insert({all[static_cast<std::size_t>(c.document)].name, c.begin});
    return places;
  };
  const auto before = drawn();
  std::reverse(all.begin(), all.end());
  CHECK(drawn() == before);
  all.push_back(documents({64}, 9).front());
  all.back().name = "new";
  auto after = drawn();
  std::erase_if(after, [](const auto& place) { return place.first == "new"; });
  CHECK(std::includes(before.begin(), before.end(), after.begin(), after.end()));
}

TEST_CASE("scored chunks: masked tokens are context, never targets") {
  auto all = documents({16});
  all[0].is_context.assign(16, false);
  for (const std::size_t i : {3u, 4u}) all[0].is_context[i] = true;
  const auto m = model();
  BigramModel<double>::Cache cache;
  const auto chunks = draw_chunks(all, 8, 1000);
  CHECK(chunks == std::vector<ScoredChunk>{{0, 0, 8, 5}, {0, 8, 16, 7}});
  const Score masked = score_chunks(m, {}, all, chunks, cache);
  auto plain = all;
  plain[0].is_context.clear();
  const Score whole = score_chunks(m, {}, plain, draw_chunks(plain, 8, 1000), cache);
  // Tokens 3 and 4 are the very difference, and token 4 still predicts token 5.
  const auto& t = all[0].tokens;
  std::vector<double> nll(2);
  m.nll({}, std::vector<Token>{t[2], t[3]}, std::vector<Token>{t[3], t[4]}, cache, nll);
  CHECK(masked.tokens == whole.tokens - 2);
  CHECK(masked.bytes == whole.bytes - all[0].bytes[3] - all[0].bytes[4]);
  CHECK(masked.nll == doctest::Approx(whole.nll - nll[0] - nll[1]));

  all[0].is_context.assign(16, true);
  CHECK(draw_chunks(all, 8, 1000).empty());
  all[0].is_context.resize(3);
  CHECK_THROWS_WITH_AS(draw_chunks(all, 8, 1000), "document 'd1': expected a mask of 16 tokens, got 3", ValueError);
}

TEST_CASE("scored chunks: the figures are those of perplexity's chunked convention, BOS included") {
  const auto all = documents({61});
  const auto m = model();
  BigramModel<double>::Cache cache;
  for (const std::optional<Token> prefix : {std::optional<Token>{}, std::optional<Token>{5}}) {
    const Perplexity p =
        perplexity(m, {}, Convention::chunked, all[0].tokens, cache, {.context = 8, .prefix = prefix}, all[0].bytes);
    const Score score = score_chunks(m, {}, all, draw_chunks(all, 8, 1000), cache, {.prefix = prefix});
    CHECK(score.nll == p.nll);
    CHECK(score.tokens == p.tokens);
    CHECK(score.bytes == p.bytes);
    REQUIRE(score.chunks.size() == p.chunks.size());
    for (std::size_t i = 0; i < p.chunks.size(); ++i) CHECK(score.chunks[i].nll == p.chunks[i].nll);
  }
}

TEST_CASE("scored chunks: batches change no bit") {
  const auto all = documents({30, 9, 50, 2, 3});
  const auto chunks = draw_chunks(all, 8, 60);
  const auto m = model();
  BigramModel<double>::Cache cache;
  const Score one = score_chunks(m, {}, all, chunks, cache, {.rows = 1});
  CHECK(one.tokens == 60);
  for (const Index rows : {2, 10, 1000}) {
    const Score other = score_chunks(m, {}, all, chunks, cache, {.rows = rows});
    CHECK(other.nll == one.nll);
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      CHECK(other.chunks[i].nll == one.chunks[i].nll);
      CHECK(other.chunks[i].document == chunks[i].document);
      CHECK(other.chunks[i].tokens == chunks[i].targets);
    }
  }
}

TEST_CASE("scored chunks: a model that breaks is an error") {
  auto m = model();
  m.logits.value.setConstant(std::numeric_limits<double>::infinity());
  const auto all = documents({9});
  BigramModel<double>::Cache cache;
  CHECK_THROWS_AS(score_chunks(m, {}, all, draw_chunks(all, 8, 100), cache), DivergedError);
}

TEST_CASE("scored chunks: claims about one person need twelve chunks of three documents") {
  const auto testable = [](const std::vector<Index>& sizes) {
    return is_testable(draw_chunks(documents(sizes), 8, 1'000'000));
  };
  CHECK(testable({32, 32, 32}));
  CHECK_FALSE(testable({32, 32, 24}));
  CHECK_FALSE(testable({400, 400}));
  CHECK_FALSE(testable({}));
}
