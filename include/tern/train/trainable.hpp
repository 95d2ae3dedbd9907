#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string_view>
#include <vector>

#include "tern/core/fields.hpp"
#include "tern/core/parallel.hpp"
#include "tern/core/parameter.hpp"

namespace tern {

/// The parameters that a run trains: those of some layers, adapters or models that are trainable now, in the order of
/// their `fields` lists. Borrows them: the layers must stay where they are, and keep the same parameters trainable.
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

  template <class... Layers>
  explicit Trainable(Layers&... layers) {
    (collect(layers), ...);
  }

  template <class Layer>
  void collect(Layer& layer) {
    for_each_parameter(layer, [this](std::string_view, Parameter<S>& p) {
      if (p.trainable()) add(p);
    });
  }

  std::size_t size() const { return parameters_.size(); }
  Parameter<S>& operator[](std::size_t i) const { return *parameters_[i]; }

  /// How many numbers train.
  Index count() const {
    Index n = 0;
    for (const auto* p : parameters_) n += p->value.size();
    return n;
  }

  /// Calls f(piece) once for each piece. f must not throw.
  template <class F>
  void each_piece(const Parallel& parallel, F&& f) const {
    parallel.each(static_cast<Index>(pieces_.size()), [&](Index i) { f(pieces_[static_cast<std::size_t>(i)]); });
  }

  void zero_gradients(const Parallel& parallel = {}) const {
    each_piece(parallel, [this](const Piece& piece) { gradient(piece).setZero(); });
  }
  void scale_gradients(S factor, const Parallel& parallel = {}) const {
    each_piece(parallel, [&](const Piece& piece) { gradient(piece) *= factor; });
  }

  /// sqrt(sum g^2) over all gradients, summed in double: first within the pieces, then over them in order.
  double gradient_norm(const Parallel& parallel = {}) {
    const auto square = [this](Index i) {
      const auto at = static_cast<std::size_t>(i);
      squares_[at] = gradient(pieces_[at]).template cast<double>().squaredNorm();
    };
    parallel.each(static_cast<Index>(pieces_.size()), square);
    double sum = 0;
    for (const double s : squares_) sum += s;
    return std::sqrt(sum);
  }

 private:
  static constexpr Index piece_size = 1 << 14;

  void add(Parameter<S>& p) {
    for (Index begin = 0; begin < p.value.size(); begin += piece_size)
      pieces_.push_back({parameters_.size(), begin, std::min(begin + piece_size, p.value.size())});
    squares_.resize(pieces_.size());
    parameters_.push_back(&p);
  }
  auto gradient(const Piece& piece) const {
    return Eigen::Map<Column<S>>(parameters_[piece.parameter]->grad.data() + piece.begin, piece.end - piece.begin);
  }

  std::vector<Parameter<S>*> parameters_;
  std::vector<Piece> pieces_;
  std::vector<double> squares_;
};

}  // namespace tern
