#pragma once
/// JSON lines: one object a line, its text in one field.
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tern/text/document.hpp"
#include "tern/text/ingest/chat.hpp"
#include "tern/text/ingest/dates.hpp"
#include "tern/text/ingest/json.hpp"
#include "tern/text/ingest/notes.hpp"
#include "tern/text/lines.hpp"

namespace tern::detail {

/// The names of the parts of one file: "sent.mbox#0003".
inline std::string part_name(const std::string& file, std::size_t number) {
  const std::string digits = std::to_string(number);
  return file + '#' + std::string(digits.size() < 6 ? 6 - digits.size() : 0, '0') + digits;
}

struct Records {
  std::vector<Document> documents;
  Omissions omitted;   ///< records without a text, and broken ones
  Index replaced = 0;  ///< halves of surrogate pairs
};

/// One document a record, numbered by its line from 1. A record that is no JSON is left out and counted; `strict`, it
/// is a FormatError that names its line.
inline Records read_records(std::string_view text, const std::string& name, std::string_view field, bool strict) {
  Records records;
  std::size_t number = 0;
  for (std::string_view line : lines(text)) {
    ++number;
    if (trim(line).empty()) continue;
    std::string record(line), found;
    std::optional<Time> time;
    records.replaced += mend_surrogates(record);
    try {
      const Json json = parse_json(record, name + ":" + std::to_string(number));
      found = string_field(json, field);
      if (json.is_object()) time = time_of_record(json);
    } catch (const FormatError&) {
      if (strict) throw;
      ++records.omitted["a record that is no JSON"];
      continue;
    }
    if (trim(found).empty())
      ++records.omitted["a record without a text in field " + in_quotes(field)];
    else
      records.documents.push_back({part_name(name, number), found, kind_of_text(found), 0, time});
  }
  return records;
}

}  // namespace tern::detail
