#pragma once
#include <cstdint>

namespace tern {

/// An id of a vocabulary.
using Token = std::int32_t;

/// A target that is not scored.
inline constexpr Token ignored = -1;

}  // namespace tern
