#pragma once
#include <cstdint>
#include <vector>

#include "tern/core/matrix.hpp"

namespace tern {

/// What products with quantised weights round to int8 on their way: one cache for every format. Grows as needed.
template <std::floating_point S>
struct Int8Cache {
  std::vector<std::int8_t> codes;  ///< of x [tokens x columns], or of dy [tokens x rows]
  std::vector<S> scales;           ///< [tokens], or [tokens x activation groups]
  std::vector<S> factors;          ///< ternary weights' scales of one group [rows]

  std::size_t bytes() const { return codes.capacity() + (scales.capacity() + factors.capacity()) * sizeof(S); }
};

}  // namespace tern
