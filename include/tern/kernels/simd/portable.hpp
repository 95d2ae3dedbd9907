#pragma once
/// xsimd's registers, as wide as the includer's compiler flags allow. The names carry the width, so that files compiled
/// with different flags never share a function.
#include <xsimd/xsimd.hpp>

#include "tern/kernels/simd/needs.hpp"

namespace tern::kernels::portable {

/// The operations that the vector kernels (*.inc) are written in.
template <class S, class Arch = xsimd::default_arch>
struct Vector {
  using Scalar = S;
  using Register = xsimd::batch<S, Arch>;
  /// lanes: numbers in a register. A tile of C [tile_rows x 2 registers], or [wide_rows x 4], fits the register file,
  /// and tile_rows lines the eight ways of a cache: rows of A a multiple of 4 KB apart all meet in one set.
  static constexpr Index lanes = static_cast<Index>(Register::size);
  static constexpr Index tile_rows = sizeof(Register) == 64 ? 7 : 6, wide_rows = sizeof(Register) == 64 ? 7 : 2;
  static constexpr Index turned = 4;  ///< rows that transpose gives

  static Register zero() { return Register(S(0)); }
  static Register set(S x) { return Register(x); }
  static Register load(const S* p) { return Register::load_unaligned(p); }
  static void store(S* p, Register a) { a.store_unaligned(p); }
  /// The first n numbers, then zeros; touches nothing beyond.
  [[gnu::noinline]] static Register load_part(const S* p, Index n) {
    S part[lanes] = {};
    for (Index i = 0; i < n; ++i) part[i] = p[i];
    return load(part);
  }
  [[gnu::noinline]] static void store_part(S* p, Register a, Index n) {
    S part[lanes];
    store(part, a);
    for (Index i = 0; i < n; ++i) p[i] = part[i];
  }

  static Register add(Register a, Register b) { return a + b; }
  static Register sub(Register a, Register b) { return a - b; }
  static Register mul(Register a, Register b) { return a * b; }
  static Register div(Register a, Register b) { return a / b; }
  /// a * b + c, rounded once or twice.
  static Register fma(Register a, Register b, Register c) { return xsimd::fma(a, b, c); }
  /// Rounded correctly; on ARM xsimd's is an estimate that was improved.
  static Register sqrt(Register a) {
    if constexpr (TERN_X86) {
      return xsimd::sqrt(a);
    } else {
      S part[lanes];
      store(part, a);
      for (Index i = 0; i < lanes; ++i) part[i] = std::sqrt(part[i]);
      return load(part);
    }
  }
  /// The greater; b if either is a NaN.
  static Register max(Register a, Register b) { return xsimd::select(a > b, a, b); }
  /// The greater of |a| and |b|; a NaN exceeds everything.
  static Register max_magnitude(Register a, Register b) {
    const Register x = xsimd::abs(a), y = xsimd::abs(b);
    return xsimd::select(x > y || x != x, x, y);
  }
  /// Within 2 units in the last place; infinity, 0 and NaN where they belong.
  static Register exp(Register x) {
    // On its way xsimd converts to integers, whose range neither infinities nor NaN are in.
    const Register top = set(detail::exp_top<S>), bottom = set(detail::exp_bottom<S>);
    return xsimd::select(x == x, xsimd::exp(xsimd::select(x > bottom, xsimd::select(x < top, x, top), bottom)), x);
  }
  /// Of the next `lanes` 32-bit words at p, lowest byte first, the bits of `mask` above `shift`, all in one byte, less
  /// `less`, a whole number below 256.
  static Register bits(const std::uint8_t* p, int shift, int mask, int less) {
    S part[lanes];
    for (Index i = 0; i < lanes; ++i) part[i] = static_cast<S>((p[4 * i + shift / 8] >> (shift % 8) & mask) - less);
    return load(part);
  }
  /// The next `lanes` numbers of binary16 at p, which are finite.
  static Register halves(const std::uint8_t* p) {
    S part[lanes];
    for (Index i = 0; i < lanes; ++i) part[i] = static_cast<S>(half_at(p, i));
    return load(part);
  }
  /// The lowest byte of each of the first n numbers.
  static void store_low_bytes(std::int8_t* p, Register a, Index n) {
    S part[lanes];
    store(part, a);
    for (Index i = 0; i < n; ++i) {
      std::uint32_t bits;  // the low half of a double comes first, as all machines here are little-endian
      std::memcpy(&bits, &part[i], sizeof bits);
      p[i] = static_cast<std::int8_t>(bits);
    }
  }
  /// rows[p] = b[p], b[column + p], b[2 * column + p] ..., for p < turned.
  static void transpose(const S* b, Index column, Register* rows) {
    for (Index p = 0; p < turned; ++p) {
      S row[lanes];
      for (Index j = 0; j < lanes; ++j) row[j] = b[j * column + p];
      rows[p] = load(row);
    }
  }
};

#include "tern/kernels/simd/kernels.inc"

}  // namespace tern::kernels::portable
