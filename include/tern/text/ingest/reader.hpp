#pragma once
/// Takes files in one by one, each as its family is read.
#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tern/text/ingest/conversations.hpp"
#include "tern/text/ingest/dates.hpp"
#include "tern/text/ingest/family.hpp"
#include "tern/text/ingest/gathering.hpp"
#include "tern/text/ingest/irc.hpp"
#include "tern/text/ingest/line_stream.hpp"
#include "tern/text/ingest/mailboxes.hpp"
#include "tern/text/ingest/notes.hpp"
#include "tern/text/ingest/records.hpp"
#include "tern/text/ingest/repositories.hpp"
#include "tern/text/ingest/subtitles.hpp"
#include "tern/text/ingest/token_ids.hpp"
#include "tern/text/ingest/whatsapp.hpp"

namespace tern::detail {

class Reader {
 public:
  Reader(const std::filesystem::path& folder, const IngestOptions& options) : into_(folder, options) {}
  Reader(const Reader&) = delete;  // its parts borrow from it
  Reader& operator=(const Reader&) = delete;

  void skip(std::string name, std::string reason) { into_.skip(std::move(name), std::move(reason)); }

  /// Takes one file in, or skips it.
  void read(const FoundFile& file) {
    if (into_.options().strict) return read_whole(file);
    try {
      read_whole(file);
    } catch (const Error& error) {
      into_.skip(file.name, shown(error.what()));
    }
  }

  void read_repository(const FoundFile& repository) { repositories_.count(repository); }

  /// Chooses the conversations' owners and gives the result up. Throws FormatError if there is no text at all.
  Ingested finish() && {
    conversations_.add_own();
    mailboxes_.add_own();
    repositories_.add_own();
    return std::move(into_).finish();
  }

 private:
  void read_whole(const FoundFile& file) {
    const Family family = family_of(file.path, file_start(file));
    if (file.path.filename() == "SOURCE.md") return into_.skip(file.name, "a note on where the texts come from");
    if (family == Family::unknown)
      return into_.skip(file.name, "unknown extension " + in_quotes(shown(file.path.extension().string())));
    if (file.bytes == 0) return into_.skip(file.name, "empty");
    if (family == Family::mbox || family == Family::eml) return mailboxes_.count(file, family == Family::mbox);
    if (family == Family::json) return conversations_.read_json(file);
    if (family == Family::records) return add_records(file);
    if (file.bytes > into_.options().max_file_bytes) {
      if (const auto form = large_whatsapp(file, family)) return conversations_.read_large_whatsapp(file, *form);
      return into_.skip(file.name, std::to_string(file.bytes) + " bytes, more than " +
                                       std::to_string(into_.options().max_file_bytes));
    }
    const std::string bytes = read_file(file.path, file.bytes);
    switch (family) {
      case Family::prose:
        return read_prose(file, bytes);
      case Family::code:
        return into_.add({file.name, into_.text_of(file, bytes), Kind::code, 0, time_of_name(file.name)}, file.name);
      case Family::subtitles:
        return into_.add(
            {file.name, read_subtitles(into_.text_of(file, bytes)), Kind::transcript, 0, time_of_name(file.name)},
            file.name);
      case Family::npy:
        return into_.token_documents.push_back({file.name, read_npy(bytes, file.path.string())});
      case Family::bin:
        return into_.token_documents.push_back({file.name, read_bin(bytes, file.path.string())});
      default:
        break;
    }
  }

  /// Enough of a file's first bytes to tell what it is.
  static std::string file_start(const FoundFile& file) {
    const Family family = family_of(file.path);
    if (family != Family::prose && family != Family::unknown) return {};
    const std::string start = read_file(file.path, std::min<std::uintmax_t>(file.bytes, 4096));
    for (const auto& [mark, format] : {std::pair("{\\rtf", "RTF"), std::pair("%PDF-", "PDF")})
      if (start.starts_with(mark)) throw FormatError(std::string("expected text, got ") + format);
    return start;
  }

  /// The form of an export of WhatsApp, see whatsapp_form, by its first megabyte; nothing for other files.
  static std::optional<bool> large_whatsapp(const FoundFile& file, Family family) {
    if (family != Family::prose) return std::nullopt;
    const std::string start = read_file(file.path, std::min<std::uintmax_t>(file.bytes, std::uintmax_t{1} << 20));
    if (start.starts_with("\xFF\xFE") || start.starts_with("\xFE\xFF")) return std::nullopt;
    return whatsapp_form(unix_lines(decode_file(start).text));
  }

  void read_prose(const FoundFile& file, std::string_view bytes) {
    std::string text = into_.text_of(file, bytes);
    Chat chat;
    if (is_whatsapp(text)) chat = read_whatsapp(text, file.name);
    if (chat.messages.empty() && is_irc(text)) chat = read_irc(text, file.name);
    if (!chat.messages.empty()) return conversations_.add(std::move(chat));  // a diary, too, may begin with a date
    if (looks_like_chat(text)) return into_.skip(file.name, "it looks like a chat whose form is not known");
    const Kind kind = kind_of_text(text);
    into_.add({file.name, std::move(text), kind, 0, time_of_name(file.name)}, file.name);
  }

  void add_records(const FoundFile& file) {
    Records records(file.name, into_.options().text_field, into_.options().strict);
    const auto take = [&](std::string_view lines_of_one) {
      for (std::string_view line : lines(lines_of_one))
        if (auto document = records.read(line)) into_.add(std::move(*document), file.name);
    };
    if (into_.has_utf16_mark(file)) {
      into_.expect_modest(file);
      take(into_.text_of(file, read_file(file.path, file.bytes)));
    } else {
      LineStream stream(file.path);
      std::string line;
      bool is_too_large = false;
      for (std::string_view piece; stream.next(piece);) {
        is_too_large = is_too_large || line.size() + piece.size() > into_.options().max_mail_bytes;
        if (!is_too_large) line += piece;
        if (!piece.ends_with('\n')) continue;
        is_too_large ? records.omit_line(too_large()) : take(unix_lines(line));
        line.clear();
        is_too_large = false;
      }
      is_too_large ? records.omit_line(too_large()) : take(unix_lines(line));
    }
    into_.replaced += records.replaced;
    into_.omit(file.name, records.omitted);
  }
  std::string too_large() const { return "a record over " + std::to_string(into_.options().max_mail_bytes) + " bytes"; }

  Gathering into_;
  Conversations conversations_{into_};
  Mailboxes mailboxes_{into_};
  Repositories repositories_{into_};
};

}  // namespace tern::detail
