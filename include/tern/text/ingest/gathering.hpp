#pragma once
/// What comes of a folder: where every text goes, and everything that is left out.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/text/anonymize.hpp"
#include "tern/text/document.hpp"
#include "tern/text/ingest/charset.hpp"
#include "tern/text/ingest/chat.hpp"
#include "tern/text/ingest/folder.hpp"
#include "tern/text/ingest/git_log.hpp"
#include "tern/text/ingest/read_file.hpp"
#include "tern/text/normalize.hpp"
#include "tern/text/utf8.hpp"

namespace tern {

struct IngestOptions {
  /// Whose words to keep of chats and mail: names, addresses or a service's ids, all of one person. None: inferred, see
  /// Owner.
  std::vector<std::string> self;
  /// Throw at the first thing that cannot be read, instead of leaving it out and counting it.
  bool strict = false;
  /// Replace personal data (anonymize.hpp) in texts. Token ids cannot be scrubbed.
  bool scrub = true;
  /// Runs git where a folder is a repository: its history is read for one author's words, instead of its files. None:
  /// it is a folder like others.
  GitRunner git = nullptr;
  /// The field of a .jsonl record that holds its text.
  std::string text_field = "text";
  /// Larger files are skipped, except mailboxes, exports of chats and records, which are read part by part.
  std::uintmax_t max_file_bytes = std::uintmax_t{64} << 20;
  std::uintmax_t max_mail_bytes = std::uintmax_t{48} << 20;
  /// Text of one person beyond this is skipped.
  std::uintmax_t max_text_bytes = std::uintmax_t{32} << 20;
  std::uintmax_t max_files = 100'000;
};

/// What a folder held. Documents, token_documents and skipped are sorted by name.
struct Ingested {
  std::vector<Document> documents;
  std::vector<TokenDocument> token_documents;
  std::vector<Skipped> skipped;
  std::vector<Owner> owners;  ///< one for each kind of conversation found
  Index replaced = 0;         ///< U+FFFD that stand for bad bytes and halves of characters
  PiiCounts scrubbed{};
};

namespace detail {

/// The result of a folder while it is read. Readers of files add to it; nothing else changes it.
class Gathering : public Ingested {
 public:
  Gathering(const std::filesystem::path& folder, const IngestOptions& options) : folder_(folder), options_(options) {}

  const IngestOptions& options() const { return options_; }

  void skip(std::string name, std::string reason, Index count = 1) {
    skipped.push_back({std::move(name), std::move(reason), count});
  }

  /// Counts one part of a file as left out.
  void omit(const std::string& file, const std::string& reason, Index count = 1) {
    if (count == 0) return;
    const auto same = std::find_if(skipped.rbegin(), skipped.rend(),
                                   [&](const Skipped& s) { return s.name == file && s.reason == reason; });
    if (same == skipped.rend())
      skip(file, reason, count);
    else
      same->count += count;
  }
  void omit(const std::string& file, const Omissions& omissions) {
    for (const auto& [reason, count] : omissions) omit(file, reason, count);
  }

  /// Every text passes here on its way into the result.
  void add(Document document, const std::string& file) {
    const auto beyond = [&] {
      omit(file, "a text beyond the person's first " + std::to_string(options_.max_text_bytes) + " bytes");
    };
    if (document.text.size() / 16 > room()) return beyond();  // no normalisation makes a text that much shorter
    // An escape in JSON or HTML may name NUL, which is no text.
    document.text = nfc(decode_utf8(document.text, document.name, BadBytes::replace).text);
    if (trim(document.text).empty()) return skip(std::move(document.name), "no text in it");
    document.bytes = static_cast<Index>(document.text.size());
    if (text_bytes_ + document.text.size() > options_.max_text_bytes) return beyond();
    text_bytes_ += document.text.size();
    if (options_.scrub) {
      Scrubbed clean = scrub(document.text);
      document.text = std::move(clean.text);
      for (std::size_t i = 0; i < clean.counts.size(); ++i) scrubbed[i] += clean.counts[i];
    }
    documents.push_back(std::move(document));
  }

  /// The file's text, see decode_file. Throws FormatError where over 1% of it is none; any of it, if strict.
  std::string text_of(const FoundFile& file, std::string_view bytes) {
    Utf8Result decoded = decode_file(bytes);
    if (options_.strict && decoded.replaced > 0) decode_utf8(bytes, file.path.string(), BadBytes::error);
    if (is_mostly_bad(decoded))
      throw FormatError("expected text, got " + std::to_string(decoded.replaced) +
                        " characters that are none, over 1%");
    replaced += decoded.replaced;
    return unix_lines(decoded.text);
  }

  /// Bytes of text that the person may still have.
  std::size_t room() const {
    return static_cast<std::size_t>(options_.max_text_bytes - std::min(text_bytes_, options_.max_text_bytes));
  }

  /// Whether there is room left at all.
  bool has_room() const { return text_bytes_ <= options_.max_text_bytes; }

  bool has_utf16_mark(const FoundFile& file) const {
    const std::string mark = read_file(file.path, std::min<std::uintmax_t>(file.bytes, 2));
    return mark == "\xFF\xFE" || mark == "\xFE\xFF";
  }
  void expect_modest(const FoundFile& file) const {
    if (file.bytes > options_.max_file_bytes)
      throw FormatError(std::to_string(file.bytes) + " bytes, more than " + std::to_string(options_.max_file_bytes));
  }

  std::string folder_name() const {
    const std::filesystem::path whole = std::filesystem::absolute(folder_).lexically_normal();
    return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
  }

  /// Gives the result up. Throws FormatError if there is no text at all.
  Ingested finish() && {
    if (documents.empty() && token_documents.empty()) refuse_empty();
    const auto by_name = [](const auto& a, const auto& b) { return a.name < b.name; };
    std::stable_sort(documents.begin(), documents.end(), by_name);
    std::stable_sort(skipped.begin(), skipped.end(), by_name);
    return std::move(*this);
  }

 private:
  [[noreturn]] void refuse_empty() const {
    std::string message = "user folder " + in_quotes(folder_.string()) + ": expected at least one text, got none";
    for (std::size_t i = 0; i < skipped.size() && i < 3; ++i)
      message += (i == 0 ? " (skipped " : "; ") + skipped[i].name + ": " + skipped[i].reason;
    if (skipped.size() > 3) message += "; and " + std::to_string(skipped.size() - 3) + " more";
    throw FormatError(message + (skipped.empty() ? "" : ")"));
  }

  std::filesystem::path folder_;
  IngestOptions options_;
  std::uintmax_t text_bytes_ = 0;
};

}  // namespace detail
}  // namespace tern
