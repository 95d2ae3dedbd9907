#pragma once
/// From rows of a file to ternary weights: TQ1_0, TQ2_0 and Q2_0 as they are, others by absmean.
#include <array>
#include <vector>

#include "tern/io/group_codes.hpp"
#include "tern/io/tensor_rows.hpp"
#include "tern/weights/ternary.hpp"

namespace tern::detail {

/// Where a ternary type's block keeps its scale, and its codes of two bits if it has such.
struct TernaryBlock {
  Index weights, bytes, scale, codes, code_bytes;
};
constexpr TernaryBlock ternary_block(GgmlType type) {
  return type == GgmlType::tq1_0   ? TernaryBlock{256, 54, 52, 0, 0}
         : type == GgmlType::tq2_0 ? TernaryBlock{256, 66, 64, 0, 64}
                                   : TernaryBlock{64, 18, 0, 2, 16};
}

/// What some blocks of a ternary type have in common. Blocks of scale 0 are left out of it.
struct TernaryLook {
  bool codes_are_ternary = true;  ///< no code is 3
  bool one_scale = true;
  std::uint16_t scale = 0;  ///< of the first block, binary16

  void add(std::uint16_t another) {
    if ((another & 0x7fff) == 0) return;
    if (scale == 0) scale = another;
    one_scale = one_scale && another == scale;
  }
};

inline TernaryLook look_at_ternary(const TensorRows& t, const Parallel& parallel) {
  constexpr Index height = 32;
  const TernaryBlock block = ternary_block(t.type);
  std::vector<TernaryLook> looks(static_cast<std::size_t>((t.rows + height - 1) / height));
  pack_strips(t.rows, height, parallel, 0, [&](Index first, Index count, int) {
    TernaryLook look;
    for (Index r = first; r < first + count; ++r) {
      const Byte* b = blocks_of(t, r);
      for (Index k = 0; k < t.columns; k += block.weights, b += block.bytes) {
        look.add(half_bits(b + block.scale).bits);
        Byte threes = 0;
        for (Index i = block.codes; i < block.codes + block.code_bytes; ++i)
          threes = static_cast<Byte>(threes | (b[i] & b[i] >> 1 & 0x55));
        look.codes_are_ternary = look.codes_are_ternary && threes == 0;
      }
    }
    looks[static_cast<std::size_t>(first / height)] = look;
    return Packing::done;
  });
  TernaryLook all;
  for (const TernaryLook& look : looks) {
    all.add(look.scale);
    all.one_scale = all.one_scale && look.one_scale;
    all.codes_are_ternary = all.codes_are_ternary && look.codes_are_ternary;
  }
  return all;
}

/// As they are: with one scale if there is but one, else with one for every 128 or 64 columns.
template <std::floating_point S>
Packing pack_ternary_blocks(const TensorRows& t, const TernaryLook& look, const Parallel& parallel, Ternary<S>& to) {
  using kernels::TernaryScale;
  constexpr Index height = 2 * Ternary<S>::strip_rows;
  const auto granularity = look.one_scale             ? TernaryScale::tensor
                           : t.type == GgmlType::q2_0 ? TernaryScale::group64
                                                      : TernaryScale::group;
  const Index span = kernels::ternary_span(t.columns, granularity);
  to = Ternary<S>(t.rows, t.columns, granularity,
                  t.type == GgmlType::tq1_0 ? kernels::TernaryFormat::five_a_byte : kernels::TernaryFormat::two_bits);
  const std::span<float> scales = to.scales();
  if (look.one_scale) scales[0] = to_float(Half{look.scale});
  if (!is_finite(Half{look.scale})) return Packing::not_finite;
  const std::vector<std::int8_t> model(static_cast<std::size_t>(height * t.columns));
  return pack_strips(t.rows, height, parallel, model, [&](Index first, Index count, std::vector<std::int8_t>& codes) {
    Packing packing = Packing::done;
    for (Index i = 0; i < count; ++i)
      for (Index k = 0; k < t.columns; k += kernels::group_columns) {
        std::int8_t* code = codes.data() + i * t.columns + k;
        const Half scale = scaled_group(t.type, blocks_of(t, first + i), k / kernels::group_columns, code);
        if (!is_finite(scale)) packing = Packing::not_finite;
        if (!look.one_scale)
          scales[static_cast<std::size_t>((first + i) * to.view().groups() + k / span)] = to_float(scale);
        else if ((scale.bits & 0x7fff) == 0)
          std::memset(code, 0, kernels::group_columns);
      }
    to.fill(first, count, codes.data());
    return packing;
  });
}

/// By absmean, with one scale; weights without magnitudes other than 0 and one keep that.
template <std::floating_point S>
Packing pack_absmean(const TensorRows& t, const Parallel& parallel, Ternary<S>& to) {
  constexpr Index height = Ternary<S>::strip_rows;
  struct Sum {
    double magnitudes = 0;
    float least = std::numeric_limits<float>::max(), most = 0;  // of those that are not 0
  };
  std::vector<Sum> sums(static_cast<std::size_t>((t.rows + height - 1) / height));
  const Matrix<float> numbers_model(height, t.columns);
  const Packing packing =
      pack_strips(t.rows, height, parallel, numbers_model, [&](Index first, Index count, Matrix<float>& numbers) {
        read_strip(t, first, count, numbers);
        const std::span<const float> all = numbers_of(numbers, count);
        Sum sum;
        std::array<double, 8> lanes{};  // eight additions need not wait for each other
        for (std::size_t i = 0; i < all.size(); ++i) {
          const float m = std::abs(all[i]);
          lanes[i % 8] += static_cast<double>(m);
          sum.most = m > sum.most ? m : sum.most;
          sum.least = m > 0 && m < sum.least ? m : sum.least;
        }
        for (const double lane : lanes) sum.magnitudes += lane;
        sums[static_cast<std::size_t>(first / height)] = sum;
        return packing_of(all, std::numeric_limits<float>::max());
      });
  if (packing != Packing::done) return packing;
  Sum all;
  for (const Sum& sum : sums)
    all = {all.magnitudes + sum.magnitudes, std::min(all.least, sum.least), std::max(all.most, sum.most)};
  const double mean = t.rows * t.columns > 0 ? all.magnitudes / static_cast<double>(t.rows * t.columns) : 0;
  const S scale = all.least == all.most ? static_cast<S>(all.most) : static_cast<S>(std::max(mean, 1e-5));
  to = Ternary<S>(t.rows, t.columns, kernels::TernaryScale::tensor);
  to.scales()[0] = static_cast<float>(scale);
  struct Room {
    Matrix<float> numbers;
    std::vector<std::int8_t> codes;
  };
  const Room model{numbers_model, std::vector<std::int8_t>(static_cast<std::size_t>(height * t.columns))};
  return pack_strips(t.rows, height, parallel, model, [&](Index first, Index count, Room& room) {
    read_strip(t, first, count, room.numbers);
    const std::span<const float> numbers = numbers_of(room.numbers, count);
    for (std::size_t i = 0; i < numbers.size(); ++i)
      room.codes[i] = kernels::ternary_code(static_cast<S>(numbers[i]) / scale);
    to.fill(first, count, room.codes.data());
    return Packing::done;
  });
}

template <std::floating_point S>
Packing pack_ternary(const TensorRows& t, const Parallel& parallel, Ternary<S>& to) {
  if (stored_format(t.type) == WeightFormat::ternary && t.offset == 0)
    if (const TernaryLook look = look_at_ternary(t, parallel); look.codes_are_ternary)
      return pack_ternary_blocks(t, look, parallel, to);
  return pack_absmean(t, parallel, to);
}

}  // namespace tern::detail
