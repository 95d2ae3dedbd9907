#pragma once
/// Text of nobody in particular, in a user's language and kind: the control for what an adapter learns that is not the
/// person's own.
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tern/text/ingest.hpp"

namespace tern {

struct GenericText {
  std::string name;  ///< of its folder: "en-prose", "ml", "code"
  Index bytes = 0;
  std::vector<Document> documents;  ///< scrubbed as people's are
};

/// Where the generic text for a language and kind lies: for code the folder "code", else the first of "en-chat", "en"
/// and "en-prose" that one of `folders` has, those in their order. Nothing where there is none.
inline std::optional<std::filesystem::path> find_generic_text(std::span<const std::filesystem::path> folders,
                                                              const std::string& language, const std::string& kind) {
  std::vector<std::string> names = {language + "-" + kind, language, language + "-prose"};
  if (kind == name(Kind::code)) names = {"code"};
  for (const std::string& name : names)
    for (const std::filesystem::path& folder : folders) {
      std::error_code error;  // what cannot be looked at is not there
      if (std::filesystem::is_directory(folder / name, error)) return folder / name;
    }
  return std::nullopt;
}

/// Reads a folder of generic text. Throws as ingest() does.
inline GenericText read_generic_text(const std::filesystem::path& folder) {
  GenericText text;
  text.name = folder.filename().string();
  text.documents = ingest(folder).documents;
  for (const Document& d : text.documents) text.bytes += static_cast<Index>(d.text.size());
  return text;
}

}  // namespace tern
