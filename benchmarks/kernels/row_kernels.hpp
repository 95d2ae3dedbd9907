#pragma once
/// The kernels that are no products of matrices, each described once: its name, the widths that models have, what it
/// moves, and how to run it over rows. Memory bounds them: their limit is to move the same bytes and compute nothing.
#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/formats.hpp"
#include "tern/core/parallel.hpp"
#include "tern/kernels/kernels.hpp"
#include "tern/kernels/quantize/grouped.hpp"
#include "tern/kernels/simd/avx2.hpp"
#include "tern/kernels/simd/avx512.hpp"
#include "tern/kernels/simd/portable.hpp"
#include "tern/weights/large_array.hpp"

namespace tern::benchmark {

/// What a kernel moves for each number of a row: arrays of float that it reads, arrays that it changes in place, and 0,
/// 1 or 4 bytes that it writes. What every row shares, such as a gain, stays in the first cache and is not counted.
struct Streams {
  Index read, updated, written_bytes;
};

namespace detail {

inline void keep(float x) {
  volatile float kept = x;
  static_cast<void>(kept);
}

namespace portable {
using Floats = kernels::portable::Vector<float>;
#include "kernels/move.inc"
}  // namespace portable

#if TERN_X86
TERN_TARGET_BEGIN("avx2,fma")
namespace avx2 {
using kernels::avx2::Floats;
#include "kernels/move.inc"
}  // namespace avx2
TERN_TARGET_END

TERN_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")
namespace avx512 {
using kernels::avx512::Floats;
#include "kernels/move.inc"
}  // namespace avx512
TERN_TARGET_END
#endif

/// In registers as wide as those of `isa`.
inline void move(Isa isa, Streams streams, float* first, Index next, Index begin, Index n) {
  constexpr auto four = std::make_index_sequence<4>();
  switch (isa) {
#if TERN_X86
    case Isa::avx2:
    case Isa::avx2_vnni:
      return avx2::move<avx2::Floats>(four, streams, first, next, begin, n);
    case Isa::avx512:
    case Isa::avx512_vnni:
    case Isa::avx512_bf16:
      return avx512::move<avx512::Floats>(four, streams, first, next, begin, n);
#endif
    default:
      return portable::move<portable::Floats>(four, streams, first, next, begin, n);
  }
}

}  // namespace detail

/// `rows` rows for a kernel, one after another: `width` numbers each, a multiple of 64.
class RowArrays {
 public:
  RowArrays(Index n, Index numbers, Streams s)
      : rows(n),
        width(numbers),
        shared(random_numbers(numbers)),
        of_rows(static_cast<std::size_t>(n * kernels::activation_groups(numbers)), 0.5f),
        streams_(s),
        memory_(static_cast<std::size_t>(array_bytes(s.read + s.updated) + n * numbers * s.written_bytes), 0) {
    for (Index t = 0; t < n * (s.read + s.updated); ++t)
      std::copy(shared.begin(), shared.end(), array(0) + t * numbers);
  }

  float* read(Index i) { return array(i); }
  float* updated(Index i) { return array(streams_.read + i); }
  template <class T = float>
  T* written() {
    return reinterpret_cast<T*>(array(streams_.read + streams_.updated));
  }

  /// Read and written: an array that is changed in place counts twice.
  double moved() const {
    return static_cast<double>(rows * width * (4 * (streams_.read + 2 * streams_.updated) + streams_.written_bytes));
  }

  /// The limit: moves what the kernel moves, cut as the kernel is.
  void move(Isa isa, const Parallel& parallel) {
    parallel.ranges(rows, 1, [&](Index begin, Index end) {
      detail::move(isa, streams_, array(0), rows * width, begin * width, (end - begin) * width);
    });
  }

  Index rows, width;
  std::vector<float> shared;   ///< by all rows [width]
  std::vector<float> of_rows;  ///< [rows x activation_groups(width)]

 private:
  Index array_bytes(Index arrays) const { return 4 * arrays * rows * width; }
  float* array(Index i) { return reinterpret_cast<float*>(memory_.data() + array_bytes(i)); }

  Streams streams_;
  LargeArray<std::uint8_t> memory_;
};

struct RowKernel {
  std::string_view name, title;
  std::span<const Index> widths, rows;
  Streams streams;
  void (*run)(const Operations& ops, RowArrays& r, const Parallel& parallel);
};

/// f(row, at) for every row, which begins at number `at` of its arrays.
template <class F>
void each_row(const RowArrays& r, const Parallel& parallel, F&& f) {
  parallel.ranges(r.rows, 1, [&](Index begin, Index end) {
    for (Index t = begin; t < end; ++t) f(t, t * r.width);
  });
}

template <kernels::Gate kind>
void run_gate(const Operations& ops, RowArrays& r, const Parallel& parallel) {
  each_row(r, parallel,
           [&](Index, Index at) { ops.gate(kind, r.width, r.read(0) + at, r.read(1) + at, r.written() + at); });
}

template <kernels::Gate kind>
void run_gate_backward(const Operations& ops, RowArrays& r, const Parallel& parallel) {
  each_row(r, parallel, [&](Index, Index at) {
    ops.gate_backward(kind, r.width, r.read(0) + at, r.read(1) + at, r.read(2) + at, r.updated(0) + at,
                      r.updated(1) + at);
  });
}

inline constexpr Index hidden_widths[] = {576, 2048, 4096}, ffn_widths[] = {1536, 8192};
inline constexpr Index linear_widths[] = {576, 1536, 2048, 8192}, attention_widths[] = {128, 512, 2048};
inline constexpr Index vocabularies[] = {49152, 151936};
inline constexpr Index token_counts[] = {1, 128, 512}, logit_rows[] = {1, 32};  // logits exist 32 rows at a time

inline constexpr RowKernel row_kernels[] = {
    {"rms_norm",
     "y = gain * x / rms(x)",
     hidden_widths,
     token_counts,
     {1, 0, 4},
     [](const Operations& ops, RowArrays& r, const Parallel& parallel) {
       each_row(r, parallel, [&](Index t, Index at) {
         ops.rms_norm(1, r.width, 1e-6f, r.read(0) + at, r.width, r.shared.data(), r.written() + at, r.width,
                      &r.of_rows[static_cast<std::size_t>(t)]);
       });
     }},
    {"rms_norm_backward",
     "its dx",
     hidden_widths,
     token_counts,
     {2, 1, 0},
     [](const Operations& ops, RowArrays& r, const Parallel& parallel) {
       each_row(r, parallel, [&](Index t, Index at) {
         ops.rms_norm_backward(1, r.width, r.read(0) + at, r.width, r.shared.data(),
                               &r.of_rows[static_cast<std::size_t>(t)], r.read(1) + at, r.width, r.updated(0) + at,
                               r.width);
       });
     }},
    {"rms_norm_backward_gain",
     "its dgain, of one user; cut by columns",
     hidden_widths,
     token_counts,
     {2, 0, 0},
     [](const Operations& ops, RowArrays& r, const Parallel& parallel) {
       parallel.ranges(r.width, 64, [&](Index begin, Index end) {
         ops.rms_norm_backward_gain(r.rows, end - begin, r.read(0) + begin, r.width, r.of_rows.data(),
                                    r.read(1) + begin, r.width, r.shared.data() + begin);
       });
     }},
    {"softmax",
     "in place",
     attention_widths,
     token_counts,
     {0, 1, 0},
     [](const Operations& ops, RowArrays& r, const Parallel& parallel) {
       each_row(r, parallel, [&](Index, Index at) { ops.softmax(r.width, 1.0f, r.updated(0) + at); });
     }},
    {"softmax_backward",
     "in place",
     attention_widths,
     token_counts,
     {1, 1, 0},
     [](const Operations& ops, RowArrays& r, const Parallel& parallel) {
       each_row(r, parallel, [&](Index, Index at) {
         ops.softmax_backward(r.width, 0.0f, r.read(0) + at, r.updated(0) + at);  // any other scale fades or explodes
       });
     }},
    {"silu", "y = silu(gate) * up", ffn_widths, token_counts, {2, 0, 4}, run_gate<kernels::Gate::silu>},
    {"gelu_tanh", "y = gelu_tanh(gate) * up", ffn_widths, token_counts, {2, 0, 4}, run_gate<kernels::Gate::gelu_tanh>},
    {"relu_squared",
     "y = relu(gate)^2 * up",
     ffn_widths,
     token_counts,
     {2, 0, 4},
     run_gate<kernels::Gate::relu_squared>},
    {"silu_backward", "its dgate and dup", ffn_widths, token_counts, {3, 2, 0}, run_gate_backward<kernels::Gate::silu>},
    {"gelu_tanh_backward",
     "its dgate and dup",
     ffn_widths,
     token_counts,
     {3, 2, 0},
     run_gate_backward<kernels::Gate::gelu_tanh>},
    {"relu_squared_backward",
     "its dgate and dup",
     ffn_widths,
     token_counts,
     {3, 2, 0},
     run_gate_backward<kernels::Gate::relu_squared>},
    {"rope",
     "in place; heads of 64",
     hidden_widths,
     token_counts,
     {0, 1, 0},
     [](const Operations& ops, RowArrays& r, const Parallel& parallel) {
       each_row(r, parallel, [&](Index, Index at) {
         ops.rope(r.width / 64, 64, r.shared.data(), r.shared.data() + 32, 1.0f, r.updated(0) + at);
       });
     }},
    {"cross_entropy",
     "with its gradient, in place",
     vocabularies,
     logit_rows,
     {0, 1, 0},
     [](const Operations& ops, RowArrays& r, const Parallel& parallel) {
       each_row(r, parallel, [&](Index t, Index at) {
         float* logits = r.updated(0) + at;
         r.of_rows[static_cast<std::size_t>(t)] =
             static_cast<float>(ops.cross_entropy(r.width, logits, t, 1.0f, logits));
       });
     }},
    {"quantize_int8",
     "one scale a row",
     linear_widths,
     token_counts,
     {1, 0, 1},
     [](const Operations& ops, RowArrays& r, const Parallel& parallel) {
       each_row(r, parallel, [&](Index t, Index at) {
         ops.quantize_int8(1, r.width, r.read(0) + at, r.width, r.written<std::int8_t>() + at, r.width,
                           &r.of_rows[static_cast<std::size_t>(t)]);
       });
     }},
    {"quantize_activations",
     "a scale for every 128 columns",
     linear_widths,
     token_counts,
     {1, 0, 1},
     [](const Operations& ops, RowArrays& r, const Parallel& parallel) {
       const Index groups = kernels::activation_groups(r.width);
       each_row(r, parallel, [&](Index t, Index at) {
         kernels::quantize_activations(ops, 1, r.width, r.read(0) + at, r.width, r.written<std::int8_t>() + at, r.width,
                                       &r.of_rows[static_cast<std::size_t>(t * groups)], groups);
       });
     }},
};

}  // namespace tern::benchmark
