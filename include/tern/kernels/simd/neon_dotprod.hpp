#pragma once
/// NEON with dot products of bytes: the float kernels are NEON's.
#include "tern/kernels/simd/neon.hpp"
#if TERN_ARM64

TERN_TARGET_BEGIN("dotprod")
namespace tern::kernels::neon_dotprod {

using neon::Floats, neon::load, neon::store, neon::TernaryBlocks;

#include "tern/kernels/ternary_matmul/neon_dotprod.inc"

#include "tern/kernels/ternary_matmul/bytes.inc"

#include "tern/kernels/ternary_matmul/transposed_bytes.inc"

#include "tern/kernels/grouped_matmul/neon_dotprod.inc"

#include "tern/kernels/grouped_matmul/bytes.inc"

constexpr Operations<float> all_operations() {
  Operations<float> ops = neon::all_operations();
  ops.ternary_matmul = ternary_matmul_bytes;
  ops.ternary_matmul_transposed_int8 = ternary_matmul_transposed_int8_bytes<>;
  GroupedFormats::each([&]<class F>() { ops.groups.of<F>().matmul = grouped_matmul_bytes<F>; });
  return ops;
}

}  // namespace tern::kernels::neon_dotprod
TERN_TARGET_END
#endif
