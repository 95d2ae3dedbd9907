#pragma once
/// What the machine can do at the most, measured beside the kernels: a product of registers that never waits, and reads
/// of memory that nobody read before.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tern/core/parallel.hpp"
#include "tern/kernels/isa.hpp"
#if TERN_X86
#include <immintrin.h>
#endif

namespace tern::benchmark {

enum class Limit { fp32, int8, bf16 };

constexpr const char* name(Limit limit) {
  return limit == Limit::fp32 ? "fp32" : limit == Limit::int8 ? "int8" : "bf16";
}

namespace detail {

#if TERN_X86
TERN_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16")

// Twelve chains that do not wait for each other. They are named one by one: an array's registers GCC 12 keeps in
// memory, and measures that.
#define TERN_PRODUCTS(code)                                                                                          \
  for (std::ptrdiff_t i = 0; i < rounds; ++i)                                                                        \
  asm volatile(code " %12, %12, %0\n" code " %12, %12, %1\n" code " %12, %12, %2\n" code " %12, %12, %3\n" code      \
                    " %12, %12, %4\n" code " %12, %12, %5\n" code " %12, %12, %6\n" code " %12, %12, %7\n" code      \
                    " %12, %12, %8\n" code " %12, %12, %9\n" code " %12, %12, %10\n" code " %12, %12, %11\n"         \
               : "+v"(s0), "+v"(s1), "+v"(s2), "+v"(s3), "+v"(s4), "+v"(s5), "+v"(s6), "+v"(s7), "+v"(s8), "+v"(s9), \
                 "+v"(s10), "+v"(s11)                                                                                \
               : "v"(a))

inline void multiply_registers(Limit limit, std::ptrdiff_t rounds) {
  const __m512i a = _mm512_setzero_si512();
  __m512i s0 = a, s1 = a, s2 = a, s3 = a, s4 = a, s5 = a, s6 = a, s7 = a, s8 = a, s9 = a, s10 = a, s11 = a;
  if (limit == Limit::fp32) {
    TERN_PRODUCTS("vfmadd231ps");
  } else if (limit == Limit::int8) {
    TERN_PRODUCTS("vpdpbusd");
  } else {
    TERN_PRODUCTS("vdpbf16ps");
  }
}

#undef TERN_PRODUCTS
TERN_TARGET_END
TERN_TARGET_BEGIN("avx512f")
/// One sequential stream; the sum keeps the loads.
inline std::uint64_t read_stream(const std::uint8_t* p, std::size_t bytes) {
  __m512i sum[4];
  for (__m512i& x : sum) x = _mm512_setzero_si512();
  for (std::size_t i = 0; i + 256 <= bytes; i += 256)
    for (std::size_t j = 0; j < 4; ++j) sum[j] = _mm512_xor_si512(sum[j], _mm512_loadu_si512(p + i + 64 * j));
  alignas(64) std::uint64_t lane[8];
  _mm512_store_si512(lane, _mm512_xor_si512(_mm512_xor_si512(sum[0], sum[1]), _mm512_xor_si512(sum[2], sum[3])));
  return lane[0] ^ lane[7];
}
TERN_TARGET_END
#endif

}  // namespace detail

/// Operations of `rounds` rounds on one thread: two a multiplication.
constexpr double operations(Limit limit, std::ptrdiff_t rounds) {
  const double products = limit == Limit::fp32 ? 16 : limit == Limit::int8 ? 64 : 32;
  return 2 * products * 12 * static_cast<double>(rounds);
}

}  // namespace tern::benchmark
