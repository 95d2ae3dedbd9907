#pragma once
/// Gathers documents file by file. Conversations wait until all are read: who their owner is shows only then.
#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/text/anonymize.hpp"
#include "tern/text/document.hpp"
#include "tern/text/ingest/chat.hpp"
#include "tern/text/ingest/folder.hpp"
#include "tern/text/ingest/irc.hpp"
#include "tern/text/ingest/mail.hpp"
#include "tern/text/ingest/read_file.hpp"
#include "tern/text/ingest/records.hpp"
#include "tern/text/ingest/slack.hpp"
#include "tern/text/ingest/subtitles.hpp"
#include "tern/text/ingest/telegram.hpp"
#include "tern/text/ingest/token_ids.hpp"
#include "tern/text/ingest/whatsapp.hpp"
#include "tern/text/normalize.hpp"
#include "tern/text/utf8.hpp"

namespace tern {

struct IngestOptions {
  /// Whose words to keep of chats and mail: a name, an address or a service's id. Empty: inferred, see Owner.
  std::string self;
  BadBytes bad_bytes = BadBytes::error;
  /// Replace personal data (anonymize.hpp) in texts. Token ids cannot be scrubbed.
  bool scrub = true;
  /// The field of a .jsonl record that holds its text.
  std::string text_field = "text";
  /// Larger files are skipped.
  std::uintmax_t max_file_bytes = std::uintmax_t{64} << 20;
  std::uintmax_t max_files = 100'000;
};

/// What a folder held. Documents, token_documents and skipped are sorted by name.
struct Ingested {
  std::vector<Document> documents;
  std::vector<TokenDocument> token_documents;
  std::vector<Skipped> skipped;
  std::vector<Owner> owners;  ///< one for each kind of conversation found
  Index replaced = 0;         ///< U+FFFD that stand for bad bytes
  PiiCounts scrubbed{};
};

namespace detail {

enum class Family { unknown, prose, code, mbox, eml, json, records, subtitles, npy, bin };

/// The family of a file by its name's extension, in any case.
inline Family family_of(const std::filesystem::path& path) {
  static const std::map<std::string, Family> families = [] {
    std::map<std::string, Family> all = {{".mbox", Family::mbox},     {".mbx", Family::mbox},
                                         {".eml", Family::eml},       {".json", Family::json},
                                         {".jsonl", Family::records}, {".ndjson", Family::records},
                                         {".srt", Family::subtitles}, {".vtt", Family::subtitles},
                                         {".npy", Family::npy},       {".bin", Family::bin}};
    for (const char* e : {".txt", ".text", ".md", ".markdown", ".rst", ".log", ".org", ".tex", ".adoc"})
      all[e] = Family::prose;
    for (const char* e :
         {".c",   ".cc",   ".cpp",    ".cxx",   ".h",     ".hh",   ".hpp", ".hxx", ".cu",   ".m",    ".mm",    ".swift",
          ".py",  ".pyi",  ".js",     ".mjs",   ".jsx",   ".ts",   ".tsx", ".rs",  ".go",   ".java", ".kt",    ".scala",
          ".cs",  ".fs",   ".rb",     ".php",   ".pl",    ".pm",   ".lua", ".r",   ".jl",   ".hs",   ".ml",    ".mli",
          ".ex",  ".exs",  ".erl",    ".clj",   ".lisp",  ".el",   ".scm", ".sh",  ".bash", ".zsh",  ".fish",  ".ps1",
          ".sql", ".awk",  ".sed",    ".vim",   ".cmake", ".mk",   ".s",   ".asm", ".f90",  ".pas",  ".d",     ".zig",
          ".nim", ".dart", ".groovy", ".proto", ".toml",  ".yaml", ".yml", ".ini", ".cfg",  ".diff", ".patch", ".css"})
      all[e] = Family::code;
    return all;
  }();
  const auto found = families.find(lower(path.extension().string()));
  if (found != families.end()) return found->second;
  return lower(path.filename().string()) == "mbox" ? Family::mbox : Family::unknown;
}

class Reader {
 public:
  Reader(const std::filesystem::path& folder, const IngestOptions& options) : folder_(folder), options_(options) {}

  void skip(std::string name, std::string reason) { result_.skipped.push_back({std::move(name), std::move(reason)}); }

  /// Takes one file in, or skips it.
  void read(const FoundFile& file) {
    const Family family = family_of(file.path);
    if (file.path.filename() == "SOURCE.md") return skip(file.name, "a note on where the texts come from");
    if (family == Family::unknown) return skip(file.name, "unknown extension '" + file.path.extension().string() + "'");
    if (file.bytes == 0) return skip(file.name, "empty");
    if (file.bytes > options_.max_file_bytes)
      return skip(file.name,
                  std::to_string(file.bytes) + " bytes, more than " + std::to_string(options_.max_file_bytes));
    const std::string bytes = read_file(file.path, file.bytes);
    switch (family) {
      case Family::prose:
        return read_prose(file, bytes);
      case Family::code:
        return add({file.name, text_of(file, bytes), Kind::code, 0});
      case Family::mbox:
      case Family::eml:
        return read_mails(file, bytes, family == Family::mbox);
      case Family::json:
        return read_json(file, bytes);
      case Family::records:
        return add_records(file, bytes);
      case Family::subtitles:
        return add({file.name, read_subtitles(text_of(file, bytes)), Kind::subtitles, 0});
      case Family::npy:
        return result_.token_documents.push_back({file.name, read_npy(bytes, file.path.string())});
      case Family::bin:
        return result_.token_documents.push_back({file.name, read_bin(bytes, file.path.string())});
      case Family::unknown:
        break;
    }
  }

  /// Chooses the conversations' owners and gives the result up. Throws FormatError if there is no text at all.
  Ingested finish() && {
    for (const auto& [name, json] : slack_) chats_.push_back(read_slack(json, name, slack_users_));
    for (std::string_view service : {"whatsapp", "telegram", "slack", "irc", "mail"}) add_own_words(service);
    if (result_.documents.empty() && result_.token_documents.empty()) refuse_empty();
    const auto by_name = [](const auto& a, const auto& b) { return a.name < b.name; };
    std::stable_sort(result_.documents.begin(), result_.documents.end(), by_name);
    std::stable_sort(result_.skipped.begin(), result_.skipped.end(), by_name);
    return std::move(result_);
  }

 private:
  std::string text_of(const FoundFile& file, std::string_view bytes) {
    Utf8Result decoded = decode_utf8(bytes, file.path.string(), options_.bad_bytes);
    result_.replaced += decoded.replaced;
    return unix_lines(decoded.text);
  }

  /// Every text passes here on its way into the result.
  void add(Document document) {
    // An escape in JSON or HTML may name NUL, which is no text.
    document.text = nfc(decode_utf8(document.text, document.name, BadBytes::replace).text);
    if (trim(document.text).empty()) return skip(std::move(document.name), "no text in it");
    document.bytes = static_cast<Index>(document.text.size());
    if (options_.scrub) {
      Scrubbed clean = scrub(document.text);
      document.text = std::move(clean.text);
      for (std::size_t i = 0; i < clean.counts.size(); ++i) result_.scrubbed[i] += clean.counts[i];
    }
    result_.documents.push_back(std::move(document));
  }

  void read_prose(const FoundFile& file, std::string_view bytes) {
    std::string text = text_of(file, bytes);
    const std::string extension = lower(file.path.extension().string());
    Chat chat;
    if (extension == ".txt" && is_whatsapp(text)) chat = read_whatsapp(text, file.name);
    if ((extension == ".txt" || extension == ".log") && is_irc(text)) chat = read_irc(text, file.name);
    if (chat.messages.empty())  // a diary, too, may begin with a date
      add({file.name, std::move(text), Kind::prose, 0});
    else
      add_chat(std::move(chat));
  }

  void read_mails(const FoundFile& file, std::string_view bytes, bool is_mbox) {
    Mailbox mailbox = read_mail(bytes, file.name, is_mbox, options_.bad_bytes);
    result_.replaced += mailbox.replaced;
    std::move(mailbox.mails.begin(), mailbox.mails.end(), std::back_inserter(chats_));
  }

  void read_json(const FoundFile& file, std::string_view bytes) {
    Json json = parse_json(text_of(file, bytes), file.path.string());
    if (is_telegram(json)) {
      for (Chat& chat : read_telegram(json, file.name)) add_chat(std::move(chat));
    } else if (is_slack(json)) {
      slack_.emplace_back(file.name, std::move(json));
    } else if (SlackUsers users = read_slack_users(json); !users.empty()) {
      slack_users_.merge(users);
      skip(file.name, "Slack's list of people, read for their names");
    } else {
      skip(file.name, "JSON that is neither a Telegram nor a Slack export");
    }
  }

  void add_records(const FoundFile& file, std::string_view bytes) {
    Records records = read_records(text_of(file, bytes), file.name, options_.text_field);
    for (Document& document : records.documents) add(std::move(document));
    if (records.without_text > 0)
      skip(file.name,
           std::to_string(records.without_text) + " records without a text in field '" + options_.text_field + "'");
  }

  void add_chat(Chat chat) {
    if (chat.messages.empty()) return skip(std::move(chat.name), "no messages in it");
    chats_.push_back(std::move(chat));
  }

  void add_own_words(std::string_view service) {
    std::vector<const Chat*> chats;
    for (const Chat& chat : chats_)
      if (chat.service == service && !chat.messages.empty()) chats.push_back(&chat);
    if (chats.empty()) return;
    const Owner owner = choose_owner(chats, options_.self, folder_name());
    for (const Chat* chat : chats) {
      std::string words = own_words(*chat, owner);
      if (trim(words).empty())
        skip(chat->name, "nothing written by '" + owner.name + "'");
      else
        add({chat->name, std::move(words), service == "mail" ? Kind::mail : Kind::chat, 0});
    }
    result_.owners.push_back(owner);
  }

  std::string folder_name() const {
    const std::filesystem::path whole = std::filesystem::absolute(folder_).lexically_normal();
    return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
  }

  [[noreturn]] void refuse_empty() const {
    std::string message = "user folder '" + folder_.string() + "': expected at least one text, got none";
    for (std::size_t i = 0; i < result_.skipped.size() && i < 3; ++i)
      message += (i == 0 ? " (skipped " : "; ") + result_.skipped[i].name + ": " + result_.skipped[i].reason;
    if (result_.skipped.size() > 3) message += "; and " + std::to_string(result_.skipped.size() - 3) + " more";
    throw FormatError(message + (result_.skipped.empty() ? "" : ")"));
  }

  std::filesystem::path folder_;
  IngestOptions options_;
  Ingested result_;
  std::vector<Chat> chats_;
  std::vector<std::pair<std::string, Json>> slack_;
  SlackUsers slack_users_;
};

}  // namespace detail
}  // namespace tern
