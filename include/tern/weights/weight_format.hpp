#pragma once
#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "tern/core/error.hpp"
#include "tern/kernels/formats/list.hpp"

namespace tern {

/// How weights are kept in memory: a row of weight_formats. Those with names here are the ones that code speaks of;
/// weight_format<F> is that of any kernels::GroupedFormats.
class WeightFormat {
 public:
  static const WeightFormat f32, f32_tiled, bf16, q8, q4, q4_0, ternary;

  constexpr explicit WeightFormat(std::size_t row) : row_(static_cast<std::uint8_t>(row)) {}
  constexpr std::size_t row() const { return row_; }
  friend constexpr bool operator==(WeightFormat, WeightFormat) = default;

 private:
  std::uint8_t row_;
};

struct WeightFormatInfo {
  WeightFormat format;
  std::string_view name;
  double bits;     ///< of a weight, scales of groups included; a ternary weight's scale costs 0 to 0.5 more
  float greatest;  ///< magnitude of a weight
  bool plain;      ///< floating-point numbers one by one, without scales
};

namespace detail {

template <class... F>
constexpr std::array<WeightFormatInfo, 4 + sizeof...(F)> weight_format_rows(kernels::Formats<F...>) {
  constexpr float any = std::numeric_limits<float>::max();
  std::array<WeightFormatInfo, 4 + sizeof...(F)> rows{
      {{WeightFormat(0), "f32", 32, any, true},
       {WeightFormat(0), "f32_tiled", 32, any, true},
       {WeightFormat(0), "bf16", 16, 0x1.fep127f, true},
       {WeightFormat(0), F::name, F::weight_bits, F::greatest, false}...,
       {WeightFormat(0), "ternary", 2, any, false}}};
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].format = WeightFormat(i);
  return rows;
}

}  // namespace detail

/// Every format, in the order of Packed's storages.
inline constexpr auto weight_formats = detail::weight_format_rows(kernels::GroupedFormats());

constexpr const WeightFormatInfo& info(WeightFormat format) { return weight_formats[format.row()]; }
constexpr std::string_view name(WeightFormat format) { return info(format).name; }

/// That of a format in groups.
template <class F>
inline constexpr WeightFormat weight_format = [] {
  for (const WeightFormatInfo& f : weight_formats)
    if (f.name == F::name) return f.format;
  throw "a format that is not in kernels::GroupedFormats";
}();

inline constexpr WeightFormat WeightFormat::f32 = weight_formats.front().format;
inline constexpr WeightFormat WeightFormat::f32_tiled = weight_formats[1].format;
inline constexpr WeightFormat WeightFormat::bf16 = weight_formats[2].format;
inline constexpr WeightFormat WeightFormat::q8 = weight_format<kernels::Q8>;
inline constexpr WeightFormat WeightFormat::q4 = weight_format<kernels::Q4>;
inline constexpr WeightFormat WeightFormat::q4_0 = weight_format<kernels::Q4_0>;
inline constexpr WeightFormat WeightFormat::ternary = weight_formats.back().format;

/// The names of all formats, with a comma between them.
inline std::string weight_format_names() {
  std::string names;
  for (const WeightFormatInfo& f : weight_formats) names += (names.empty() ? "" : ", ") + std::string(f.name);
  return names;
}

/// The format of that name. Throws ValueError, which lists all of them.
inline WeightFormat parse_weight_format(std::string_view text) {
  for (const WeightFormatInfo& f : weight_formats)
    if (f.name == text) return f.format;
  throw ValueError("weight format: expected one of " + weight_format_names() + ", got '" + std::string(text) + "'");
}

}  // namespace tern
