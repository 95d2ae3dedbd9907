#pragma once
#include <string>
#include <string_view>

namespace tern {

/// Text from a hostile file, fit for a message: anything but printable ASCII as \xNN.
inline std::string printable(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f)
      out += c;
    else
      (out += "\\x") += {digits[byte >> 4], digits[byte & 15]};
  }
  return out;
}

/// The same in single quotes, cut at 64 bytes.
inline std::string in_quotes(std::string_view text) {
  constexpr std::size_t longest = 64;
  return "'" + printable(text.substr(0, longest)) + (text.size() > longest ? "...'" : "'");
}

}  // namespace tern
