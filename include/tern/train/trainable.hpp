#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string_view>
#include <vector>

#include "tern/core/gradients.hpp"
#include "tern/core/parallel.hpp"
#include "tern/train/bf16_piece.hpp"

namespace tern {

/// The parameters that a run trains, with their gradients: those of some layers, adapters or models, in the order of
/// their `fields` lists. Borrows the parameters: the layers must stay where they are. Owns the gradients, in S unless
/// StateType says otherwise; an optimiser holds its moments of a parameter as its gradient is held.
///
/// The numbers are cut into pieces of fixed size, so that work over them gives the same bits on any number of workers.
template <std::floating_point S>
class Trainable {
 public:
  using Scalar = S;

  /// Numbers [begin, end) of parameter `parameter`.
  struct Piece {
    std::size_t parameter = 0;
    Index begin = 0, end = 0;
  };

  Trainable() = default;
  /// Every parameter of `layers`.
  template <class... Layers>
  explicit Trainable(Layers&... layers)
    requires(sizeof...(Layers) > 0 && ((!std::is_same_v<std::remove_const_t<Layers>, Trainable> &&
                                        !std::is_same_v<std::remove_const_t<Layers>, StateType>)&&...))
  {
    (collect(layers), ...);
  }
  /// The same, with gradients held as `state` says.
  template <class... Layers>
  explicit Trainable(StateType state, Layers&... layers) : gradients_(state) {
    (collect(layers), ...);
  }

  template <class Layer>
  void collect(Layer& layer) {
    collect(layer, [](std::string_view) { return true; });
  }
  /// Those whose path satisfies `select`.
  template <class Layer, class Select>
  void collect(Layer& layer, Select&& select) {
    for_each_parameter(layer, [&](std::string_view path, Parameter<S>& p) {
      if (select(path)) add(p);
    });
  }

  std::size_t size() const { return parameters_.size(); }
  Parameter<S>& parameter(std::size_t i) const { return *parameters_[i]; }
  Matrix<S>& value(std::size_t i) const { return parameters_[i]->value; }
  Gradients<S>& gradients() { return gradients_; }
  const Gradients<S>& gradients() const { return gradients_; }

  /// How many numbers train.
  Index count() const { return gradients_.count(); }

  /// Calls f(piece) once for each piece. f must not throw.
  template <class F>
  void each_piece(const Parallel& parallel, F&& f) const {
    parallel.each(static_cast<Index>(pieces_.size()), [&](Index i) { f(pieces_[static_cast<std::size_t>(i)]); });
  }

  void zero_gradients(const Parallel& parallel = {}) {
    each_piece(parallel, [this](const Piece& piece) {
      if (is_bf16(piece))
        gradients_.held(piece.parameter).bf16().set_zero(piece.begin, piece.end);
      else
        gradient(piece).setZero();
    });
  }
  /// Those in bf16 are rounded once more, to nearest.
  void scale_gradients(S factor, const Parallel& parallel = {}) {
    each_piece(parallel, [&](const Piece& piece) {
      if (is_bf16(piece))
        detail::scale_bf16(piece.end - piece.begin, factor, bf16_gradient(piece));
      else
        gradient(piece) *= factor;
    });
  }

  /// sqrt(sum g^2) over all gradients, summed in double: first within the pieces, then over them in order.
  double gradient_norm(const Parallel& parallel = {}) {
    const auto square = [this](Index i) {
      const auto at = static_cast<std::size_t>(i);
      const Piece& piece = pieces_[at];
      squares_[at] = is_bf16(piece) ? detail::squared_norm_bf16(piece.end - piece.begin, bf16_gradient(piece))
                                    : gradient(piece).template cast<double>().squaredNorm();
    };
    parallel.each(static_cast<Index>(pieces_.size()), square);
    double sum = 0;
    for (const double s : squares_) sum += s;
    return std::sqrt(sum);
  }

 private:
  static constexpr Index piece_size = 1 << 14;

  void add(Parameter<S>& p) {
    if (gradients_.find(p) != nullptr || p.value.size() == 0) return;
    gradients_.add(p);
    for (Index begin = 0; begin < p.value.size(); begin += piece_size)
      pieces_.push_back({parameters_.size(), begin, std::min(begin + piece_size, p.value.size())});
    squares_.resize(pieces_.size());
    parameters_.push_back(&p);
  }
  bool is_bf16(const Piece& piece) const { return gradients_.held(piece.parameter).is_bf16(); }
  std::uint16_t* bf16_gradient(const Piece& piece) {
    return gradients_.held(piece.parameter).bf16().data() + piece.begin;
  }
  auto gradient(const Piece& piece) {
    return Eigen::Map<Column<S>>(gradients_[piece.parameter].data() + piece.begin, piece.end - piece.begin);
  }

  Gradients<S> gradients_;  // in the order of parameters_
  std::vector<Parameter<S>*> parameters_;
  std::vector<Piece> pieces_;
  std::vector<double> squares_;
};

}  // namespace tern
