#pragma once
/// What ingestion makes of a person's files.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tern/core/matrix.hpp"
#include "tern/core/token.hpp"

namespace tern {

/// What sort of writing a text is.
enum class Kind { prose, chat, mail, code, notes, transcript };

inline constexpr std::array all_kinds = {Kind::prose, Kind::chat,  Kind::mail,
                                         Kind::code,  Kind::notes, Kind::transcript};

constexpr std::string_view name(Kind kind) {
  constexpr std::string_view names[] = {"prose", "chat", "mail", "code", "notes", "transcript"};
  return names[static_cast<std::size_t>(kind)];
}

/// Seconds since 1970-01-01. Files that know no time zone are read as UTC: times order one person's documents.
using Time = std::int64_t;

/// One text: a file, or one message, record or stretch of conversation of a file that holds many ("sent.mbox#0003").
struct Document {
  std::string name;  ///< path below the user's folder, '/' between parts
  std::string text;  ///< well-formed UTF-8 in form C, lines ended by '\n'
  Kind kind = Kind::prose;
  Index bytes = 0;                ///< size of the text as it was found, before scrubbing
  std::optional<Time> time = {};  ///< when it was written, where its file says so; never a file's own time stamp
};

/// A file of token ids that a user brings instead of text.
struct TokenDocument {
  std::string name;
  std::vector<Token> tokens;
};

}  // namespace tern
