#pragma once
/// The compiler pragmas of tern, but for one: before loops over arrays of registers stands `#pragma GCC unroll`, which
/// Clang knows too. Where g++ 12 does not unroll them, at -O2, such arrays lie in memory (backward of bf16, 32 tokens:
/// 0.69 of the peak, unrolled 0.84 as at -O3).
/// Between TERN_TARGET_BEGIN("avx2,fma") and TERN_TARGET_END every function may use those instructions, whatever flags
/// the includer gave; call it only where the machine has them (isa.hpp).
/// Open a region at namespace scope, after all #includes, so that no shared inline function is compiled inside it.
/// On ARM it takes one feature, "dotprod".

#if defined(__x86_64__)
#define TERN_X86 1
#else
#define TERN_X86 0
#endif
#if defined(__aarch64__)
#define TERN_ARM64 1
#else
#define TERN_ARM64 0
#endif

#define TERN_DETAIL_PRAGMA(text) _Pragma(#text)

#if defined(__clang__)
#define TERN_TARGET_BEGIN(features) \
  TERN_DETAIL_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define TERN_TARGET_END TERN_DETAIL_PRAGMA(clang attribute pop)
#elif defined(__GNUC__)
#if TERN_ARM64  // GNU's assembler knows products of bytes from ARMv8.2 on
#define TERN_DETAIL_TARGET(features) TERN_DETAIL_PRAGMA(GCC target("arch=armv8.2-a+" features))
#else
#define TERN_DETAIL_TARGET(features) TERN_DETAIL_PRAGMA(GCC target(features))
#endif
#define TERN_TARGET_BEGIN(features) TERN_DETAIL_PRAGMA(GCC push_options) TERN_DETAIL_TARGET(features)
#define TERN_TARGET_END TERN_DETAIL_PRAGMA(GCC pop_options)
#else
#error "tern needs GCC or Clang"
#endif
