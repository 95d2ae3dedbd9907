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
///   .txt .md .rst .log ...   as they are (a .txt that is a WhatsApp export or an IRC log, as a chat)
///   source code              as it is
///   .mbox .eml               one document a mail: subject and body, without quotations and signature
///   .json                    Telegram and Slack exports
///   .jsonl                   one document a record
///   .srt .vtt                what is said
///   .npy .bin                token ids: integers in C order; little-endian int32 (".u16.bin": uint16)
/// Of chats and mail only one person's words are kept; `owners` says whose. Other files are skipped, with a reason, and
/// nothing is ever written. Throws IoError where folder or file cannot be read, FormatError naming the file where its
/// content breaks its format or where the folder holds no text at all.
inline Ingested ingest(const std::filesystem::path& folder, const IngestOptions& options = {}) {
  detail::FolderListing listing = detail::list_folder(folder, options.max_files);
  detail::Reader reader(folder, options);
  for (Skipped& skipped : listing.skipped) reader.skip(std::move(skipped.name), std::move(skipped.reason));
  for (const detail::FoundFile& file : listing.files) reader.read(file);
  return std::move(reader).finish();
}

}  // namespace tern
