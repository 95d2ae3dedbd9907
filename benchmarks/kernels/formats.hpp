#pragma once
/// The formats of weights as benchmarks see them, each described once: its name, what bounds it, and how to run a
/// product with it. Those in groups come from kernels::GroupedFormats; another is a class with forward and backward
/// (and accumulate, where weights can be trained), and a row of `formats`.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string_view>
#include <vector>

#include "kernels/limits.hpp"
#include "tern/core/parallel.hpp"
#include "tern/kernels/kernels.hpp"
#include "tern/kernels/matmul/tiled.hpp"
#include "tern/kernels/quantize/grouped.hpp"
#include "tern/weights/large_array.hpp"
#include "tern/weights/operations.hpp"

namespace tern::benchmark {

using kernels::Index;
using Operations = kernels::Operations<float>;

/// K and M: columns and rows of the weights.
struct Shape {
  Index columns, rows;
};

inline std::vector<float> random_numbers(Index n) {
  std::minstd_rand random(1);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> numbers(static_cast<std::size_t>(n));
  for (float& x : numbers) x = uniform(random);
  return numbers;
}

/// The three products of a linear: y = x * W^T, dx += dy * W, also with dy in int8, and dW += dy^T * x.
enum class Direction { forward, backward, backward_int8, accumulate };

constexpr std::string_view name(Direction direction) {
  switch (direction) {
    case Direction::forward:
      return "forward";
    case Direction::backward:
      return "backward";
    case Direction::backward_int8:
      return "backward_int8";
    case Direction::accumulate:
      return "accumulate";
  }
  return "unknown";
}

/// Products of `tokens` rows with weights.
class Product {
 public:
  virtual ~Product() = default;
  virtual void forward(const Operations& ops, const Parallel& parallel) = 0;
  virtual void backward(const Operations& ops, const Parallel& parallel) = 0;
  /// These two only of formats that say so.
  virtual void backward_int8(const Operations&, const Parallel&) {}
  virtual void accumulate(const Operations&, const Parallel&) {}
  void run(Direction direction, const Operations& ops, const Parallel& parallel) {
    switch (direction) {
      case Direction::forward:
        return forward(ops, parallel);
      case Direction::backward:
        return backward(ops, parallel);
      case Direction::backward_int8:
        return backward_int8(ops, parallel);
      case Direction::accumulate:
        return accumulate(ops, parallel);
    }
  }
  /// Two a multiplication.
  double operations() const { return 2.0 * static_cast<double>(shape.rows * shape.columns * tokens); }
  /// Of the weights, read once a product.
  double bytes() const { return static_cast<double>(weight_bytes); }

 protected:
  /// cold: weights rotate through more memory than any cache holds.
  Product(Shape s, Index n, Index packed_bytes, bool cold)
      : shape(s),
        tokens(n),
        x(random_numbers(n * s.columns)),
        y(random_numbers(n * s.rows)),
        weight_bytes(static_cast<std::size_t>(packed_bytes)),
        copies(cold ? cold_bytes / weight_bytes + 1 : 1),
        memory(copies * weight_bytes, filling) {}

  std::uint8_t* next_weights() {
    next = (next + 1) % copies;
    return memory.data() + next * weight_bytes;
  }

  Shape shape;
  Index tokens;
  std::vector<float> x, y;  // and their gradients: backward reads y and adds to x

 private:
  static constexpr std::size_t cold_bytes = std::size_t{300} << 20;
  // Four 2-bit codes, -1, 0, +1 and -1; a float and a bf16 of 4e-17, which are no denormals.
  static constexpr std::uint8_t filling = 0x24;

  std::size_t weight_bytes, copies, next = 0;
  LargeArray<std::uint8_t> memory;
};

/// Ternary weights; the quantisation of the activations, or of int8 gradients, is part of the product.
template <kernels::TernaryFormat format>
class Ternary final : public Product {
 public:
  Ternary(Shape s, Index n, bool cold)
      : Product(s, n, kernels::ternary_packed_bytes(s.rows, s.columns, format), cold),
        q(static_cast<std::size_t>(n * std::max(s.columns, s.rows))),
        scales(static_cast<std::size_t>(n)) {}

  void forward(const Operations& ops, const Parallel& parallel) override {
    const kernels::TernaryView w = view();
    const Index k = shape.columns;
    parallel.ranges(tokens, 1, [&](Index begin, Index end) {
      ops.quantize_int8(end - begin, k, x.data() + begin * k, k, q.data() + begin * k, k, scales.data() + begin);
    });
    parallel.ranges(shape.rows, 16, wide_piece, [&](Index begin, Index end) {
      ops.ternary_matmul(w, begin, end, tokens, q.data(), k, scales.data(), y.data(), shape.rows);
    });
  }
  void backward(const Operations& ops, const Parallel& parallel) override {
    const kernels::TernaryView w = view();
    parallel.ranges(shape.columns, 32, wide_piece, [&](Index begin, Index end) {
      ops.ternary_matmul_transposed(w, begin, end, tokens, y.data(), shape.rows, x.data(), shape.columns);
    });
  }
  void backward_int8(const Operations& ops, const Parallel& parallel) override {
    const kernels::TernaryView w = view();
    const Index m = shape.rows;
    parallel.ranges(tokens, 1, [&](Index begin, Index end) {
      ops.quantize_gradient(end - begin, m, y.data() + begin * m, m, nullptr, false, q.data() + begin * m, m,
                            scales.data() + begin);
    });
    parallel.ranges(shape.columns, 64, wide_piece, [&](Index begin, Index end) {
      ops.ternary_matmul_transposed_int8(w, begin, end, tokens, q.data(), m, scales.data(), x.data(), shape.columns);
    });
  }

 private:
  kernels::TernaryView view() {
    return {next_weights(), &weight_scale, shape.rows, shape.columns, kernels::TernaryScale::tensor, format};
  }

  std::vector<std::int8_t> q;
  std::vector<float> scales;
  float weight_scale = 0.01f;
};

/// Weights in groups of 32 columns, F of kernels::GroupedFormats; the quantisation of the activations, or of int8
/// gradients, is part of the product.
template <class F>
class Grouped final : public Product {
 public:
  Grouped(Shape s, Index n, bool cold)
      : Product(s, n, kernels::grouped_bytes<F>(s.rows, s.columns), cold),
        groups(kernels::activation_groups(s.columns)),
        q(static_cast<std::size_t>(n * std::max(s.columns, s.rows))),
        scales(static_cast<std::size_t>(n * std::max(groups, kernels::turned_groups(s.rows)))),
        sizes(static_cast<std::size_t>(s.rows), 1.0f) {}

  void forward(const Operations& ops, const Parallel& parallel) override {
    const kernels::GroupedView<F> w = view();
    const Index k = shape.columns;
    parallel.ranges(tokens, 1, [&](Index begin, Index end) {
      kernels::quantize_activations(ops, end - begin, k, x.data() + begin * k, k, q.data() + begin * k, k,
                                    scales.data() + begin * groups, groups);
    });
    parallel.ranges(shape.rows, kernels::group_rows, wide_piece, [&](Index begin, Index end) {
      ops.grouped<F>().matmul(w, begin, end, tokens, q.data(), k, scales.data(), groups, y.data(), shape.rows);
    });
  }
  void backward(const Operations& ops, const Parallel& parallel) override {
    const kernels::GroupedView<F> w = view();
    parallel.ranges(shape.columns, kernels::group_columns, wide_piece, [&](Index begin, Index end) {
      ops.grouped<F>().matmul_transposed(w, begin, end, tokens, y.data(), shape.rows, x.data(), shape.columns);
    });
  }
  void backward_int8(const Operations& ops, const Parallel& parallel) override {
    const kernels::GroupedView<F> w = view();
    const Index m = shape.rows, back = kernels::turned_groups(m);
    parallel.ranges(tokens, 1, [&](Index begin, Index end) {
      kernels::quantize_gradients(ops, end - begin, m, y.data() + begin * m, m, sizes.data(), false,
                                  q.data() + begin * m, m, scales.data() + begin * back, back);
    });
    parallel.ranges(shape.columns, 64, wide_piece, [&](Index begin, Index end) {
      ops.grouped<F>().matmul_transposed_int8(w, sizes.data(), begin, end, tokens, q.data(), m, scales.data(), back,
                                              x.data(), shape.columns);
    });
  }

 private:
  kernels::GroupedView<F> view() { return {next_weights(), shape.rows, shape.columns}; }

  Index groups;
  std::vector<std::int8_t> q;
  std::vector<float> scales, sizes;
};

/// Weights in packed bf16.
class Bf16 final : public Product {
 public:
  Bf16(Shape s, Index n, bool cold)
      : Product(s, n, kernels::bf16_packed_size(s.rows, s.columns) * static_cast<Index>(sizeof(kernels::Bf16)), cold) {}

  void forward(const Operations& ops, const Parallel& parallel) override {
    const kernels::Bf16View w = view();
    parallel.ranges(shape.rows, kernels::bf16_tile, wide_piece, [&](Index begin, Index end) {
      ops.bf16.matmul(w, begin, end, tokens, x.data(), shape.columns, y.data(), shape.rows);
    });
  }
  void backward(const Operations& ops, const Parallel& parallel) override {
    const kernels::Bf16View w = view();
    parallel.ranges(shape.columns, 32, wide_piece, [&](Index begin, Index end) {
      ops.bf16.matmul_transposed(w, begin, end, tokens, y.data(), shape.rows, x.data(), shape.columns);
    });
  }

 private:
  kernels::Bf16View view() {
    return {reinterpret_cast<const kernels::Bf16*>(next_weights()), shape.rows, shape.columns};
  }
};

/// Dense weights in float, also in mixed precision.
template <bool mixed>
class Dense final : public Product {
 public:
  Dense(Shape s, Index n, bool cold) : Product(s, n, s.rows * s.columns * static_cast<Index>(sizeof(float)), cold) {}

  void forward(const Operations& ops, const Parallel& parallel) override {
    const float* w = weights();
    const Index k = shape.columns, m = shape.rows;
    parallel.ranges(m, 32, wide_piece, [&](Index begin, Index end) {
      matmul(ops)(tokens, end - begin, k, {x.data(), k, 1}, {w + begin * k, 1, k}, y.data() + begin, m, false);
    });
  }
  void backward(const Operations& ops, const Parallel& parallel) override {
    const float* w = weights();
    const Index k = shape.columns, m = shape.rows;
    parallel.ranges(k, 32, wide_piece, [&](Index begin, Index end) {
      matmul(ops)(tokens, end - begin, m, {y.data(), m, 1}, {w + begin, k, 1}, x.data() + begin, k, true);
    });
  }
  void accumulate(const Operations& ops, const Parallel& parallel) override {
    float* gradient = weights();  // as large, and nobody reads the weights
    const Index k = shape.columns, m = shape.rows;
    const auto product = [&](Index top, Index bottom, Index left, Index right) {
      matmul(ops)(bottom - top, right - left, tokens, {y.data() + top, 1, m}, {x.data() + left, k, 1},
                  gradient + top * k + left, k, true);
    };
    if (m >= k)
      parallel.ranges(m, 32, wide_piece, [&](Index begin, Index end) { product(begin, end, 0, k); });
    else
      parallel.ranges(k, 32, wide_piece, [&](Index begin, Index end) { product(0, m, begin, end); });
  }

 private:
  float* weights() { return reinterpret_cast<float*>(next_weights()); }
  static auto matmul(const Operations& ops) { return mixed ? ops.matmul_mixed : ops.matmul; }
};

/// Float weights in tiles.
class Tiled final : public Product {
 public:
  Tiled(Shape s, Index n, bool cold)
      : Product(s, n, kernels::tiled_size(s.rows, s.columns) * static_cast<Index>(sizeof(float)), cold) {}

  void forward(const Operations& ops, const Parallel& parallel) override {
    const kernels::TiledView<float> w = view();
    parallel.ranges(shape.rows, kernels::float_tile, wide_piece, [&](Index begin, Index end) {
      kernels::tiled_matmul(ops, w, begin, end, tokens, x.data(), shape.columns, y.data(), shape.rows);
    });
  }
  void backward(const Operations& ops, const Parallel& parallel) override {
    const kernels::TiledView<float> w = view();
    parallel.ranges(shape.columns, 32, wide_piece, [&](Index begin, Index end) {
      kernels::tiled_matmul_transposed(ops, w, begin, end, tokens, y.data(), shape.rows, x.data(), shape.columns);
    });
  }

 private:
  kernels::TiledView<float> view() {
    return {reinterpret_cast<const float*>(next_weights()), shape.rows, shape.columns};
  }
};

struct Format {
  std::string_view name, title;
  Limit forward, backward;  ///< of products whose weights come from a cache; see limit_of
  bool int8_gradients;      ///< whether there is backward_int8
  bool accumulates;         ///< whether there is accumulate, bounded as backward
  std::unique_ptr<Product> (*make)(Shape, Index tokens, bool cold);

  Limit limit(Direction direction) const {
    return direction == Direction::backward_int8 ? Limit::int8 : direction == Direction::forward ? forward : backward;
  }
  bool has(Direction direction) const {
    return direction == Direction::backward_int8 ? int8_gradients : direction != Direction::accumulate || accumulates;
  }
};

template <class Kind>
std::unique_ptr<Product> make_product(Shape shape, Index tokens, bool cold) {
  return std::make_unique<Kind>(shape, tokens, cold);
}

/// Those in groups as their list has them, between the others.
template <class... F>
constexpr std::array<Format, 6 + sizeof...(F)> all_formats(kernels::Formats<F...>) {
  return {{
      {"ternary2", "ternary, 2 bits; int8 activations", Limit::int8, Limit::bf16, true, false,
       make_product<Ternary<kernels::TernaryFormat::two_bits>>},
      {"ternary1_6", "ternary, five a byte; int8 activations", Limit::int8, Limit::bf16, true, false,
       make_product<Ternary<kernels::TernaryFormat::five_a_byte>>},
      {F::name,
       F::has_minimum ? "groups of 32, a scale and a minimum each; int8 activations"
                      : "groups of 32, a scale each; int8 activations",
       Limit::int8, Limit::bf16, true, false, make_product<Grouped<F>>}...,
      {"f32", "float", Limit::fp32, Limit::fp32, false, true, make_product<Dense<false>>},
      {"f32_tiled", "float in tiles of 32 rows", Limit::fp32, Limit::fp32, false, false, make_product<Tiled>},
      {"mixed", "float, rounded to bf16 where products of it are fast", Limit::bf16, Limit::bf16, false, true,
       make_product<Dense<true>>},
      {"bf16", "bf16; float activations", Limit::bf16, Limit::bf16, false, false, make_product<Bf16>},
  }};
}
inline constexpr auto formats = all_formats(kernels::GroupedFormats());

/// Threads to lend: none for one, from a pool that lives as long as the program for more.
inline Parallel workers(Index threads) {
  if (threads <= 1) return {};
  static std::vector<std::unique_ptr<ThreadPool>> pools;
  for (const auto& pool : pools)
    if (pool->threads() == threads) return pool->parallel();
  return pools.emplace_back(std::make_unique<ThreadPool>(threads))->parallel();
}

}  // namespace tern::benchmark
