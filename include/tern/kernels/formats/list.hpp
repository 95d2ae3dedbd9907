#pragma once
/// The weight formats with a scale for every 32 columns, one row each: tables of kernels, storages, loaders, tests and
/// programs walk this list (docs/adding_a_weight_format.md).
#include <cstddef>
#include <tuple>

#include "tern/kernels/formats/q4.hpp"
#include "tern/kernels/formats/q4_0.hpp"
#include "tern/kernels/formats/q8.hpp"

namespace tern::kernels {

/// Some formats F, as types.
template <class... F>
struct Formats {
  static constexpr std::size_t count = sizeof...(F);
  using Tuple = std::tuple<F...>;

  /// Calls f.operator()<F>() for each.
  template <class Call>
  static constexpr void each(Call&& f) {
    (f.template operator()<F>(), ...);
  }
};

using GroupedFormats = Formats<Q8, Q4, Q4_0>;

}  // namespace tern::kernels
