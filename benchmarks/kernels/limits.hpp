#pragma once
/// What the machine can do at the most, measured beside the kernels: products of registers that never wait, and reads
/// of memory that nobody read before.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tern/core/parallel.hpp"
#include "tern/kernels/isa.hpp"
#include "tern/kernels/simd/portable.hpp"
#include "tern/weights/large_array.hpp"
#if TERN_X86
#include <immintrin.h>
#elif TERN_ARM64
#include <arm_neon.h>
#endif

namespace tern::benchmark {

using kernels::Isa;

enum class Limit { read, fp32, int8, bf16 };

constexpr std::string_view name(Limit limit) {
  switch (limit) {
    case Limit::read:
      return "read";
    case Limit::fp32:
      return "fp32";
    case Limit::int8:
      return "int8";
    case Limit::bf16:
      return "bf16";
  }
  return "unknown";
}

/// What bounds a product meant for `wished` where `isa` may be used: an instruction set without products of bf16 or of
/// bytes makes them of floats.
constexpr Limit limit_of(Limit wished, Isa isa) {
  const bool bytes = isa != Isa::reference && isa != Isa::portable;
  const bool has = wished == Limit::bf16 ? isa == Isa::avx512_bf16 : wished == Limit::int8 ? bytes : true;
  return has ? wished : Limit::fp32;
}

/// Of the registers that `isa` multiplies.
constexpr std::size_t register_bytes(Isa isa) {
  switch (isa) {
    case Isa::avx2:
    case Isa::avx2_vnni:
      return 32;
    case Isa::avx512:
    case Isa::avx512_vnni:
    case Isa::avx512_bf16:
      return 64;
    case Isa::neon:
    case Isa::neon_dotprod:
      return 16;
    default:
      return sizeof(kernels::portable::Vector<float>::Register);
  }
}

namespace detail {

/// Twelve chains that do not wait for each other; each product depends on the last, so that none can be left out.
inline float multiply_portable(std::ptrdiff_t rounds) {
  using V = kernels::portable::Vector<float>;
  const V::Register a = V::set(0.5f);
  V::Register s0 = a, s1 = a, s2 = a, s3 = a, s4 = a, s5 = a, s6 = a, s7 = a, s8 = a, s9 = a, s10 = a, s11 = a;
  for (std::ptrdiff_t i = 0; i < rounds; ++i) {
    s0 = V::fma(s0, a, a), s1 = V::fma(s1, a, a), s2 = V::fma(s2, a, a), s3 = V::fma(s3, a, a);
    s4 = V::fma(s4, a, a), s5 = V::fma(s5, a, a), s6 = V::fma(s6, a, a), s7 = V::fma(s7, a, a);
    s8 = V::fma(s8, a, a), s9 = V::fma(s9, a, a), s10 = V::fma(s10, a, a), s11 = V::fma(s11, a, a);
  }
  float lanes[V::lanes];
  V::store(lanes, ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7)) + ((s8 + s9) + (s10 + s11)));
  return lanes[0];
}

// The same chains, named one by one, in registers of kind `r`: an array's registers GCC 12 keeps in memory, and
// measures that. Operand 12 is free for a step's own use, 13 is multiplied.
#define TERN_CHAINS(step, r)                                                                                        \
  for (std::ptrdiff_t i = 0; i < rounds; ++i)                                                                       \
  asm volatile(step(0) step(1) step(2) step(3) step(4) step(5) step(6) step(7) step(8) step(9) step(10) step(11)    \
               : "+" r(s0), "+" r(s1), "+" r(s2), "+" r(s3), "+" r(s4), "+" r(s5), "+" r(s6), "+" r(s7), "+" r(s8), \
                 "+" r(s9), "+" r(s10), "+" r(s11), "=&" r(t)                                                       \
               : r(a))

#if TERN_X86
#define TERN_FLOATS(i) "vfmadd231ps %13, %13, %" #i "\n"
#define TERN_QUADS_OF_BYTES(i) "vpdpbusd %13, %13, %" #i "\n"
#define TERN_QUADS_OF_BYTES_AVX2(i) "%{vex%} vpdpbusd %13, %13, %" #i "\n"
#define TERN_PAIRS_OF_BF16(i) "vdpbf16ps %13, %13, %" #i "\n"
// Without VNNI the least a product of bytes needs: pairs summed in 16 bits, and one addition.
#define TERN_PAIRS_OF_BYTES(i) "vpmaddubsw %13, %13, %12\nvpaddw %12, %" #i ", %" #i "\n"

TERN_TARGET_BEGIN("avx2,fma,avxvnni")
inline void multiply_avx2(Limit limit, bool vnni, std::ptrdiff_t rounds) {
  const __m256i a = _mm256_setzero_si256();
  __m256i s0 = a, s1 = a, s2 = a, s3 = a, s4 = a, s5 = a, s6 = a, s7 = a, s8 = a, s9 = a, s10 = a, s11 = a, t;
  if (limit == Limit::fp32) {
    TERN_CHAINS(TERN_FLOATS, "v");
  } else if (vnni) {
    TERN_CHAINS(TERN_QUADS_OF_BYTES_AVX2, "v");
  } else {
    TERN_CHAINS(TERN_PAIRS_OF_BYTES, "v");
  }
}
TERN_TARGET_END

TERN_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl")
inline void multiply_avx512(Limit limit, bool vnni, std::ptrdiff_t rounds) {
  const __m512i a = _mm512_setzero_si512();
  __m512i s0 = a, s1 = a, s2 = a, s3 = a, s4 = a, s5 = a, s6 = a, s7 = a, s8 = a, s9 = a, s10 = a, s11 = a, t;
  if (limit == Limit::fp32) {
    TERN_CHAINS(TERN_FLOATS, "v");
  } else if (limit == Limit::bf16) {
    TERN_CHAINS(TERN_PAIRS_OF_BF16, "v");
  } else if (vnni) {
    TERN_CHAINS(TERN_QUADS_OF_BYTES, "v");
  } else {
    TERN_CHAINS(TERN_PAIRS_OF_BYTES, "v");
  }
}
TERN_TARGET_END

#undef TERN_PAIRS_OF_BYTES
#undef TERN_PAIRS_OF_BF16
#undef TERN_QUADS_OF_BYTES_AVX2
#undef TERN_QUADS_OF_BYTES
#undef TERN_FLOATS
#elif TERN_ARM64
#define TERN_FLOATS(i) "fmla %" #i ".4s, %13.4s, %13.4s\n"
#define TERN_QUADS_OF_BYTES(i) "sdot %" #i ".4s, %13.16b, %13.16b\n"
// Without dot products the least: sums in 16 bits.
#define TERN_BYTES(i) "smlal %" #i ".8h, %13.8b, %13.8b\nsmlal2 %" #i ".8h, %13.16b, %13.16b\n"

TERN_TARGET_BEGIN("dotprod")
inline void multiply_neon(Limit limit, bool dots, std::ptrdiff_t rounds) {
  const uint8x16_t a = vdupq_n_u8(0);
  uint8x16_t s0 = a, s1 = a, s2 = a, s3 = a, s4 = a, s5 = a, s6 = a, s7 = a, s8 = a, s9 = a, s10 = a, s11 = a, t;
  if (limit == Limit::fp32) {
    TERN_CHAINS(TERN_FLOATS, "w");
  } else if (dots) {
    TERN_CHAINS(TERN_QUADS_OF_BYTES, "w");
  } else {
    TERN_CHAINS(TERN_BYTES, "w");
  }
}
TERN_TARGET_END

#undef TERN_BYTES
#undef TERN_QUADS_OF_BYTES
#undef TERN_FLOATS
#endif
#undef TERN_CHAINS

/// One sequential stream; the result keeps the loads. 16 bytes a load suffice: registers of 32 and 64 bytes, two and
/// four streams, deeper unrolling and software prefetches were no faster on Zen 4, touching one word a line was slower.
inline std::uint64_t read_stream(const std::uint8_t* p, std::size_t bytes) {
  typedef std::uint64_t Pair __attribute__((vector_size(16), may_alias));
  Pair s0{}, s1{}, s2{}, s3{};
  for (const std::uint8_t* end = p + bytes / 64 * 64; p < end; p += 64) {
    const Pair* line = reinterpret_cast<const Pair*>(p);
    s0 ^= line[0], s1 ^= line[1], s2 ^= line[2], s3 ^= line[3];
  }
  s0 ^= s1 ^ s2 ^ s3;
  return s0[0] ^ s0[1];
}

}  // namespace detail

/// Products of registers, all that `threads` threads can make at once. `limit` is one that limit_of gives for `isa`,
/// which must be runnable. As a product of matrices is, the work is cut finer than there are threads.
class RegisterProducts {
 public:
  RegisterProducts(Limit limit, Isa isa, Index threads) : limit_(limit), isa_(isa), pieces_(4 * threads) {}

  void operator()(const Parallel& parallel) const {
    parallel.each(pieces_, [this](Index) {
      switch (isa_) {
#if TERN_X86
        case Isa::avx2:
        case Isa::avx2_vnni:
          return detail::multiply_avx2(limit_, isa_ == Isa::avx2_vnni, rounds);
        case Isa::avx512:
        case Isa::avx512_vnni:
        case Isa::avx512_bf16:
          return detail::multiply_avx512(limit_, isa_ != Isa::avx512, rounds);
#elif TERN_ARM64
        case Isa::neon:
        case Isa::neon_dotprod:
          return detail::multiply_neon(limit_, isa_ == Isa::neon_dotprod, rounds);
#endif
        default:
          volatile float kept = detail::multiply_portable(rounds);
          static_cast<void>(kept);
      }
    });
  }
  /// Of a call: 12 chains, two a multiplication.
  double operations() const {
    const std::size_t operand_bytes = limit_ == Limit::int8 ? 1 : limit_ == Limit::bf16 ? 2 : 4;
    return 24.0 * static_cast<double>(register_bytes(isa_) / operand_bytes) * static_cast<double>(rounds * pieces_);
  }

 private:
  static constexpr std::ptrdiff_t rounds = 5'000;
  Limit limit_;
  Isa isa_;
  Index pieces_;
};

/// Reads 8 MB a call that are in no cache. Workers take pieces as they come, as they do of a product of matrices: cut
/// into two halves, the limit would be that of the slower core.
class MemoryReader {
 public:
  static constexpr std::size_t bytes = std::size_t{8} << 20;

  void operator()(const Parallel& parallel) {
    parallel.each(bytes / piece, [&](Index i) {
      const std::uint8_t* from = memory_.data() + at_ + static_cast<std::size_t>(i) * piece;
      volatile std::uint64_t kept = detail::read_stream(from, piece);
      static_cast<void>(kept);
    });
    at_ = (at_ + bytes) % size;
  }

 private:
  static constexpr std::size_t size = std::size_t{512} << 20, piece = std::size_t{1} << 20;
  LargeArray<std::uint8_t> memory_ = LargeArray<std::uint8_t>(size, 1);
  std::size_t at_ = 0;
};

}  // namespace tern::benchmark
