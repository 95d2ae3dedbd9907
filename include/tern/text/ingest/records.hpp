#pragma once
/// JSON lines: one object a line, its text in one field.
#include <string>
#include <string_view>
#include <vector>

#include "tern/text/document.hpp"
#include "tern/text/ingest/json.hpp"
#include "tern/text/lines.hpp"

namespace tern::detail {

/// The names of the parts of one file: "sent.mbox#0003".
inline std::string part_name(const std::string& file, std::size_t number) {
  const std::string digits = std::to_string(number);
  return file + '#' + std::string(digits.size() < 6 ? 6 - digits.size() : 0, '0') + digits;
}

struct Records {
  std::vector<Document> documents;
  Index without_text = 0;  ///< records that lack the field
};

/// One document a record, numbered by its line from 1. Throws FormatError naming the line of broken JSON.
inline Records read_records(std::string_view text, const std::string& name, std::string_view field) {
  Records records;
  std::size_t number = 0;
  for (std::string_view line : lines(text)) {
    ++number;
    if (trim(line).empty()) continue;
    std::string found = string_field(parse_json(line, name + ":" + std::to_string(number)), field);
    if (trim(found).empty())
      ++records.without_text;
    else
      records.documents.push_back({part_name(name, number), std::move(found), Kind::records, 0});
  }
  return records;
}

}  // namespace tern::detail
