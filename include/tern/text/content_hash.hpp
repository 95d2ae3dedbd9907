#pragma once
/// A 64-bit hash of text, the same on every platform and in every version of tern: splits depend on it.
#include <cstdint>
#include <string>
#include <string_view>

namespace tern {

namespace detail {

/// The finaliser of SplitMix64: spreads every input bit over all output bits.
constexpr std::uint64_t spread_bits(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

}  // namespace detail

/// FNV-1a (Fowler, Noll, Vo), finished by SplitMix64's mixer. Not for adversaries. `seed` chains hashes.
constexpr std::uint64_t content_hash(std::string_view text, std::uint64_t seed = 0) {
  std::uint64_t hash = 0xcbf29ce484222325u ^ seed;
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return detail::spread_bits(hash);
}

/// Sixteen hexadecimal digits.
inline std::string hex(std::uint64_t hash) {
  std::string digits(16, '0');
  for (std::size_t i = 16; i-- > 0; hash >>= 4) digits[i] = "0123456789abcdef"[hash & 15];
  return digits;
}

}  // namespace tern
