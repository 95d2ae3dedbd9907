#pragma once
#include <span>
#include <string>

#include "tern/core/error.hpp"
#include "tern/core/parameter.hpp"
#include "tern/core/pass.hpp"
#include "tern/core/token.hpp"

namespace tern {

/// A row per token: y[t] = scale * table[tokens[t]].
/// Shapes: table [vocabulary x channels], y [tokens x channels]. Throws ValueError on an id outside the vocabulary.
template <std::floating_point S>
class Embedding {
 public:
  using Scalar = S;

  Embedding() = default;
  explicit Embedding(Matrix<S> initial, S factor = S(1)) : table(std::move(initial)), scale(factor) {}

  Index vocabulary() const { return table.value.rows(); }
  Index channels() const { return table.value.cols(); }

  /// Overwrites y.
  void forward(const Pass&, std::span<const Token> tokens, Out<S> y) const {
    expect_shape("embedding forward", "y", y, static_cast<Index>(tokens.size()), channels());
    for (std::size_t t = 0; t < tokens.size(); ++t) {
      if (tokens[t] < 0 || tokens[t] >= vocabulary())
        throw ValueError("embedding forward: token " + std::to_string(t) + ": expected an id in [0, " +
                         std::to_string(vocabulary()) + "), got " + std::to_string(tokens[t]));
      y.row(static_cast<Index>(t)) = scale * table.value.row(tokens[t]);
    }
  }

  /// Adds dL/dtable to table.grad if trainable; rows in order, channels shared out among the workers.
  void backward(const Pass& pass, std::span<const Token> tokens, In<S> dy) {
    if (!table.trainable()) return;
    pass.parallel.ranges(channels(), 64, [&](Index begin, Index end) {
      for (std::size_t t = 0; t < tokens.size(); ++t)
        table.grad.row(tokens[t]).segment(begin, end - begin) +=
            scale * dy.row(static_cast<Index>(t)).segment(begin, end - begin);
    });
  }

  template <class Self, class F>
  static void fields(Self& self, F&& f) {
    f("table", self.table);
  }

  Parameter<S> table;
  S scale = S(1);
};

}  // namespace tern
