#pragma once
#include <algorithm>

#include "tern/core/concepts.hpp"
#include "tern/weights/add_outer_bf16.hpp"
#include "tern/weights/operations.hpp"

namespace tern {

/// Weights as they are: W [rows x columns] in S. Trains where its parameter has a gradient, in S or in bf16.
template <std::floating_point S>
class Dense {
 public:
  using Scalar = S;
  struct Cache {};

  Dense() { parameter.takes_bf16 = true; }
  explicit Dense(Matrix<S> w) : parameter(std::move(w)) { parameter.takes_bf16 = true; }

  Index rows() const { return parameter.value.rows(); }
  Index columns() const { return parameter.value.cols(); }
  std::size_t bytes() const { return sizeof(S) * static_cast<std::size_t>(parameter.value.size()); }

  void row(Index r, S* to) const { std::copy_n(parameter.value.row(r).data(), columns(), to); }
  void multiply(const Pass& pass, In<S> x, Cache&, Out<S> y) const { tern::multiply<S>(pass, x, parameter.value, y); }
  void multiply_transposed(const Pass& pass, In<S> dy, Cache&, Out<S> dx) const {
    add_multiply_transposed<S>(pass, dy, parameter.value, dx);
  }
  void accumulate(const Pass& pass, In<S> x, Cache&, In<S> dy, Gradients<S>& gradients) const {
    if (Bf16Matrix* narrow = gradients.find_bf16(parameter))
      add_outer_bf16<S>(pass, dy, x, *narrow, gradients.scratch());
    else if (Matrix<S>* dw = gradients.find(parameter))
      add_outer<S>(pass, dy, x, *dw);
  }

  template <class Self, class F>
  static void fields(Self& self, F&& f) {
    f("", self.parameter);
  }

  Parameter<S> parameter;
};
static_assert(TableStorage<Dense<float>, float>);

}  // namespace tern
