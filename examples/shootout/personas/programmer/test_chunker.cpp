// burrow/test_chunker.cpp
//
// no framework. a macro, a main, an exit code. when this file gets to 500 lines i'll reconsider; it's been threatening to
// since spring.

#include <algorithm>
#include <cstdio>
#include <random>
#include <set>

#include "chunker.hpp"

#define CHECK(what)                                                    \
  do {                                                                 \
    if (!(what)) {                                                     \
      std::printf("%s:%d: nope: %s\n", __FILE__, __LINE__, #what);     \
      ++failures;                                                      \
    }                                                                  \
  } while (false)

namespace {

int failures = 0;

using Bytes = std::vector<std::uint8_t>;

Bytes noise(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  Bytes out(n);
  for (auto& b : out) b = static_cast<std::uint8_t>(random());
  return out;
}

// step = how many bytes per push. the answer must not depend on it, and the reason this parameter exists is that once
// upon a time it did.
std::vector<burrow::Chunk> chunks_of(const Bytes& data, std::size_t step) {
  std::vector<burrow::Chunk> out;
  burrow::Chunker chunker({}, [&](burrow::Chunk c) { out.push_back(c); });
  for (std::size_t i = 0; i < data.size(); i += step) {
    chunker.push(std::span(data).subspan(i, std::min(step, data.size() - i)));
  }
  chunker.finish();
  return out;
}

void covers_everything_once() {
  const Bytes data = noise(3'000'000, 7);
  std::uint64_t expected = 0;
  for (const auto& c : chunks_of(data, 4096)) {
    CHECK(c.offset == expected);  // no gaps, no overlaps. the two ways to ruin a wedding video.
    expected += c.size;
  }
  CHECK(expected == data.size());
}

void feeding_in_crumbs_changes_nothing() {
  const Bytes data = noise(700'000, 11);
  const auto big = chunks_of(data, data.size());
  const auto crumbs = chunks_of(data, 13);
  CHECK(big.size() == crumbs.size());
  for (std::size_t i = 0; i < big.size() && i < crumbs.size(); ++i) CHECK(big[i].size == crumbs[i].size);
}

// THE test. put one byte at the front, and nearly all chunks must come out as they were (just shifted). if you only keep
// one test, keep this. if you keep none, say hello to the data plan.
void one_byte_in_front_is_cheap() {
  Bytes data = noise(8'000'000, 23);
  std::set<std::uint64_t> ends;
  for (const auto& c : chunks_of(data, 65536)) ends.insert(c.offset + c.size);
  data.insert(data.begin(), 0x42);
  std::size_t same = 0;
  const auto after = chunks_of(data, 65536);
  for (const auto& c : after) same += ends.count(c.offset + c.size - 1);
  CHECK(same + 3 >= after.size());  // 3 is what i measured plus one. it's a smell and i know where it lives.
}

void zeros_do_not_hang_or_explode() {
  const Bytes data(1'000'000, 0);
  const auto chunks = chunks_of(data, 8192);
  CHECK(chunks.size() >= 4 && chunks.size() <= 62);
}

void the_seed_is_sacred() {
  // first word of the table, copied down once on a rainy day. if this fails you changed the seed. change it back.
  const auto& t = burrow::gear_table();
  CHECK(t.size() == 256);
  CHECK(t[0] == 0x83707B51A746E286ull);
  CHECK(std::set<std::uint64_t>(t.begin(), t.end()).size() == 256);
}

}  // namespace

int main() {
  covers_everything_once();
  feeding_in_crumbs_changes_nothing();
  one_byte_in_front_is_cheap();
  zeros_do_not_hang_or_explode();
  the_seed_is_sacred();
  std::puts(failures == 0 ? "all quiet" : "see above");
  return failures == 0 ? 0 : 1;
}
