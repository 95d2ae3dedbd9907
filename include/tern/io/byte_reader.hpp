#pragma once
#include <string>

#include "tern/core/error.hpp"
#include "tern/core/quote.hpp"
#include "tern/io/bytes.hpp"

namespace tern {

/// Walks borrowed bytes of a hostile file from front to back. Whatever passes the end is a FormatError
///   <place> at byte <offset>: <what> needs <n> bytes, <m> remain
/// where `place` names format and file: "gguf 'm.gguf'".
class ByteReader {
 public:
  ByteReader(Bytes bytes, std::string place) : bytes_(bytes), place_(std::move(place)) {}

  std::size_t offset() const { return offset_; }
  std::size_t remaining() const { return bytes_.size() - offset_; }

  template <class T>
  T number(std::string_view what) {
    return load_little<T>(take(sizeof(T), what).data());
  }

  /// The next `count` bytes.
  Bytes take(std::uint64_t count, std::string_view what) {
    if (count > remaining())
      fail(offset_, std::string(what) + " needs " + std::to_string(count) + " bytes, " + std::to_string(remaining()) +
                        " remain");
    const Bytes taken = bytes_.subspan(offset_, static_cast<std::size_t>(count));
    offset_ += taken.size();
    return taken;
  }

  /// The next `count` bytes, after a length of type Length.
  template <class Length>
  std::string_view text(std::string_view what) {
    const auto count = number<Length>(what);
    return text_of(take(count, what));
  }

  /// A count of items that take at least `least` bytes each: more than the rest can hold is an error.
  template <class Count>
  std::size_t count(std::size_t least, std::string_view what) {
    const std::size_t at = offset_;
    const auto n = number<Count>(what);
    if (n > remaining() / least)
      fail(at, std::string(what) + " is " + std::to_string(n) + ", the " + std::to_string(remaining()) +
                   " bytes that remain hold at most " + std::to_string(remaining() / least));
    return static_cast<std::size_t>(n);
  }

  /// Throws FormatError with place and offset.
  [[noreturn]] void fail(std::size_t at, const std::string& message) const {
    throw FormatError(place_ + " at byte " + std::to_string(at) + ": " + message);
  }

 private:
  Bytes bytes_;
  std::string place_;
  std::size_t offset_ = 0;
};

}  // namespace tern
