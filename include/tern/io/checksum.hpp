#pragma once
#include <array>
#include <cstdint>

#include "tern/io/bytes.hpp"

namespace tern {

/// CRC-64/XZ (ECMA-182's polynomial, reflected). Finds every change of up to 64 neighbouring bits for certain and other
/// damage with probability 1 - 2^-64; no defence against intent: that is Sha256's. Eight bytes a step.
class Checksum {
 public:
  void update(Bytes bytes) {
    const auto* p = reinterpret_cast<const unsigned char*>(bytes.data());
    std::size_t n = bytes.size();
    for (; n >= 8; p += 8, n -= 8) {
      const std::uint64_t x = state_ ^ load_little<std::uint64_t>(p);
      state_ = 0;
      for (std::size_t i = 0; i < 8; ++i) state_ ^= tables[7 - i][x >> 8 * i & 255];
    }
    for (; n > 0; ++p, --n) state_ = tables[0][(state_ ^ *p) & 255] ^ state_ >> 8;
  }
  std::uint64_t value() const { return ~state_; }

 private:
  /// tables[k][b]: what byte b adds to the state once k more bytes have passed.
  using Tables = std::array<std::array<std::uint64_t, 256>, 8>;
  static constexpr Tables make_tables() {
    constexpr std::uint64_t polynomial = 0xc96c5795d7870f42u;
    Tables t{};
    for (std::size_t b = 0; b < 256; ++b) {
      std::uint64_t crc = b;
      for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? crc >> 1 ^ polynomial : crc >> 1;
      t[0][b] = crc;
    }
    for (std::size_t k = 1; k < 8; ++k)
      for (std::size_t b = 0; b < 256; ++b) t[k][b] = t[0][t[k - 1][b] & 255] ^ t[k - 1][b] >> 8;
    return t;
  }
  static const Tables tables;

  std::uint64_t state_ = ~std::uint64_t{0};
};

inline constexpr Checksum::Tables Checksum::tables = Checksum::make_tables();

inline std::uint64_t checksum(Bytes bytes) {
  Checksum sum;
  sum.update(bytes);
  return sum.value();
}

}  // namespace tern
