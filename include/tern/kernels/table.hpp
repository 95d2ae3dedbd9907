#pragma once
/// The dispatch table: one pointer per kernel, one row per instruction set. Raw pointers, no allocation, no exception.
/// A table is immutable; callers may copy one, replace entries and pass the copy. Scratch lies on the calling thread's
/// stack: see stack_bytes.
#include <cstddef>
#include <cstdint>

#include "tern/kernels/adam/step.hpp"
#include "tern/kernels/formats/bf16.hpp"
#include "tern/kernels/formats/list.hpp"
#include "tern/kernels/formats/ternary.hpp"
#include "tern/kernels/isa.hpp"
#include "tern/kernels/types.hpp"

namespace tern::kernels {

/// What any kernel takes of its caller's stack at the most. Threads of one's own must have as much to spare: glibc
/// gives 8 MB, macOS 512 KB (enough for NEON, which takes 350 KB), musl 128 KB.
inline constexpr std::size_t stack_bytes = std::size_t{640} << 10;

/// Products with weights in groups of 32 columns, of a format F (formats/list.hpp).
template <class S, class F>
struct GroupedProducts {
  /// Activations are int8 in -127..127 with a scale for every 128 columns, which lies at scale[t*scale_row + k/128]:
  ///   y[t,r] = sum_G scale[t,G] * sum_{g in G} (w.scale(r,g) * sum_k q[t,k]*w.code(r,k) + minimum(r,g) * sum_k q[t,k])
  /// for r in [row_begin, row_end), k over the columns of group g; row_begin a multiple of 16. Sums over k are exact
  /// integers, sums over groups chains of fused multiplications and additions in S, in order: same bits on every ISA.
  void (*matmul)(const GroupedView<F>& w, Index row_begin, Index row_end, Index tokens, const std::int8_t* q,
                 Index q_row, const S* scale, Index scale_row, S* y, Index y_row) noexcept;
  /// y[t,r] = sum_k x[t,k] * w.weight(r,k), for r in [row_begin, row_end); row_begin a multiple of 16. Nothing is
  /// rounded but the weight, once, where scale * code meets a minimum, and the sum as in Operations::matmul. Any cut of
  /// rows and tokens gives the same bits.
  void (*matmul_float)(const GroupedView<F>& w, Index row_begin, Index row_end, Index tokens, const S* x, Index x_row,
                       S* y, Index y_row) noexcept;
  /// dx[t,k] += sum_r dy[t,r] * w.weight(r,k), for k in [column_begin, column_end); column_begin a multiple of 32. Any
  /// cut of tokens and columns gives the same bits.
  void (*matmul_transposed)(const GroupedView<F>& w, Index column_begin, Index column_end, Index tokens, const S* dy,
                            Index dy_row, S* dx, Index dx_row) noexcept;
  /// dx += scale * (q * V), V the weights rounded once more, to integers -63..63: V[r,k] is 63 / sizes[r] * w.weight(r,k),
  /// nearly (turned_weight), where sizes[r] = max_k |w.weight(r,k)| (quantize/grouped.hpp). q in -127..127; what V lacks
  /// of the weights, sizes[r] / 63, is the caller's, to go into q or scale. For k in [column_begin, column_end);
  /// column_begin a multiple of 32. For each 128 rows in order, whose scale lies at scale[t*scale_row + r/128],
  /// dx[t,k] = fma(scale, exact integer sum of q[t,r] * V[r,k], dx[t,k]): same bits on every ISA and in any cut of
  /// tokens and columns.
  void (*matmul_transposed_int8)(const GroupedView<F>& w, const S* sizes, Index column_begin, Index column_end,
                                 Index tokens, const std::int8_t* q, Index q_row, const S* scale, Index scale_row,
                                 S* dx, Index dx_row) noexcept;
};

/// Those of every format of a list.
template <class S, class List = GroupedFormats>
struct GroupedTable;
template <class S, class... F>
struct GroupedTable<S, Formats<F...>> : GroupedProducts<S, F>... {
  template <class Format>
  constexpr GroupedProducts<S, Format>& of() {
    return *this;
  }
  template <class Format>
  constexpr const GroupedProducts<S, Format>& of() const {
    return *this;
  }
};

/// The products that make.operator()<F>() gives for each format F.
template <class S, class Make>
constexpr GroupedTable<S> grouped_table(Make make) {
  GroupedTable<S> table{};
  GroupedFormats::each([&]<class F>() { table.template of<F>() = make.template operator()<F>(); });
  return table;
}

/// Products with packed bf16 weights (formats/bf16.hpp). As for Operations::matmul_mixed, x and dy are rounded to bf16
/// where the machine multiplies it. Any cut of rows, columns and tokens gives the same bits.
template <class S>
struct Bf16Products {
  /// y[t,r] = sum_k x[t,k] * w.weight(r,k), for r in [row_begin, row_end); row_begin a multiple of 32.
  void (*matmul)(const Bf16View& w, Index row_begin, Index row_end, Index tokens, const S* x, Index x_row, S* y,
                 Index y_row) noexcept;
  /// dx[t,k] += sum_r dy[t,r] * w.weight(r,k), for k in [column_begin, column_end); column_begin a multiple of 16.
  void (*matmul_transposed)(const Bf16View& w, Index column_begin, Index column_end, Index tokens, const S* dy,
                            Index dy_row, S* dx, Index dx_row) noexcept;
};

/// The kernels of one scalar type. Strides count elements. Serial: a caller splits the work over independent outputs.
template <class S>
struct Operations {
  /// C [m x n] = A [m x k] * B [k x n], plus C if accumulate. C's columns are contiguous, its rows c_row apart.
  /// An element's sum runs over k in an order that depends on k alone, so any split of m and n gives the same bits.
  void (*matmul)(Index m, Index n, Index k, Strided<const S> a, Strided<const S> b, S* c, Index c_row,
                 bool accumulate) noexcept;

  /// As matmul, in mixed precision where the machine multiplies bf16: A and B are then rounded to bf16 (by at most
  /// bf16_rounding, relative), numbers below 2^-126 count as 0, and sums are float. Elsewhere it is matmul itself.
  /// Of A, and of B, the rows or the columns are contiguous.
  void (*matmul_mixed)(Index m, Index n, Index k, Strided<const S> a, Strided<const S> b, S* c, Index c_row,
                       bool accumulate) noexcept;

  /// rstd[t] = 1/sqrt(mean_c x[t,c]^2 + eps);  y[t,c] = gain[c] * x[t,c] * rstd[t]. gain null: ones.
  void (*rms_norm)(Index rows, Index channels, S eps, const S* x, Index x_row, const S* gain, S* y, Index y_row,
                   S* rstd) noexcept;
  /// dx[t,c] += rstd[t] * (gain[c]*dy[t,c] - x[t,c] * rstd[t]^2 * mean_j gain[j]*dy[t,j]*x[t,j]). gain null: ones.
  void (*rms_norm_backward)(Index rows, Index channels, const S* x, Index x_row, const S* gain, const S* rstd,
                            const S* dy, Index dy_row, S* dx, Index dx_row) noexcept;
  /// dgain[c] += sum_t dy[t,c] * x[t,c] * rstd[t], rows in order.
  void (*rms_norm_backward_gain)(Index rows, Index channels, const S* x, Index x_row, const S* rstd, const S* dy,
                                 Index dy_row, S* dgain) noexcept;

  /// x[i] = exp(scale*x[i] - m) / sum_j exp(scale*x[j] - m), m = max scale*x, in place; n > 0.
  void (*softmax)(Index n, S scale, S* x) noexcept;
  /// With y = softmax(scale*x): d[i] = scale * y[i] * (d[i] - sum_j y[j]*d[j]), in place.
  void (*softmax_backward)(Index n, S scale, const S* y, S* d) noexcept;

  /// y[i] = f(gate[i]) * up[i].
  void (*gate)(Gate kind, Index n, const S* gate, const S* up, S* y) noexcept;
  /// dgate[i] += dy[i]*up[i]*f'(gate[i]);  dup[i] += dy[i]*f(gate[i]).
  void (*gate_backward)(Gate kind, Index n, const S* gate, const S* up, const S* dy, S* dgate, S* dup) noexcept;

  /// Rotary embedding of `heads` consecutive heads of one row, pairing i with i + head_dim/2 (the "rotate half" order):
  ///   x[i] = x[i]*cos[i] - x[i+h]*sin[i],  x[i+h] = x[i+h]*cos[i] + x[i]*sin[i],  h = head_dim/2, i < h.
  /// The backward rotation is the same call with -sin: pass direction -1.
  void (*rope)(Index heads, Index head_dim, const S* cos, const S* sin, S direction, S* x) noexcept;

  /// Returns -log softmax(logits)[target]. If gradient is not null, it becomes
  ///   gradient[i] = scale * (softmax(logits)[i] - [i == target]);  it may be logits itself.
  double (*cross_entropy)(Index n, const S* logits, Index target, S scale, S* gradient) noexcept;

  /// BitLinear's activation: scale[t] = max(max_k |x[t,k]|, 1e-5) / 127, q[t,k] = round_half_even(x[t,k]/scale[t]) in
  /// -127..127. A NaN in a row makes its scale a NaN; its codes are then unspecified.
  void (*quantize_int8)(Index rows, Index columns, const S* x, Index x_row, std::int8_t* q, Index q_row,
                        S* scale) noexcept;
  /// Gradients to int8, with v[t,k] = factor[k] * x[t,k] (factor null: ones): scale[t] = max_k |v[t,k]| / 127 and
  ///   q[t,k] = round_half_even(v[t,k]/scale[t] + noise),  0 in a row of zeros
  /// without noise, or `stochastic`: uniform, so that q * scale is v on average (quantize/rounding_noise.hpp). A NaN in
  /// a row makes its scale a NaN; its codes are then unspecified.
  void (*quantize_gradient)(Index rows, Index columns, const S* x, Index x_row, const S* factor, bool stochastic,
                            std::int8_t* q, Index q_row, S* scale) noexcept;
  /// y[t,r] = scale[t] * sum_g w.scale(r,g) * (exact integer sum over group g of q[t,k]*w[r,k]), scales and their sum
  /// in double, for r in [row_begin, row_end); row_begin a multiple of 16. Same bits on every ISA.
  void (*ternary_matmul)(const TernaryView& w, Index row_begin, Index row_end, Index tokens, const std::int8_t* q,
                         Index q_row, const S* scale, S* y, Index y_row) noexcept;
  /// y[t,r] = sum_k x[t,k] * w.scale(r,k/group) * w[r,k], for r in [row_begin, row_end); row_begin a multiple of 16. A
  /// weight times its scale is exact, the sum as in matmul. Any cut of rows and tokens gives the same bits.
  void (*ternary_matmul_float)(const TernaryView& w, Index row_begin, Index row_end, Index tokens, const S* x,
                               Index x_row, S* y, Index y_row) noexcept;
  /// dx[t,k] += sum_r dy[t,r] * w.scale(r,k/group) * w[r,k], for k in [column_begin, column_end); column_begin a
  /// multiple of 16. Any cut of tokens and columns gives the same bits.
  void (*ternary_matmul_transposed)(const TernaryView& w, Index column_begin, Index column_end, Index tokens,
                                    const S* dy, Index dy_row, S* dx, Index dx_row) noexcept;
  /// dx[t,k] = fma(scale[t], exact integer sum_r q[t,r] * w[r,k], dx[t,k]), for k in [column_begin, column_end);
  /// column_begin a multiple of 16, fewer than 2^23 rows. The weights' own scales are the caller's, to go into q or
  /// scale. Same bits on every ISA.
  void (*ternary_matmul_transposed_int8)(const TernaryView& w, Index column_begin, Index column_end, Index tokens,
                                         const std::int8_t* q, Index q_row, const S* scale, S* dx,
                                         Index dx_row) noexcept;

  /// x[i] = sqrt(x[i]), rounded correctly: same bits on every ISA.
  void (*sqrt)(Index n, S* x) noexcept;
  /// y[i] = x[i] rounded to bf16 to nearest, ties to even, as bits; and back, which is exact.
  void (*narrow_bf16)(Index n, const S* x, std::uint16_t* y) noexcept;
  void (*widen_bf16)(Index n, const std::uint16_t* x, S* y) noexcept;
  /// y[i] = y[i] + x[i], rounded to bf16 to nearest, ties to even; y holds bf16 numbers as bits.
  void (*add_to_bf16)(Index n, const S* x, std::uint16_t* y) noexcept;
  /// A step of Adam whose gradient and moments are bf16 numbers, as bits; sums are in S:
  ///   g = grad[i] + pull * value[i],  m' = m[i] + fresh1 * (g - m[i]),  v' = beta2 * v[i] + fresh2 * g^2
  ///   value[i] = keep * value[i] - step * m' / (sqrt(v') * root_scale + epsilon)
  ///   m[i] = to_bf16_at_random(m', w),  v[i] = to_bf16_at_random(v', w >> 16),  w = noise_word(noise, i)
  /// At random, since to nearest v would never fall where 1 - beta2 is below 2^-9, half of what its neighbours are apart.
  /// Any cut of n, noise growing with i, gives the same bits.
  void (*adam_bf16)(const AdamStep<S>& by, Index n, const std::uint16_t* grad, S* value, std::uint16_t* m,
                    std::uint16_t* v, std::uint32_t noise) noexcept;

  GroupedTable<S> groups;
  Bf16Products<S> bf16;

  template <class F>
  constexpr const GroupedProducts<S, F>& grouped() const {
    return groups.template of<F>();
  }
};

struct Table {
  Isa isa;
  Operations<float> f32;
  Operations<double> f64;

  template <class S>
  constexpr const Operations<S>& operations() const {
    if constexpr (sizeof(S) == sizeof(float))
      return f32;
    else
      return f64;
  }
  /// kernel(&Operations<float>::matmul): the same as f32.matmul.
  template <class S, class K>
  constexpr const K& kernel(K Operations<S>::*member) const {
    return operations<S>().*member;
  }
  /// kernel(&GroupedProducts<float, Q4>::matmul): the same as f32.grouped<Q4>().matmul.
  template <class S, class F, class K>
  constexpr const K& kernel(K GroupedProducts<S, F>::*member) const {
    return operations<S>().template grouped<F>().*member;
  }
};

}  // namespace tern::kernels
