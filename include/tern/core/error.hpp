#pragma once
/// The exceptions tern throws. Each message names the place, what was expected and what was found.
/// Kernels never throw; layers throw ShapeError; readers and writers throw FormatError and IoError.
#include <stdexcept>
#include <string>
#include <string_view>

#include "tern/core/matrix.hpp"

namespace tern {

/// Base of every exception tern throws on purpose.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A matrix of the wrong shape reached a layer.
struct ShapeError : Error {
  using Error::Error;
};

/// An argument outside its meaning: rank 0, an unknown format, a negative budget.
struct ValueError : Error {
  using Error::Error;
};

/// A file's content breaks its format.
struct FormatError : Error {
  using Error::Error;
};

/// The system refused: missing file, no permission, disk full. Names path, operation and errno's text.
struct IoError : Error {
  using Error::Error;
};

/// Training produced a value that is not finite.
struct DivergedError : Error {
  using Error::Error;
};

namespace detail {
[[noreturn]] inline void wrong_shape(std::string_view place, std::string_view what, Index rows, Index columns,
                                     Index got_rows, Index got_columns) {
  const auto extent = [](Index n) { return n < 0 ? std::string("*") : std::to_string(n); };
  throw ShapeError(std::string(place) + ": expected " + std::string(what) + " [" + extent(rows) + " x " +
                   extent(columns) + "], got [" + std::to_string(got_rows) + " x " + std::to_string(got_columns) +
                   "]");
}
}  // namespace detail

/// Throws ShapeError unless `m` is [rows x columns]; -1 accepts any extent.
template <class M>
void expect_shape(std::string_view place, std::string_view what, const M& m, Index rows, Index columns) {
  if ((rows >= 0 && m.rows() != rows) || (columns >= 0 && m.cols() != columns))
    detail::wrong_shape(place, what, rows, columns, m.rows(), m.cols());
}

}  // namespace tern
