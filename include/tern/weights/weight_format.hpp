#pragma once
#include <array>
#include <string>
#include <string_view>

#include "tern/core/error.hpp"

namespace tern {

/// How weights are kept in memory.
enum class WeightFormat { f32, bf16, q8, q4, q4_0, ternary };

struct WeightFormatInfo {
  WeightFormat format;
  std::string_view name;
  double bits;  ///< of a weight, scales of groups included; a ternary weight's scale costs 0 to 0.5 more
};

/// Every format, in the order of the enumeration.
inline constexpr std::array<WeightFormatInfo, 6> weight_formats = {{
    {WeightFormat::f32, "f32", 32},
    {WeightFormat::bf16, "bf16", 16},
    {WeightFormat::q8, "q8", 8.5},
    {WeightFormat::q4, "q4", 5},
    {WeightFormat::q4_0, "q4_0", 4.5},
    {WeightFormat::ternary, "ternary", 2},
}};

constexpr const WeightFormatInfo& info(WeightFormat format) { return weight_formats[static_cast<std::size_t>(format)]; }
constexpr std::string_view name(WeightFormat format) { return info(format).name; }

/// The format of that name. Throws ValueError, which lists all of them.
inline WeightFormat parse_weight_format(std::string_view text) {
  std::string known;
  for (const WeightFormatInfo& f : weight_formats) {
    if (f.name == text) return f.format;
    known += (known.empty() ? "" : ", ") + std::string(f.name);
  }
  throw ValueError("weight format: expected one of " + known + ", got '" + std::string(text) + "'");
}

}  // namespace tern
