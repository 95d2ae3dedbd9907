#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "tern/core/bf16_matrix.hpp"
#include "tern/core/error.hpp"
#include "tern/core/matrix.hpp"

namespace tern {

/// How a training run holds its state: gradients, and an optimiser's moments. Weights are in S in both.
///   full  in S
///   bf16  in bfloat16, a quarter of the memory of double and half of float's, where a parameter has more than one row
///         and its layer can add to such a gradient (Parameter::takes_bf16); all else, adapters among it, in S
/// What that does to training: docs/decisions/0023.
enum class StateType { full, bf16 };

constexpr std::string_view name(StateType type) { return type == StateType::full ? "full" : "bf16"; }

/// A gradient or a moment: a matrix in S or in bf16.
template <std::floating_point S>
class StateMatrix {
 public:
  StateMatrix() = default;
  StateMatrix(Matrix<S> m) : held_(std::move(m)) {}    // NOLINT: a matrix is one
  StateMatrix(Bf16Matrix m) : held_(std::move(m)) {}   // NOLINT
  template <class Derived>
  requires std::same_as<typename Derived::Scalar, S> StateMatrix(const Eigen::MatrixBase<Derived>& m)  // NOLINT
      : held_(Matrix<S>(m)) {}

  static StateMatrix zero(StateType type, Index rows, Index columns) {
    if (type == StateType::bf16) return StateMatrix(Bf16Matrix(rows, columns));
    return StateMatrix(Matrix<S>(Matrix<S>::Zero(rows, columns)));
  }

  bool is_bf16() const { return std::holds_alternative<Bf16Matrix>(held_); }
  StateType type() const { return is_bf16() ? StateType::bf16 : StateType::full; }
  Index rows() const {
    return visit([](const auto& m) { return m.rows(); });
  }
  Index cols() const {
    return visit([](const auto& m) { return m.cols(); });
  }
  Index size() const { return rows() * cols(); }
  std::size_t bytes() const {
    return static_cast<std::size_t>(size()) * (is_bf16() ? sizeof(std::uint16_t) : sizeof(S));
  }

  /// Throws ValueError where it is in bf16.
  Matrix<S>& full() {
    if (is_bf16()) throw ValueError("state matrix: expected one in full, got one in bf16");
    return *std::get_if<Matrix<S>>(&held_);
  }
  const Matrix<S>& full() const { return const_cast<StateMatrix*>(this)->full(); }
  /// Throws ValueError where it is in full.
  Bf16Matrix& bf16() {
    if (!is_bf16()) throw ValueError("state matrix: expected one in bf16, got one in full");
    return *std::get_if<Bf16Matrix>(&held_);
  }
  const Bf16Matrix& bf16() const { return const_cast<StateMatrix*>(this)->bf16(); }

  void set_zero() {
    if (is_bf16())
      bf16().set_zero();
    else
      full().setZero();
  }

  /// The same shape, type and numbers.
  friend bool operator==(const StateMatrix& a, const StateMatrix& b) {
    if (a.type() != b.type() || a.rows() != b.rows() || a.cols() != b.cols()) return false;
    return a.is_bf16() ? a.bf16() == b.bf16() : a.full() == b.full();
  }

 private:
  template <class F>
  Index visit(F&& f) const {
    return std::visit(std::forward<F>(f), held_);
  }

  std::variant<Matrix<S>, Bf16Matrix> held_;
};

}  // namespace tern
