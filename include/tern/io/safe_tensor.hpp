#pragma once
#include <string>
#include <vector>

#include "tern/io/byte_reader.hpp"
#include "tern/io/dtype.hpp"

namespace tern {

/// A tensor of a safetensors file. Borrows its bytes: row-major, little-endian, the last extent the fastest.
struct SafeTensor {
  std::string name;
  DType dtype = DType::f32;
  std::vector<Index> shape;  ///< empty: a single number
  Bytes bytes;

  /// The tensor as a matrix: the last extent, and the product of the others.
  Index columns() const { return shape.empty() ? 1 : shape.back(); }
  Index rows() const {
    Index n = 1;
    for (std::size_t d = 0; d + 1 < shape.size(); ++d) n *= shape[d];
    return n;
  }
};

/// The tensor as [rows x columns] of S. Throws ValueError unless its elements are floating-point.
template <std::floating_point S>
Matrix<S> to_matrix(const SafeTensor& tensor) {
  Matrix<S> values(tensor.rows(), tensor.columns());
  decode(tensor.dtype, tensor.bytes, std::span<S>(values.data(), static_cast<std::size_t>(values.size())));
  return values;
}

}  // namespace tern
