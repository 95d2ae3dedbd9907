#pragma once
#include <optional>
#include <vector>

#include "tern/io/group_codes.hpp"
#include "tern/io/ternary_codes.hpp"
#include "tern/io/ternary_rows.hpp"
#include "tern/weights/packed.hpp"

namespace tern {

/// Whether a tensor of zeros is one that somebody damaged: projections of some re-uploads are.
enum class Zeros { allowed, refused };

namespace detail {

/// Group g of a row in the codes of format F; `minimum` null where the format has none. Only for what
/// takes_groups<F>(type).
template <class F>
Packing coded_group(GgmlType type, const Byte* row, Index g, typename F::Code* codes, Half& scale, Half* minimum) {
  const CodeRange range = *code_range(type);
  if (range.has_minimum) {
    std::uint8_t found[32];
    const GroupScale exact = nibble_group(type, row, g, found);
    if (!std::isfinite(exact.scale) || !std::isfinite(exact.minimum)) return Packing::not_finite;
    for (int j = 0; j < 32; ++j) codes[j] = static_cast<typename F::Code>(found[j]);
    scale = kernels::to_half(exact.scale);
    *minimum = kernels::to_half(exact.minimum);
    return is_finite(scale) && is_finite(*minimum) ? Packing::done : Packing::beyond;
  }
  std::int8_t found[32];
  bool beyond = false;
  if (type == GgmlType::q6_k) {
    float exact = 0;
    scale = q6_k_group(row, g, found, exact);
    beyond = std::isfinite(exact) && !is_finite(scale);
  } else {
    scale = scaled_group(type, row, g, found);
  }
  const int zero = F::has_minimum ? -range.least : F::zero_code - kernels::code_offset<F>;
  for (int j = 0; j < 32; ++j) codes[j] = static_cast<typename F::Code>(found[j] + zero);
  if constexpr (F::has_minimum) {
    *minimum = kernels::to_half(static_cast<float>(-zero) * to_float(scale));
    beyond = beyond || (is_finite(scale) && !is_finite(*minimum));
  }
  return beyond ? Packing::beyond : is_finite(scale) ? Packing::done : Packing::not_finite;
}

/// As it is in the file, group by group.
template <std::floating_point S, class F>
Packing pack_groups(const TensorRows& t, const Parallel& parallel, Grouped<S, F>& to) {
  using Strip = typename Grouped<S, F>::Strip;
  constexpr Index height = 2 * Grouped<S, F>::strip_rows;
  const Index groups = kernels::groups_of(t.columns);
  return pack_strips(t.rows, height, parallel, Strip(height, t.columns), [&](Index first, Index count, Strip& strip) {
    Packing worst = Packing::done;
    for (Index i = 0; i < count; ++i)
      for (Index g = 0; g < groups; ++g) {
        const auto at = static_cast<std::size_t>(i * groups + g);
        worst = std::max(worst, coded_group<F>(t.type, blocks_of(t, first + i), g, strip.codes.data() + 32 * at,
                                               strip.scales[at], F::has_minimum ? &strip.minimums[at] : nullptr));
      }
    to.fill(first, count, strip);
    return worst;
  });
}

/// Rounds what read(first, count, numbers) reads.
template <std::floating_point S, class F, class Read>
Packing round_rows(Read&& read, const Parallel& parallel, WeightFormat format, Grouped<S, F>& to) {
  using Strip = typename Grouped<S, F>::Strip;
  constexpr Index height = 2 * Grouped<S, F>::strip_rows;
  struct Room {
    Matrix<float> numbers;
    Strip strip;
  };
  const Room model{Matrix<float>(height, to.columns()), Strip(height, to.columns())};
  return pack_strips(to.rows(), height, parallel, model, [&](Index first, Index count, Room& room) {
    read(first, count, room.numbers);
    const Packing packing = packing_of(numbers_of(room.numbers, count), info(format).greatest);
    if (packing != Packing::done) return packing;
    with_scalar<S>(room.numbers, count, [&](In<S> w) { room.strip.quantize(w); });
    to.fill(first, count, room.strip);
    return Packing::done;
  });
}

/// The same of a storage of plain numbers, which takes rows as they are.
template <class W, class Read>
Packing fill_rows(Read&& read, const Parallel& parallel, WeightFormat format, W& to) {
  using S = typename W::Scalar;
  constexpr Index height = W::strip_rows;
  const Matrix<float> model(height, to.columns());
  return pack_strips(to.rows(), height, parallel, model, [&](Index first, Index count, Matrix<float>& numbers) {
    read(first, count, numbers);
    with_scalar<S>(numbers, count, [&](In<S> w) { to.fill(first, w); });
    return packing_of(numbers_of(numbers, count), info(format).greatest);
  });
}

template <std::floating_point S>
bool is_zero(const Packed<S>& w) {
  Matrix<S> row(1, w.columns());
  for (Index r = 0; r < w.rows(); ++r) {
    w.row(r, row.data());
    if (!row.isZero(0)) return false;
  }
  return true;
}

/// `rows` rows from anything: read(first, count, numbers) reads some as floats, groups(storage) fills a storage in
/// groups of 32 and ternary(storage) a ternary one.
template <std::floating_point S, class Read, class Groups, class Ternaries>
Packed<S> pack_as(WeightFormat format, Index rows, Index columns, const std::string& where, const Parallel& parallel,
                  Read&& read, Groups&& groups, Ternaries&& ternary) {
  const auto expect = [&](Packing packing) { expect_packed(where, packing, name(format)); };
  return Packed<S>::with_storage(format, [&]<class W>() {
    if constexpr (std::is_same_v<W, Dense<S>>) {
      Matrix<S> w(rows, columns);
      expect(pack_dense(read, parallel, w));
      return Packed<S>(std::move(w));
    } else if constexpr (std::is_same_v<W, Ternary<S>>) {
      W storage;
      expect(ternary(storage));
      return Packed<S>(std::move(storage));
    } else if constexpr (requires(W& to, In<S> numbers) { to.fill(Index{}, numbers); }) {
      W storage(rows, columns);
      expect(fill_rows(read, parallel, format, storage));
      return Packed<S>(std::move(storage));
    } else {
      W storage(rows, columns);
      expect(groups(storage));
      return Packed<S>(std::move(storage));
    }
  });
}

}  // namespace detail

/// Rows of a tensor in the format `wanted`, or as they are stored (stored_format.hpp), strip by strip on as many
/// workers as `parallel` lends: besides the result it takes a few MB, and nothing depends on the number of workers.
/// What the format can hold comes as it is in the file: Q8_0, Q5_0 and Q4_0 in q8; Q4_0 in q4_0; Q4_1 and Q4_0 in q4;
/// TQ1_0, TQ2_0 and Q2_0 in ternary, q8, q4 and q4_0; BF16 in bf16; all in f32 and f32_tiled. Q4_K in q4 has its
/// products of scales rounded to binary16, by 2^-11 of themselves; Q6_K in q8 see detail::q6_k_group. All else is
/// rounded anew as the storage's quantize does, and ternary by absmean with one scale, but where there are no
/// magnitudes other than 0 and one, which is then the scale. Throws FormatError "<where>: ..." for what check_rows
/// refuses, for a weight that is not finite or that the format cannot hold, and, where zeros are refused, for rows of
/// nothing else.
template <std::floating_point S>
Packed<S> pack_rows(const TensorRows& t, std::optional<WeightFormat> wanted = {}, const Parallel& parallel = {},
                    Zeros zeros = Zeros::allowed) {
  detail::check_rows(t);
  WeightFormat format = wanted ? *wanted : *stored_format(t.type);
  if (!wanted && format == WeightFormat::ternary && !detail::look_at_ternary(t, parallel).codes_are_ternary)
    format = WeightFormat::q8;
  const auto read = [&](Index first, Index count, Matrix<float>& to) { detail::read_strip(t, first, count, to); };
  Packed<S> packed = detail::pack_as<S>(
      format, t.rows, t.columns, t.where, parallel, read,
      [&]<class F>(Grouped<S, F>& to) {
        return detail::takes_groups<F>(t.type) && t.offset == 0 ? detail::pack_groups(t, parallel, to)
                                                                : detail::round_rows(read, parallel, format, to);
      },
      [&](Ternary<S>& to) { return detail::pack_ternary(t, parallel, to); });
  if (zeros == Zeros::refused && detail::is_zero(packed)) throw FormatError(t.where + ": every weight is zero");
  return packed;
}

/// The same of ternary weights that lie in files as I2_S or BitNet's packed form do (i2_s.hpp, bitnet.hpp): as stored
/// they are ternary, of two bits, with one scale.
template <std::floating_point S>
Packed<S> pack_codes(const TernaryCodes& w, const std::string& where, std::optional<WeightFormat> wanted = {},
                     const Parallel& parallel = {}) {
  const WeightFormat format = wanted.value_or(WeightFormat::ternary);
  const auto read = [&](Index first, Index count, Matrix<float>& to) {
    const std::int8_t* codes = w.codes.data() + first * w.columns;
    for (Index i = 0; i < count * w.columns; ++i) to.data()[i] = w.scale * static_cast<float>(codes[i]);
  };
  return detail::pack_as<S>(
      format, w.rows, w.columns, where, parallel, read,
      [&](auto& to) { return detail::round_rows(read, parallel, format, to); },
      [&](Ternary<S>& to) {
        to = to_ternary<S>(w);
        return detail::Packing::done;
      });
}

}  // namespace tern
