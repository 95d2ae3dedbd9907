#pragma once
#include <string_view>

namespace tern {

/// tern's version, by semantic versioning. The build reads it from this line.
inline constexpr std::string_view version = "0.1.0";

}  // namespace tern
