#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <string>

#include "tern/core/concepts.hpp"
#include "tern/core/error.hpp"
#include "tern/core/token.hpp"
#include "tern/weights/dense.hpp"

namespace tern {

/// A row per token: y[t] = scale * table[tokens[t]].
/// Shapes: table [vocabulary x channels], y [tokens x channels]. T stores the table; it trains where T can.
/// Throws ValueError on an id outside the vocabulary.
template <std::floating_point S, TableStorage<S> T = Dense<S>>
class Embedding {
 public:
  using Scalar = S;

  Embedding() = default;
  explicit Embedding(T initial, S factor = S(1)) : table(std::move(initial)), scale(factor) {}
  explicit Embedding(Matrix<S> initial, S factor = S(1))
    requires std::is_constructible_v<T, Matrix<S>>
      : Embedding(T(std::move(initial)), factor) {}

  Index vocabulary() const { return table.rows(); }
  Index channels() const { return table.columns(); }

  /// Overwrites y.
  void forward(const Pass& pass, std::span<const Token> tokens, Out<S> y) const {
    check("forward", tokens, y);
    pass.parallel.each(y.rows(), [&](Index t) {
      table.row(tokens[static_cast<std::size_t>(t)], y.row(t).data());
      if (scale != S(1)) y.row(t) *= scale;
    });
  }

  /// Adds dL/dtable to the table's gradient if it trains; rows in order, channels shared out among the workers.
  void backward(const Pass& pass, std::span<const Token> tokens, In<S> dy, Gradients<S>& gradients) const {
    check("backward", tokens, dy);
    for_each_parameter(table, [&](std::string_view, const Parameter<S>& p) {
      if (Bf16Matrix* const narrow = gradients.find_bf16(p))
        return add_rows(pass, tokens, dy, *narrow, gradients.scratch());
      Matrix<S>* const d = gradients.find(p);
      if (d == nullptr) return;
      pass.parallel.ranges(channels(), 64, [&](Index begin, Index end) {
        for (std::size_t t = 0; t < tokens.size(); ++t)
          d->row(tokens[t]).segment(begin, end - begin) +=
              scale * dy.row(static_cast<Index>(t)).segment(begin, end - begin);
      });
    });
  }

  /// Throws ValueError on an id outside the vocabulary. The model above calls it before it writes anything.
  void check(const char* call, std::span<const Token> tokens) const {
    for (std::size_t t = 0; t < tokens.size(); ++t)
      if (tokens[t] < 0 || tokens[t] >= vocabulary())
        throw ValueError(place(call) + ": token " + std::to_string(t) + ": expected an id in [0, " +
                         std::to_string(vocabulary()) + "), got " + std::to_string(tokens[t]));
  }

  template <class Self, class F>
  static void fields(Self& self, F&& f) {
    f("table", self.table);
  }

  T table;
  S scale = S(1);

 private:
  /// The same to a gradient in bf16: what all rows of one token come to is summed in S and rounded once.
  void add_rows(const Pass& pass, std::span<const Token> tokens, In<S> dy, Bf16Matrix& d,
                GradientScratch<S>& scratch) const {
    auto& order = scratch.order;  // by token, then by place
    order.clear();
    for (std::size_t t = 0; t < tokens.size(); ++t) order.push_back(std::uint64_t(tokens[t]) << 32 | t);
    std::sort(order.begin(), order.end());
    const auto& ops = operations<S>(pass);
    pass.parallel.ranges(channels(), 64, [&](Index begin, Index end) {
      for (Index left = begin; left < end; left += 64) {
        const Index n = std::min<Index>(64, end - left);
        for (std::size_t i = 0; i < order.size();) {
          S sum[64] = {};
          const std::uint64_t token = order[i] >> 32;
          for (; i < order.size() && order[i] >> 32 == token; ++i) {
            const S* from = dy.row(static_cast<Index>(order[i] & 0xffffffff)).data() + left;
            for (Index k = 0; k < n; ++k) sum[k] += scale * from[k];
          }
          ops.add_to_bf16(n, sum, &d(static_cast<Index>(token), left));
        }
      }
    });
  }

  static std::string place(const char* call) { return std::string("embedding ") + call; }
  template <class Y>
  void check(const char* call, std::span<const Token> tokens, const Y& y) const {
    const Index rows = static_cast<Index>(tokens.size());
    if (y.rows() != rows || y.cols() != channels()) expect_shape(place(call), "y", y, rows, channels());
    check(call, tokens);
  }
};

}  // namespace tern
