#pragma once
/// NEON with dot products of bytes: the float kernels are NEON's.
#include "tern/kernels/simd/neon.hpp"
#if TERN_ARM64

TERN_TARGET_BEGIN("dotprod")
namespace tern::kernels::neon_dotprod {

using neon::Floats, neon::load, neon::store, neon::TernaryBlocks;

#include "tern/kernels/simd/neon_dotprod_bytes.inc"

#include "tern/kernels/simd/bytes.inc"

struct Kernels : WithBytes<neon::Kernels, Bytes> {
  static constexpr Isa isa = Isa::neon_dotprod;
};

}  // namespace tern::kernels::neon_dotprod
TERN_TARGET_END
#endif
