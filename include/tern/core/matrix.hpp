#pragma once
/// The dense types every floor shares. All matrices are row-major: one row is one token.
#include <Eigen/Core>
#include <concepts>
#include <cstddef>
#include <cstdint>

namespace tern {

using Index = std::ptrdiff_t;

/// Owns [rows x columns], row-major.
template <std::floating_point S>
using Matrix = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Owns [rows x 1].
template <std::floating_point S>
using Column = Eigen::Matrix<S, Eigen::Dynamic, 1>;

/// Borrows a matrix to read. Rows are contiguous, their stride may exceed their length.
/// Binding anything else (a column-major matrix, an expression) copies it: pass row-major storage.
template <std::floating_point S>
using In = Eigen::Ref<const Matrix<S>, 0, Eigen::OuterStride<>>;

/// Borrows a matrix to write; same layout as In, never copies.
template <std::floating_point S>
using Out = Eigen::Ref<Matrix<S>, 0, Eigen::OuterStride<>>;

/// Gives `m` the shape [rows x columns], keeping its memory where the size already fits.
/// Contents are unspecified afterwards.
template <std::floating_point S>
void reshape(Matrix<S>& m, Index rows, Index columns) {
  if (m.rows() != rows || m.cols() != columns) m.resize(rows, columns);
}

/// The first `rows` rows of `m`, which grows if it is too small and never shrinks: for batches of varying length.
template <std::floating_point S>
Out<S> first_rows(Matrix<S>& m, Index rows, Index columns) {
  if (m.cols() != columns || m.rows() < rows) m.resize(rows, columns);
  return m.topRows(rows);
}

}  // namespace tern
