#pragma once
/// Whether a ternary product of one's own is right: without a test framework, for programs and tests alike.
#include <random>
#include <string>

#include "support/guarded_buffer.hpp"
#include "tern/kernels/native.hpp"

namespace tern::test {

/// Random weights and activations of one shape. Every buffer ends at a wall: who reads or writes beyond it is stopped.
struct TernaryCase {
  using Index = kernels::Index;

  TernaryCase(Index rows, Index columns, Index n, kernels::TernaryScale granularity)
      : tokens(n),
        q_row(columns + 3),
        y_row(rows + 2),
        codes(kernels::ternary_packed_bytes(rows, columns)),
        weight_scales(kernels::ternary_scales(rows, columns, granularity)),
        scales(n),
        q(n > 0 ? n * q_row - 3 : 0),
        w{codes.data(), weight_scales.data(), rows, columns, granularity} {
    std::minstd_rand random(7);
    const auto in = [&](int low, int high) { return low + static_cast<int>(random() >> 7) % (high - low + 1); };
    GuardedBuffer<std::int8_t> weights(rows * columns);
    for (auto& x : weights) x = static_cast<std::int8_t>(in(-1, 1));
    kernels::pack_ternary(rows, columns, weights.data(), codes.data());
    for (float& s : weight_scales) s = static_cast<float>(in(1, 1000)) / 700;
    for (float& s : scales) s = static_cast<float>(in(1, 1000)) / 300;
    for (auto& x : q) x = static_cast<std::int8_t>(in(-127, 127));
  }

  /// y of rows [begin, end); the others stay -1.
  GuardedBuffer<float> product(const kernels::Operations<float>& ops, Index begin, Index end) const {
    GuardedBuffer<float> y(tokens > 0 ? tokens * y_row - 2 : 0);
    for (float& x : y) x = -1;
    ops.ternary_matmul(w, begin, end, tokens, q.data(), q_row, scales.data(), y.data(), y_row);
    return y;
  }

  Index tokens, q_row, y_row;
  GuardedBuffer<std::uint8_t> codes;
  GuardedBuffer<float> weight_scales, scales;
  GuardedBuffer<std::int8_t> q;
  kernels::TernaryView w;
};

/// Compares ops.ternary_matmul with the reference's, bit for bit, over awkward shapes, scales, strides and cuts of the
/// rows. Empty where they agree, else the first case that differs.
inline std::string ternary_disagreement(const kernels::Operations<float>& ops) {
  using kernels::Index, kernels::TernaryScale;
  const auto& reference = kernels::native::table(kernels::Isa::reference).f32;
  for (const Index rows : {0, 1, 15, 16, 17, 65})
    for (const Index columns : {0, 1, 15, 17, 127, 128, 129, 300})
      for (const Index tokens : {0, 1, 7, 33})
        for (const TernaryScale granularity :
             {TernaryScale::tensor, TernaryScale::row, TernaryScale::group, TernaryScale::group64})
          for (const Index begin : {0, 16}) {
            if (begin > rows) continue;
            const TernaryCase c(rows, columns, tokens, granularity);
            const auto expected = c.product(reference, begin, rows), got = c.product(ops, begin, rows);
            for (Index i = 0; i < got.size(); ++i)
              if (got[i] != expected[i])
                return "ternary_matmul of " + std::to_string(rows) + " rows from " + std::to_string(begin) + ", " +
                       std::to_string(columns) + " columns, " + std::to_string(tokens) + " tokens, scales by " +
                       (granularity == TernaryScale::tensor  ? "tensor"
                        : granularity == TernaryScale::row   ? "row"
                        : granularity == TernaryScale::group ? "group"
                                                             : "group of 64") +
                       ": expected y[" + std::to_string(i) + "] = " + std::to_string(expected[i]) + ", got " +
                       std::to_string(got[i]);
          }
  return {};
}

}  // namespace tern::test
