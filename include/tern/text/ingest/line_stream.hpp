#pragma once
/// The lines of a file, in memory for a megabyte of it however large it is.
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "tern/core/error.hpp"
#include "tern/core/quote.hpp"

namespace tern::detail {

class LineStream {
 public:
  /// Throws IoError where the file cannot be read.
  explicit LineStream(const std::filesystem::path& path) : path_(path), file_(path, std::ios::binary) {
    if (!file_) fail();
  }

  /// The next line with its end, or the next piece of one longer than a chunk; false at the end. It lives until the
  /// next call.
  bool next(std::string_view& line) {
    for (std::size_t from = position_;;) {
      const std::size_t end = buffer_.find('\n', from);
      const bool is_long = buffer_.size() - position_ >= chunk;
      if (end != std::string::npos || is_long || (ended_ && position_ < buffer_.size())) {
        const std::size_t past = end != std::string::npos ? end + 1 : buffer_.size();
        line = std::string_view(buffer_).substr(position_, past - position_);
        position_ = past;
        return true;
      }
      if (ended_) return false;
      buffer_.erase(0, position_);
      position_ = 0;
      from = buffer_.size();
      buffer_.resize(from + chunk);
      file_.read(buffer_.data() + from, static_cast<std::streamsize>(chunk));
      if (file_.bad()) fail();
      buffer_.resize(from + static_cast<std::size_t>(file_.gcount()));
      ended_ = file_.eof();
    }
  }

 private:
  static constexpr std::size_t chunk = std::size_t{1} << 20;

  [[noreturn]] void fail() const {
    throw IoError("file " + in_quotes(path_.string()) + ": cannot read: " + std::strerror(errno));
  }

  std::filesystem::path path_;
  std::ifstream file_;
  std::size_t position_ = 0;
  std::string buffer_;
  bool ended_ = false;
};

}  // namespace tern::detail
