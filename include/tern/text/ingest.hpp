#pragma once
/// A person's folder, as it is, becomes documents. ingest() is all that most programs need.
#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tern/text/anonymize.hpp"
#include "tern/text/document.hpp"
#include "tern/text/ingest/folder.hpp"
#include "tern/text/ingest/reader.hpp"

namespace tern {

/// Reads every file below `folder`, in the order of their paths:
///   .txt .md .rst .log ...   as they are (a .txt that is a WhatsApp export or an IRC log, as a chat, cut at silences)
///   source code              as it is
///   .mbox .eml               one document a mail: subject and body, without quotations and signature
///   .json                    Telegram and Slack exports
///   .jsonl                   one document a record
///   .srt .vtt                what is said
///   .npy .bin                token ids: integers in C order; little-endian int32 (".u16.bin": uint16)
///   git repositories         with options.git: messages of commits and lines added, by one author
/// Of chats, mail and repositories only one person's words are kept; `owners` says whose. What cannot be used is skipped, the smallest
/// part of it (a mail, a record, a file), and counted with its reason. Nothing is ever written. Throws IoError where the
/// folder cannot be read, FormatError where it holds no text at all; and, with options.strict, FormatError or IoError at
/// the first thing that cannot be read.
inline Ingested ingest(const std::filesystem::path& folder, const IngestOptions& options = {}) {
  detail::FolderListing listing = detail::list_folder(folder, {options.max_files, options.strict, options.git != nullptr});
  detail::Reader reader(folder, options);
  for (Skipped& skipped : listing.skipped) reader.skip(std::move(skipped.name), std::move(skipped.reason));
  for (const detail::FoundFile& file : listing.files) reader.read(file);
  for (const detail::FoundFile& repository : listing.repositories) reader.read_repository(repository);
  return std::move(reader).finish();
}

}  // namespace tern
