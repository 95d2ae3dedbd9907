#pragma once
/// What ingestion makes of a person's files.
#include <string>
#include <string_view>
#include <vector>

#include "tern/core/matrix.hpp"
#include "tern/core/token.hpp"

namespace tern {

/// The format family a text came from.
enum class Kind { prose, code, mail, chat, records, subtitles };

inline std::string_view name(Kind kind) {
  switch (kind) {
    case Kind::prose:
      return "prose";
    case Kind::code:
      return "code";
    case Kind::mail:
      return "mail";
    case Kind::chat:
      return "chat";
    case Kind::records:
      return "records";
    case Kind::subtitles:
      return "subtitles";
  }
  return "";
}

/// One text: a file, or one message or record of a file that holds many ("sent.mbox#0003").
struct Document {
  std::string name;  ///< path below the user's folder, '/' between parts
  std::string text;  ///< well-formed UTF-8 in form C, lines ended by '\n'
  Kind kind = Kind::prose;
  Index bytes = 0;  ///< size of the text as it was found, before scrubbing
};

/// A file of token ids that a user brings instead of text.
struct TokenDocument {
  std::string name;
  std::vector<Token> tokens;
};

}  // namespace tern
