#pragma once
/// The mails of an mbox file, one after the other, in memory for one mail however large the file.
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "tern/text/ingest/line_stream.hpp"
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
  MboxStream(const std::filesystem::path& path, std::size_t most) : lines_(path), most_(most) {
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
    for (std::string_view line; lines_.next(line);) {
      const bool is_first_line = is_first_;
      is_first_ = false;
      if (is_first_line && line.starts_with(byte_order_mark)) line.remove_prefix(byte_order_mark.size());
      if (begins_line && line.starts_with("From ") && is_from_line(trim(line))) {
        if (after_blank) return true;
        const std::string from(line);  // reading on may move what `line` points to
        std::string_view next;
        if (!lines_.next(next)) return true;
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

  LineStream lines_;
  std::size_t most_;
  std::string held_;
  bool at_end_ = false, is_mbox_ = false, has_preamble_ = false, is_first_ = true;
};

}  // namespace tern::detail
