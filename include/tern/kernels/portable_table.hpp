#pragma once
#include "tern/kernels/isa.hpp"
#include "tern/kernels/simd/portable.hpp"
#include "tern/kernels/table.hpp"

namespace tern::kernels::detail {

/// The kernels made with xsimd, as wide as Arch.
template <class Arch>
inline constexpr Table portable_table{Isa::portable, portable::operations<portable::Vector<float, Arch>>(),
                                      portable::operations<portable::Vector<double, Arch>>()};

}  // namespace tern::kernels::detail
