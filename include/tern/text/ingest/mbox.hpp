#pragma once
/// The mails of an mbox file, one after the other, in memory for one mail however large the file.
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "tern/core/error.hpp"
#include "tern/core/quote.hpp"
#include "tern/text/lines.hpp"
#include "tern/text/pattern.hpp"
#include "tern/text/utf8.hpp"

namespace tern::detail {

/// Whether a line separates mails: "From ", a sender, a date. "From now on I write daily." does not.
inline bool is_from_line(std::string_view line) {
  if (!line.starts_with("From ") || line.size() > 512) return false;
  static const Pattern pattern("From line", R"re(
    (?(DEFINE) (?<month> jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec )
               (?<time> \d{1,2}:\d{2} (?: :\d{2} )? ) (?<zone> [+-]\d{4} | \(?[a-z]{1,5}\)? ) )
    ^ From \s+ \S{1,256}+ (?: \s at \s \S+ )? \s+ (?: (?:mon|tue|wed|thu|fri|sat|sun) [a-z]{0,6} ,? \s+ )?
    (?: (?&month) \s+ \d{1,2} \s+ (?&time) (?: \s+ (?&zone) ){0,2} \s+ \d{4} (?: \s+ (?&zone) ){0,2}
      | \d{1,2} [\s-] (?&month) [\s-] \d{2,4} \s+ (?&time) (?: \s+ (?&zone) ){0,2}
      | \d{4}-\d\d-\d\d [T ] (?&time) \S* (?: \s+ (?&zone) )? )
    (?: \s+ remote\ from\ \S+ )? \s* $ )re",
                               PCRE2_CASELESS);
  return find_ill_formed(line) == std::string_view::npos && pattern.matches(line);
}

class MboxStream {
 public:
  struct Mail {
    std::string bytes;          ///< without its From line
    bool is_too_large = false;  ///< then bytes holds its beginning
  };

  /// Throws IoError where the file cannot be read. A mail of more than `most` bytes is cut.
  MboxStream(const std::filesystem::path& path, std::size_t most)
      : path_(path), file_(path, std::ios::binary), most_(most) {
    if (!file_) fail();
    Mail preamble;
    is_mbox_ = collect(preamble);
    std::string_view words = preamble.bytes;
    if (words.starts_with(byte_order_mark)) words.remove_prefix(byte_order_mark.size());
    has_preamble_ = !trim(words).empty();
  }

  /// The next mail; false at the end.
  bool next(Mail& mail) {
    if (!is_mbox_ || at_end_) return false;
    at_end_ = !collect(mail);
    return true;
  }

  /// Whether there is a From line at all.
  bool is_mbox() const { return is_mbox_; }
  /// Whether words stand before the first From line.
  bool has_preamble() const { return has_preamble_; }

 private:
  static constexpr std::size_t chunk = std::size_t{1} << 20;

  [[noreturn]] void fail() const {
    throw IoError("file " + in_quotes(path_.string()) + ": cannot read: " + std::strerror(errno));
  }

  /// Gathers lines up to the next From line; false where the file ends instead.
  bool collect(Mail& mail) {
    mail.bytes = std::move(held_);
    held_.clear();
    mail.is_too_large = false;
    const auto keep = [&](std::string_view line) {
      if (mail.bytes.size() + line.size() <= most_)
        mail.bytes += line;
      else
        mail.is_too_large = true;
    };
    bool begins_line = true, after_blank = true;
    for (std::string_view line; read_line(line);) {
      const bool is_first_line = is_first_;
      is_first_ = false;
      if (is_first_line && line.starts_with(byte_order_mark)) line.remove_prefix(byte_order_mark.size());
      if (begins_line && line.starts_with("From ") && is_from_line(trim(line))) {
        if (after_blank) return true;
        const std::string from(line);  // reading on may move what `line` points to
        std::string_view next;
        if (!read_line(next)) return true;
        held_ = next;
        if (is_header(next)) return true;
        keep(from);
        keep(held_);
        held_.clear();
        line = next;
      } else {
        keep(line);
      }
      begins_line = line.ends_with('\n');
      after_blank = begins_line && trim(line).empty();
    }
    return false;
  }

  static bool is_header(std::string_view line) {
    const std::string_view label = line.substr(0, line.find(':'));
    return label.size() < line.size() && !label.empty() && label.find_first_of(" \t") == std::string_view::npos;
  }

  /// The next line with its end, or the next piece of one longer than a chunk. It lives until the next call.
  bool read_line(std::string_view& line) {
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

  std::filesystem::path path_;
  std::ifstream file_;
  std::size_t most_, position_ = 0;
  std::string buffer_, held_;
  bool ended_ = false, at_end_ = false, is_mbox_ = false, has_preamble_ = false, is_first_ = true;
};

}  // namespace tern::detail
