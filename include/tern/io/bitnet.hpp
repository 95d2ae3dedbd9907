#pragma once
#include "tern/io/safetensors.hpp"
#include "tern/io/ternary_codes.hpp"

namespace tern {

/// What `weight_scale` of a packed BitNet checkpoint does to the codes. The tensors do not say: it multiplies where
/// `quantization_config` of config.json has "linear_class": "autobitlinear" (BitNet b1.58 2B4T), and divides elsewhere.
enum class BitnetScale { multiplies, divides };

/// A projection of a BitNet checkpoint in Hugging Face's packed ("offline") form: `<name>.weight`, U8
/// [rows/4 x columns], bits 2i of its row r holding row i*rows/4 + r, and `<name>.weight_scale`, one number. A scale
/// that divides is inverted, rounded once to float. Throws FormatError "<file>: tensor '<name>.weight': ..." for
/// another dtype or shape, code 3, a scale that is not finite and above 0, and where every weight is zero.
inline TernaryCodes decode_bitnet(const SafetensorsFile& file, const std::string& name, BitnetScale rule) {
  const SafeTensor& weight = file.tensor(name + ".weight");
  const SafeTensor& scale = file.tensor(name + ".weight_scale");
  const auto place = [&](const SafeTensor& t) { return file.place() + ": tensor " + in_quotes(t.name); };
  const auto found = [](const SafeTensor& t) {
    std::string shape;
    for (const Index extent : t.shape) shape += (shape.empty() ? "" : " x ") + std::to_string(extent);
    return ", got " + std::string(tern::name(t.dtype)) + " [" + shape + "]";
  };
  if (weight.dtype != DType::u8 || weight.shape.size() != 2)
    throw FormatError(place(weight) + ": expected U8 [rows/4 x columns]" + found(weight));
  const bool number =
      scale.dtype == DType::f64 || scale.dtype == DType::f32 || scale.dtype == DType::bf16 || scale.dtype == DType::f16;
  if (!number || scale.rows() * scale.columns() != 1)
    throw FormatError(place(scale) + ": expected one floating-point number" + found(scale));
  Index rows = 0;
  if (__builtin_mul_overflow(4, weight.rows(), &rows))
    throw FormatError(place(weight) + ": its number of rows passes 2^63" + found(weight));
  const double value = to_matrix<double>(scale)(0, 0);
  return detail::FourCodes{weight.bytes.size(), false}.decode(
      rows, weight.columns(), weight.bytes, static_cast<float>(rule == BitnetScale::divides ? 1 / value : value),
      place(weight));
}

/// The inverse: the bytes of `<name>.weight`. Its `weight_scale` is w.scale, or 1 / w.scale where it divides. Throws
/// ValueError unless the rows are a multiple of 4.
inline std::vector<std::byte> encode_bitnet(const TernaryCodes& w) {
  if (w.rows % 4 != 0)
    throw ValueError("encode BitNet weights: expected a multiple of 4 rows, got " + std::to_string(w.rows));
  return detail::FourCodes{w.codes.size() / 4, false}.encode(w);
}

}  // namespace tern
