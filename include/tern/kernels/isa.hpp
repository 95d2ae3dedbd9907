#pragma once
/// The instruction sets that have kernels: detect, list, name.
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "tern/kernels/target.hpp"
#if TERN_X86
#include <cpuid.h>
#elif TERN_ARM64 && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace tern::kernels {

/// From the slowest to the fastest, for each kind of processor.
enum class Isa {
  reference,     ///< plain loops, the meaning of every kernel
  portable,      ///< xsimd at the width that the includer's compiler flags allow
  avx2,          ///< AVX2, FMA
  avx2_vnni,     ///< and products of bytes (AVX-VNNI): Alder Lake, Sierra Forest, Zen 5
  avx512,        ///< AVX-512 F, BW, DQ, VL
  avx512_vnni,   ///< and products of bytes: Cascade Lake, Ice Lake
  avx512_bf16,   ///< and BF16, VBMI: Zen 4, Sapphire Rapids
  neon,          ///< AArch64 as it began
  neon_dotprod,  ///< and products of bytes: Neoverse N1, Cortex-A76
};

inline constexpr std::array all_isas{Isa::reference,   Isa::portable,    Isa::avx2, Isa::avx2_vnni,   Isa::avx512,
                                     Isa::avx512_vnni, Isa::avx512_bf16, Isa::neon, Isa::neon_dotprod};

constexpr std::string_view name(Isa isa) {
  switch (isa) {
    case Isa::reference:
      return "reference";
    case Isa::portable:
      return "portable";
    case Isa::avx2:
      return "avx2";
    case Isa::avx2_vnni:
      return "avx2_vnni";
    case Isa::avx512:
      return "avx512";
    case Isa::avx512_vnni:
      return "avx512_vnni";
    case Isa::avx512_bf16:
      return "avx512_bf16";
    case Isa::neon:
      return "neon";
    case Isa::neon_dotprod:
      return "neon_dotprod";
  }
  return "unknown";
}

/// What a processor, and its operating system, must have to run `isa`.
constexpr std::string_view needs(Isa isa) {
  switch (isa) {
    case Isa::reference:
    case Isa::portable:
      return "nothing";
    case Isa::avx2:
      return "AVX2, FMA";
    case Isa::avx2_vnni:
      return "AVX2, FMA, AVX-VNNI";
    case Isa::avx512:
      return "AVX-512 F, BW, DQ, VL";
    case Isa::avx512_vnni:
      return "AVX-512 F, BW, DQ, VL, VNNI";
    case Isa::avx512_bf16:
      return "AVX-512 F, BW, DQ, VL, VNNI, BF16, VBMI";
    case Isa::neon:
      return "AArch64";
    case Isa::neon_dotprod:
      return "AArch64 with dot products of bytes";
  }
  return "unknown";
}

/// The instruction set of that name; none if there is none.
constexpr std::optional<Isa> parse_isa(std::string_view text) {
  for (const Isa isa : all_isas)
    if (name(isa) == text) return isa;
  return std::nullopt;
}

#if TERN_X86
namespace detail {
/// Whether the processor has AVX-VNNI, of which Clang 14's __builtin_cpu_supports does not know: CPUID's leaf 7,
/// subleaf 1, bit 4 of EAX (Intel's manual, volume 2A).
inline bool has_avx_vnni() {
  unsigned eax = 0, ebx, ecx, edx;
  return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 && (eax >> 4 & 1) != 0;
}
}  // namespace detail
#endif

/// Whether this processor and its operating system run `isa`.
inline bool runnable(Isa isa) {
  if (isa == Isa::reference || isa == Isa::portable) return true;
#if TERN_X86
  __builtin_cpu_init();
  if (isa == Isa::avx2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (isa == Isa::avx2_vnni) return runnable(Isa::avx2) && detail::has_avx_vnni();
  if (isa == Isa::avx512)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (isa == Isa::avx512_vnni) return runnable(Isa::avx512) && __builtin_cpu_supports("avx512vnni");
  if (isa == Isa::avx512_bf16)
    return runnable(Isa::avx512_vnni) && __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vbmi");
#elif TERN_ARM64
  if (isa == Isa::neon) return true;
#if defined(__linux__)
  if (isa == Isa::neon_dotprod) return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#endif
#endif
  return false;
}

/// Every instruction set that runs here, the slowest first; never empty.
inline std::span<const Isa> runnable_isas() {
  struct List {
    std::array<Isa, all_isas.size()> isa{};
    std::size_t count = 0;
  };
  static const List list = [] {
    List found;
    for (const Isa isa : all_isas)
      if (runnable(isa)) found.isa[found.count++] = isa;
    return found;
  }();
  return {list.isa.data(), list.count};
}

inline Isa best_isa() { return runnable_isas().back(); }

}  // namespace tern::kernels
