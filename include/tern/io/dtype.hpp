#pragma once
#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "tern/core/error.hpp"
#include "tern/core/matrix.hpp"
#include "tern/io/bytes.hpp"
#include "tern/kernels/bf16.hpp"
#include "tern/kernels/half.hpp"

namespace tern {

/// The element types of safetensors and of tern's own files; the numbers are those that the latter store.
enum class DType : std::uint32_t { u64, i64, f64, f32, u32, i32, bf16, f16, u16, i16, i8, u8, boolean };

struct DTypeInfo {
  std::string_view name;  ///< as safetensors has it
  std::size_t bytes;      ///< of one element
};

/// In the order of DType, which is that of the data in safetensors files: widest first.
inline constexpr std::array<DTypeInfo, 13> dtypes = {{{"U64", 8},
                                                      {"I64", 8},
                                                      {"F64", 8},
                                                      {"F32", 4},
                                                      {"U32", 4},
                                                      {"I32", 4},
                                                      {"BF16", 2},
                                                      {"F16", 2},
                                                      {"U16", 2},
                                                      {"I16", 2},
                                                      {"I8", 1},
                                                      {"U8", 1},
                                                      {"BOOL", 1}}};

constexpr std::string_view name(DType type) { return dtypes[static_cast<std::size_t>(type)].name; }
constexpr std::size_t size_of(DType type) { return dtypes[static_cast<std::size_t>(type)].bytes; }

/// Nothing where tern has no such type.
inline std::optional<DType> dtype_named(std::string_view name) {
  const auto* found = std::find_if(dtypes.begin(), dtypes.end(), [&](const auto& d) { return d.name == name; });
  if (found == dtypes.end()) return std::nullopt;
  return static_cast<DType>(found - dtypes.begin());
}

/// The floating-point types alone: y[i] = the i-th element. Throws ValueError for another type or another size.
template <std::floating_point S>
void decode(DType type, Bytes elements, std::span<S> y) {
  if (elements.size() != y.size() * size_of(type))
    throw ValueError("decode " + std::string(name(type)) + ": expected " + std::to_string(y.size() * size_of(type)) +
                     " bytes for " + std::to_string(y.size()) + " elements, got " + std::to_string(elements.size()));
  const auto each = [&](auto&& element) {
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = static_cast<S>(element(elements.data() + i * size_of(type)));
  };
  switch (type) {
    case DType::f64:
      return each(load_little<double>);
    case DType::f32:
      return each(load_little<float>);
    case DType::f16:
      return each([](const std::byte* p) { return to_float(kernels::Half{load_little<std::uint16_t>(p)}); });
    case DType::bf16:
      return each([](const std::byte* p) { return to_float(kernels::Bf16{load_little<std::uint16_t>(p)}); });
    default:
      throw ValueError("decode: expected F64, F32, F16 or BF16, got " + std::string(name(type)));
  }
}

/// The inverse: appends x as elements of a floating-point type, rounded to nearest.
template <std::floating_point S>
void encode(DType type, std::span<const S> x, ByteWriter& out) {
  std::byte* p = out.extend(x.size() * size_of(type));
  const auto each = [&](auto&& element) {
    for (const S value : x) {
      store_little(p, element(value));
      p += size_of(type);
    }
  };
  switch (type) {
    case DType::f64:
      return each([](S v) { return static_cast<double>(v); });
    case DType::f32:
      return each([](S v) { return static_cast<float>(v); });
    case DType::f16:
      return each([](S v) { return kernels::to_half(static_cast<float>(v)).bits; });
    case DType::bf16:
      return each([](S v) { return kernels::to_bf16(static_cast<float>(v)).bits; });
    default:
      throw ValueError("encode: expected F64, F32, F16 or BF16, got " + std::string(name(type)));
  }
}

}  // namespace tern
