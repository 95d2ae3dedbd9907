#pragma once
/// Token ids in place of text: .npy (versions 1 to 3, one dimension, little-endian integers) and bare .bin
/// (little-endian int32, or uint16 where the name ends in ".u16.bin").
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "tern/core/error.hpp"
#include "tern/core/quote.hpp"
#include "tern/core/token.hpp"
#include "tern/text/lines.hpp"
#include "tern/text/pattern.hpp"

namespace tern::detail {

[[noreturn]] inline void bad_tokens(std::string_view source, const std::string& what) {
  throw FormatError("token ids " + in_quotes(source) + ": " + what);
}

/// Reads `bytes` as integers of `width` bytes. Throws FormatError naming the first that is no token id.
inline std::vector<Token> read_integers(std::string_view bytes, std::size_t width, bool is_signed,
                                        std::string_view source) {
  if (bytes.size() % width != 0)
    bad_tokens(source,
               "expected a multiple of " + std::to_string(width) + " bytes, got " + std::to_string(bytes.size()));
  std::vector<Token> tokens;
  tokens.reserve(bytes.size() / width);
  for (std::size_t at = 0; at < bytes.size(); at += width) {
    std::uint64_t value = 0;
    for (std::size_t i = width; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
    const bool is_negative = is_signed && value >> (8 * width - 1) != 0;
    if (is_negative || value > static_cast<std::uint64_t>(std::numeric_limits<Token>::max()))
      bad_tokens(source, "id " + std::to_string(at / width) + ": expected 0 to 2^31 - 1, got " +
                             (is_negative ? "a negative number" : std::to_string(value)));
    tokens.push_back(static_cast<Token>(value));
  }
  return tokens;
}

inline std::vector<Token> read_bin(std::string_view bytes, std::string_view source) {
  const bool is_short = source.size() >= 8 && source.substr(source.size() - 8) == ".u16.bin";
  return read_integers(bytes, is_short ? 2 : 4, !is_short, source);
}

inline std::vector<Token> read_npy(std::string_view bytes, std::string_view source) {
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i])); };
  if (bytes.size() < 12 || bytes.substr(0, 6) != "\x93NUMPY") bad_tokens(source, "expected a .npy file");
  const std::size_t version = byte(6);
  if (version < 1 || version > 3) bad_tokens(source, "expected .npy version 1, 2 or 3, got " + std::to_string(version));
  const std::size_t start = version == 1 ? 10 : 12;
  const std::size_t length = byte(8) | byte(9) << 8 | (version == 1 ? 0 : byte(10) << 16 | byte(11) << 24);
  if (length > bytes.size() - start)
    bad_tokens(source, "expected a header of " + std::to_string(length) + " bytes, got " +
                           std::to_string(bytes.size() - start));
  const std::string_view header = bytes.substr(start, length);
  const std::string_view data = bytes.substr(start + length);

  for (char c : header)
    if (static_cast<unsigned char>(c) >= 0x80) bad_tokens(source, "expected a header in ASCII");
  static const Pattern descr("npy descr", R"('descr': \s* '([<|]) ([iu]) ([1248])')");
  static const Pattern order("npy fortran_order", R"('fortran_order': \s* False)");
  static const Pattern shape("npy shape", R"('shape': \s* \(\s* (\d{1,15}) \s* ,? \s*\))");
  const auto type = descr.find(header), extent = shape.find(header);
  if (!type) bad_tokens(source, "expected little-endian integers, got header " + in_quotes(trim(header), 200));
  if (!order.matches(header)) bad_tokens(source, "expected C order, got header " + in_quotes(trim(header), 200));
  if (!extent) bad_tokens(source, "expected one dimension, got header " + in_quotes(trim(header), 200));
  const auto width = static_cast<std::size_t>(type->group(3).front() - '0');
  const std::uint64_t count = std::stoull(std::string(extent->group(1)));
  if (count != data.size() / width || data.size() % width != 0)
    bad_tokens(source, "expected " + std::to_string(count) + " ids of " + std::to_string(width) + " bytes, got " +
                           std::to_string(data.size()) + " bytes");
  return read_integers(data, width, type->group(2) == "i", source);
}

}  // namespace tern::detail
