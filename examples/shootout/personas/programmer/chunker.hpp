// burrow/chunker.hpp
//
// cuts a stream of bytes into chunks at places the *content* chooses, so that inserting one byte at the front of a
// 4 GB disk image doesn't make me upload the other 4 GB again. (ask me how i know. ask my data plan.)
//
// the trick is old: slide a window, keep a rolling hash, cut when the low bits are zero. everything interesting is in
// the sentence "cut when the low bits are zero", and everything i got wrong was too.
//
// written by ruben falke <ruben@falke.example.org>, mostly on trains. complaints by mail, patches also by mail.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace burrow {

// one piece of a file. offset is into the whole stream, not into the buffer you happened to pass last. i had it the
// other way round for two months and nobody noticed because nobody else uses this. hi, nobody.
struct Chunk {
  std::uint64_t offset = 0;
  std::uint32_t size = 0;
};

// the three knobs. yes, min and max bend the "content decides" story a bit: a run of zeros would otherwise never cut
// (hash stuck) or always cut (hash stuck at the wrong value). clamp, accept slight ugliness, go to bed.
struct ChunkLimits {
  std::uint32_t min = 16 * 1024;
  std::uint32_t average = 64 * 1024;  // must be a power of two. checked. i don't trust me.
  std::uint32_t max = 256 * 1024;
};

// push bytes in, get chunks out through the callback. not thread-safe and not going to be: make one per file, they
// cost 2 KB and no feelings.
class Chunker {
 public:
  using Sink = std::function<void(Chunk)>;

  Chunker(ChunkLimits limits, Sink sink);

  void push(std::span<const std::uint8_t> bytes);

  // flushes the tail. forget to call it and your file loses its end, which is the part people remember of films.
  // the destructor deliberately does NOT call it: a sink that throws from a destructor is how you meet std::terminate.
  void finish();

 private:
  void cut();

  ChunkLimits limits_;
  Sink sink_;
  std::uint64_t start_ = 0;   // where the current chunk began
  std::uint32_t filled_ = 0;  // bytes in it so far
  std::uint64_t hash_ = 0;
  std::uint64_t mask_ = 0;
};

// the table of 256 random-looking words the hash mixes in. generated at startup from a fixed seed so that two machines
// agree. if you ever change the seed you change every chunk boundary on earth; there's a test that will yell at you.
const std::vector<std::uint64_t>& gear_table();

}  // namespace burrow
