#pragma once
/// JSON lines: one object a line, its text in one field.
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tern/text/document.hpp"
#include "tern/text/ingest/charset.hpp"
#include "tern/text/ingest/chat.hpp"
#include "tern/text/ingest/dates.hpp"
#include "tern/text/ingest/json.hpp"
#include "tern/text/ingest/notes.hpp"
#include "tern/text/lines.hpp"
#include "tern/text/utf8.hpp"

namespace tern::detail {

/// The names of the parts of one file: "sent.mbox#0003".
inline std::string part_name(const std::string& file, std::size_t number) {
  const std::string digits = std::to_string(number);
  return file + '#' + std::string(digits.size() < 6 ? 6 - digits.size() : 0, '0') + digits;
}

/// The records of one file, one a line, taken one by one.
class Records {
 public:
  Records(std::string name, std::string field, bool strict)
      : name_(std::move(name)), field_(std::move(field)), strict_(strict) {}

  /// The document that a line holds, numbered from 1; nothing for a blank line, and, counted, for what is no record
  /// with a text. `strict`, what is no JSON is a FormatError that names its line.
  std::optional<Document> read(std::string_view line) {
    ++number_;
    if (number_ == 1 && line.starts_with(byte_order_mark)) line.remove_prefix(byte_order_mark.size());
    if (trim(line).empty()) return std::nullopt;
    Utf8Result record = decode_utf8(line, "", BadBytes::replace);
    if (strict_ && record.replaced > 0) decode_utf8(line, name_ + ":" + std::to_string(number_), BadBytes::error);
    if (is_mostly_bad(record, true)) return omit("a record of characters that are none");
    record.replaced += mend_surrogates(record.text);
    std::string found;
    std::optional<Time> time;
    try {
      const Json json = parse_json(record.text, name_ + ":" + std::to_string(number_));
      found = string_field(json, field_);
      if (json.is_object()) time = time_of_record(json);
    } catch (const FormatError&) {
      if (strict_) throw;
      return omit("a record that is no JSON");
    }
    if (trim(found).empty()) return omit("a record without a text in field " + in_quotes(field_));
    replaced += record.replaced;
    const Kind kind = kind_of_text(found);
    return Document{part_name(name_, number_), std::move(found), kind, 0, time};
  }

  /// Leaves a line out.
  std::nullopt_t omit(const std::string& reason) {
    ++omitted[reason];
    return std::nullopt;
  }
  void omit_line(const std::string& reason) {
    ++number_;
    omit(reason);
  }

  Omissions omitted;   ///< records without a text, and broken ones
  Index replaced = 0;  ///< bad bytes and halves of surrogate pairs

 private:
  std::string name_, field_;
  bool strict_;
  std::size_t number_ = 0;
};

}  // namespace tern::detail
