// burrow/store.hpp
//
// a folder full of blobs, named by what's in them. that's it. that's the database. every time i've been tempted to use
// a real database i've gone for a walk instead, and every time i came back glad.
//
// layout:
//   <root>/objects/ab/cdef...   one blob, name = 32 hex digits of its 128-bit digest
//   <root>/tmp/                 half-written things. safe to delete whenever nothing is running
//   <root>/lock                 exactly what it looks like

#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace burrow {

// 128 bits. yes, i did the birthday sum: with a billion blobs the odds of a collision are about one in 10^21. my odds
// of dropping the drive down the stairs are somewhat higher (1 in 4, lifetime).
//
// it is NOT cryptographic. someone who wants to feed you a forged blob can. they'd have to get into my cupboard first
// and at that point they can have the photos.
using Digest = std::array<std::uint8_t, 16>;

Digest digest_of(std::span<const std::uint8_t> bytes);
std::string to_hex(const Digest& digest);

class Store {
 public:
  explicit Store(std::filesystem::path root);

  // idempotent: putting the same bytes twice is one file and zero drama. returns true if it was new, because the
  // progress bar wants to brag.
  bool put(const Digest& name, std::span<const std::uint8_t> bytes);

  // nullopt = we don't have it. throws = we have it and it's rotten. please keep those apart; the old version returned
  // an empty vector for both and a restore once "succeeded" into 900 files of length zero. they were my sister's.
  // she has been very nice about it.
  std::optional<std::vector<std::uint8_t>> get(const Digest& name) const;

  bool contains(const Digest& name) const;

 private:
  std::filesystem::path path_of(const Digest& name) const;

  std::filesystem::path root_;
};

}  // namespace burrow
