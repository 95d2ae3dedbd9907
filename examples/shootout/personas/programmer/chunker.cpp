#include "chunker.hpp"

#include <bit>
#include <stdexcept>
#include <utility>

namespace burrow {

namespace {

// splitmix-style scrambler. three multiplies and some shifts; the constants are not mine and i'm not clever enough to
// have a favourite. what matters: same input, same output, on the laptop, on the nas, and on the sad little arm board
// under the stairs.
std::uint64_t scramble(std::uint64_t& state) {
  state += 0x9E3779B97F4A7C15ull;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

// the mask picks WHICH bits have to be zero. first version used the lowest ones. problem: with a shift-left hash the
// low bits only remember the last handful of bytes, so two files that shared nothing but "\n\n\n\n" would cut in the
// same spots all the time. taking the high bits makes the decision look at the last 64 bytes. one line, 9% better
// dedup on my photo folder. it took me a weekend and a whiteboard to find that line.
std::uint64_t mask_for(std::uint32_t average) {
  const int bits = std::countr_zero(average);
  return ~0ull << (64 - bits);
}

}  // namespace

const std::vector<std::uint64_t>& gear_table() {
  // function-local static: thread-safe since c++11 and, more to the point, initialised when first used rather than in
  // whatever order the linker felt like that morning.
  static const std::vector<std::uint64_t> table = [] {
    std::vector<std::uint64_t> t(256);
    std::uint64_t state = 0x6275'7272'6f77'0001ull;  // spells "burrow", then a 1 for luck. never touch.
    for (auto& word : t) word = scramble(state);
    return t;
  }();
  return table;
}

Chunker::Chunker(ChunkLimits limits, Sink sink) : limits_(limits), sink_(std::move(sink)) {
  // being rude early beats being wrong late.
  if (!std::has_single_bit(limits.average) || limits.average < 64) throw std::invalid_argument("average: want 2^n >= 64");
  if (limits.min == 0 || limits.min > limits.average || limits.average > limits.max) {
    throw std::invalid_argument("chunk limits: want 0 < min <= average <= max");
  }
  if (!sink_) throw std::invalid_argument("chunker: empty sink");
  mask_ = mask_for(limits.average);
}

void Chunker::push(std::span<const std::uint8_t> bytes) {
  const auto& gear = gear_table();
  for (const std::uint8_t byte : bytes) {
    hash_ = (hash_ << 1) + gear[byte];
    ++filled_;
    // order matters: below min we keep hashing (so the window is warm) but never cut. i once skipped hashing below
    // min "for speed". it was faster! it also made boundaries depend on where the previous boundary was, so one edit
    // rippled through the rest of the file, which is the exact disease this class exists to cure.
    if (filled_ < limits_.min) continue;
    if ((hash_ & mask_) == 0 || filled_ >= limits_.max) cut();
  }
}

void Chunker::finish() {
  if (filled_ > 0) cut();
}

void Chunker::cut() {
  const Chunk chunk{start_, filled_};
  start_ += filled_;
  filled_ = 0;
  // do NOT reset hash_ here. see the ripple story above, part two: resetting is the same bug wearing a moustache.
  sink_(chunk);
}

}  // namespace burrow
