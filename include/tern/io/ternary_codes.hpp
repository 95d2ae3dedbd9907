#pragma once
#include <cassert>
#include <cmath>
#include <string>
#include <vector>

#include "tern/io/bytes.hpp"
#include "tern/weights/ternary.hpp"

namespace tern {

/// Ternary weights between the layout of a file and that of Ternary: W[r,k] = scale * codes[r*columns + k].
struct TernaryCodes {
  Index rows = 0, columns = 0;
  std::vector<std::int8_t> codes;  ///< -1, 0 or +1
  float scale = 1;

  /// The weights as plain numbers.
  template <std::floating_point S>
  Matrix<S> values() const {
    Matrix<S> w(rows, columns);
    for (Index i = 0; i < w.size(); ++i)
      w.data()[i] = static_cast<S>(scale) * static_cast<S>(codes[static_cast<std::size_t>(i)]);
    return w;
  }
};

/// Plain numbers that are 0 or plus or minus one scale. Throws FormatError "<where>: ..." for others.
template <std::floating_point S>
TernaryCodes ternary_codes(const Matrix<S>& w, const std::string& where) {
  const float scale = static_cast<float>(w.size() > 0 ? w.cwiseAbs().maxCoeff() : S(0));
  TernaryCodes t{w.rows(), w.cols(), std::vector<std::int8_t>(static_cast<std::size_t>(w.size())), scale};
  for (Index i = 0; i < w.size(); ++i) {
    const S value = w.data()[i];
    if (value != S(0) && static_cast<float>(std::abs(value)) != scale)
      throw FormatError(where + ": expected ternary weights of one scale, got " + std::to_string(value) + " beside " +
                        std::to_string(scale));
    t.codes[static_cast<std::size_t>(i)] = static_cast<std::int8_t>(value > 0 ? 1 : value < 0 ? -1 : 0);
  }
  return t;
}

/// As a storage keeps them, in either of its formats.
template <std::floating_point S>
Ternary<S> to_ternary(const TernaryCodes& w, kernels::TernaryFormat format = kernels::TernaryFormat::two_bits) {
  return Ternary<S>::from_codes(w.rows, w.columns, w.codes, {w.scale}, kernels::TernaryScale::tensor, format);
}

/// The inverse. Throws ValueError for weights of more than one scale.
template <std::floating_point S>
TernaryCodes to_codes(const Ternary<S>& w) {
  const kernels::TernaryView view = w.view();
  if (view.granularity != kernels::TernaryScale::tensor)
    throw ValueError("unpack ternary weights: expected one scale for all of them, got one for each row or group");
  TernaryCodes t{w.rows(), w.columns(), std::vector<std::int8_t>(static_cast<std::size_t>(w.rows() * w.columns())),
                 view.scale(0, 0)};
  kernels::unpack_ternary(t.rows, t.columns, view.codes, t.codes.data(), view.format);
  return t;
}

namespace detail {

/// How files lay ternary weights out, four 2-bit codes a byte, `stride` weights apart. Of weight j, rows flattened:
///   byte = j / (4*stride) * stride + j % stride
///   code = byte >> shift & 3,  shift = 2 * (j / stride % 4), or 6 less that where the first code is the high one
///   weight = scale * (code - 1)
/// Groups of 4 * stride weights are whole.
struct FourCodes {
  std::size_t stride;
  bool first_is_high;

  /// Calls f(j, byte, shift) for each weight.
  template <class F>
  void each(std::size_t weights, F&& f) const {
    for (std::size_t j = 0, group = 0; j < weights; group += stride)
      for (int i = 0; i < 4; ++i)
        for (std::size_t m = 0; m < stride; ++m) f(j++, group + m, first_is_high ? 6 - 2 * i : 2 * i);
  }

  /// `bytes` holds a quarter of rows * columns. Throws FormatError "<where>: ..." for code 3, a scale that is not
  /// finite and above 0, and where every weight is zero.
  TernaryCodes decode(Index rows, Index columns, Bytes bytes, float scale, const std::string& where) const {
    if (!std::isfinite(scale) || scale <= 0)
      throw FormatError(where + ": expected a finite scale above 0, got " + std::to_string(scale));
    TernaryCodes w{rows, columns, std::vector<std::int8_t>(4 * bytes.size()), scale};
    bool zero = !w.codes.empty();
    each(w.codes.size(), [&](std::size_t j, std::size_t byte, int shift) {
      const int code = std::to_integer<int>(bytes[byte]) >> shift & 3;
      if (code == 3)
        throw FormatError(where + ": expected code 0, 1 or 2, got 3 in row " +
                          std::to_string(j / static_cast<std::size_t>(columns)) + ", column " +
                          std::to_string(j % static_cast<std::size_t>(columns)));
      w.codes[j] = static_cast<std::int8_t>(code - 1);
      zero = zero && code == 1;
    });
    if (zero) throw FormatError(where + ": every weight is zero");
    return w;
  }

  /// The inverse, but for the scale. Throws ShapeError unless there are rows * columns codes.
  std::vector<std::byte> encode(const TernaryCodes& w) const {
    if (static_cast<Index>(w.codes.size()) != w.rows * w.columns)
      throw ShapeError("ternary codes: expected " + std::to_string(w.rows * w.columns) + " of them, got " +
                       std::to_string(w.codes.size()));
    std::vector<std::byte> bytes(w.codes.size() / 4);
    each(w.codes.size(), [&](std::size_t j, std::size_t byte, int shift) {
      assert(w.codes[j] >= -1 && w.codes[j] <= 1);
      bytes[byte] |= static_cast<std::byte>((w.codes[j] + 1) << shift);
    });
    return bytes;
  }
};

}  // namespace detail

}  // namespace tern
