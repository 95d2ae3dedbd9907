#include "tern/train/batches.hpp"

#include <doctest/doctest.h>

#include <map>

#include "support/no_allocation.hpp"

using namespace tern;
using namespace tern::test;

namespace {

/// first, first + 1, ...: a token tells where it stood.
std::vector<Token> text(Token first, Index n) {
  std::vector<Token> tokens(static_cast<std::size_t>(n));
  std::iota(tokens.begin(), tokens.end(), first);
  return tokens;
}

std::vector<Token> draw_tokens(Windows& windows, int batches) {
  std::vector<Token> all;
  Batch batch;
  for (int i = 0; i < batches; ++i) {
    windows.next(batch);
    all.insert(all.end(), batch.tokens.begin(), batch.tokens.end());
  }
  return all;
}

}  // namespace

TEST_CASE("batches: targets follow their tokens, sequences say where windows lie") {
  const auto tokens = text(100, 50);
  for (const bool shuffled : {false, true}) {
    CAPTURE(shuffled);
    Windows windows(tokens, {.context = 7, .sequences = 3, .shuffled = shuffled, .seed = 1});
    Batch batch;
    windows.next(batch);
    REQUIRE(batch.sequences.size() == 3);
    CHECK(batch.tokens.size() == 21);
    CHECK(batch.scored() == 21);
    for (std::size_t t = 0; t < batch.tokens.size(); ++t) {
      CHECK(batch.targets[t] == batch.tokens[t] + 1);
      if (t % 7 != 0) CHECK(batch.tokens[t] == batch.tokens[t - 1] + 1);
    }
    for (const Sequence& s : batch.sequences) {
      CHECK(s.rows == 7);
      CHECK(s.start == 0);
    }
  }
}

TEST_CASE("batches: an epoch has every token but the first of a document as a target once") {
  const auto a = text(0, 23), b = text(1000, 1), c = text(2000, 2), d = text(3000, 11);  // b is too short to train on
  Windows windows({a, b, c, d}, {.context = 5, .sequences = 1, .shuffled = true, .seed = 2});
  CHECK(windows.count() == 5 + 0 + 1 + 2);
  for (int epoch = 0; epoch < 3; ++epoch) {
    std::map<Token, int> seen;
    Batch batch;
    for (Index i = 0; i < windows.count(); ++i) {
      windows.next(batch);
      for (const Token t : batch.targets) ++seen[t];
    }
    CHECK(seen.size() == 22 + 1 + 10);
    for (const auto& target : seen) {
      CAPTURE(target.first);
      CHECK(target.second == 1);
      CHECK(target.first % 1000 != 0);
    }
  }
}

TEST_CASE("batches: random offsets reach every window, and none crosses documents") {
  const auto a = text(0, 9), b = text(1000, 3);  // b is shorter than a window
  Windows windows({a, b}, {.context = 4, .sequences = 1, .seed = 3});
  CHECK(windows.count() == 5 + 1);
  std::map<Token, int> starts;
  Batch batch;
  for (int i = 0; i < 6000; ++i) {
    windows.next(batch);
    ++starts[batch.tokens.front()];
    CHECK(batch.targets.back() - batch.tokens.front() == (batch.tokens.front() < 1000 ? 4 : 2));
  }
  CHECK(starts.size() == 6);
  for (const auto& start : starts) {
    CAPTURE(start.first);
    CHECK(start.second > 850);
    CHECK(start.second < 1150);
  }
}

TEST_CASE("batches: the seed decides, and a state goes on where it was taken") {
  const auto tokens = text(0, 101);
  for (const bool shuffled : {false, true}) {
    CAPTURE(shuffled);
    const WindowOptions options{.context = 4, .sequences = 3, .shuffled = shuffled, .seed = 4};
    Windows one(tokens, options), two(tokens, options);
    WindowOptions other = options;
    other.seed = 5;
    Windows three(tokens, other);
    const auto first = draw_tokens(one, 20);  // ends within the third epoch of 25 windows
    CHECK(draw_tokens(two, 20) == first);
    CHECK(draw_tokens(three, 20) != first);

    const Windows::State state = one.state();
    const auto rest = draw_tokens(one, 20);
    Windows resumed(tokens, options);
    resumed.restore(state);
    CHECK(draw_tokens(resumed, 20) == rest);
  }
}

// SplitMix64 from 42, the upper 64 bits of each number times 999.
TEST_CASE("batches: the first draw is the same on every platform") {
  const auto tokens = text(0, 1000);
  Windows random(tokens, {.context = 1, .sequences = 4, .seed = 42});
  CHECK(draw_tokens(random, 1) == std::vector<Token>{740, 159, 278, 343});
}

TEST_CASE("batches: what cannot be drawn from is refused") {
  const auto one = text(0, 1);
  const auto tokens = text(0, 10);
  CHECK_THROWS_WITH_AS(Windows(std::vector<std::span<const Token>>{}, {}),
                       "batches: expected a document of at least 2 tokens, got none among 0", ValueError);
  CHECK_THROWS_WITH_AS(Windows(one, {}), "batches: expected a document of at least 2 tokens, got none among 1",
                       ValueError);
  CHECK_THROWS_WITH_AS(Windows(tokens, {.context = 0}), "batches: expected a context of at least 1, got 0", ValueError);
  CHECK_THROWS_WITH_AS(Windows(tokens, {.sequences = 0}), "batches: expected at least 1 sequence, got 0", ValueError);
  Windows windows(tokens, {.context = 3, .shuffled = true});
  CHECK_THROWS_WITH_AS(windows.restore({0, 4}), "batches: expected at most 3 windows taken, got 4", ValueError);
}

TEST_CASE("batches: a grown batch is filled again without allocation") {
  const auto tokens = text(0, 100);
  for (const bool shuffled : {false, true}) {
    Windows windows(tokens, {.context = 4, .sequences = 3, .shuffled = shuffled});
    Batch batch;
    windows.next(batch);
    const NoAllocation guard;
    for (int i = 0; i < 50; ++i) windows.next(batch);
  }
}

TEST_CASE("batches: BOS takes the place of each window's first token") {
  const auto a = text(100, 10), b = text(200, 3);
  for (const bool shuffled : {false, true}) {
    CAPTURE(shuffled);
    const WindowOptions plain{.context = 4, .sequences = 5, .shuffled = shuffled, .seed = 2};
    WindowOptions prefixed = plain;
    prefixed.prefix = 7;
    Windows without({a, b}, plain), with({a, b}, prefixed);
    Batch expected, got;
    for (int i = 0; i < 6; ++i) {
      without.next(expected);
      with.next(got);
      Index row = 0;
      for (const Sequence& s : expected.sequences) {
        expected.tokens[static_cast<std::size_t>(row)] = 7;
        row += s.rows;
      }
      CHECK(got.tokens == expected.tokens);
      CHECK(got.targets == expected.targets);
    }
  }
}
