#pragma once
/// Gathers documents file by file. Conversations wait until all are read: who their owner is shows only then.
#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/text/anonymize.hpp"
#include "tern/text/document.hpp"
#include "tern/text/ingest/chat.hpp"
#include "tern/text/ingest/dates.hpp"
#include "tern/text/ingest/family.hpp"
#include "tern/text/ingest/folder.hpp"
#include "tern/text/ingest/irc.hpp"
#include "tern/text/ingest/mail.hpp"
#include "tern/text/ingest/mail_header.hpp"
#include "tern/text/ingest/mbox.hpp"
#include "tern/text/ingest/notes.hpp"
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
  /// Whose words to keep of chats and mail: names, addresses or a service's ids, all of one person. None: inferred, see
  /// Owner.
  std::vector<std::string> self;
  /// Throw at the first thing that cannot be read, instead of leaving it out and counting it.
  bool strict = false;
  /// Replace personal data (anonymize.hpp) in texts. Token ids cannot be scrubbed.
  bool scrub = true;
  /// The field of a .jsonl record that holds its text.
  std::string text_field = "text";
  /// Larger files are skipped, except mailboxes, which are read mail by mail.
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

class Reader {
 public:
  Reader(const std::filesystem::path& folder, const IngestOptions& options) : folder_(folder), options_(options) {}

  void skip(std::string name, std::string reason, Index count = 1) {
    result_.skipped.push_back({std::move(name), std::move(reason), count});
  }

  /// Takes one file in, or skips it.
  void read(const FoundFile& file) {
    if (options_.strict) return read_whole(file);
    try {
      read_whole(file);
    } catch (const Error& error) {
      skip(file.name, shown(error.what()));
    }
  }

  /// Chooses the conversations' owners and gives the result up. Throws FormatError if there is no text at all.
  Ingested finish() && {
    for (const auto& [name, json] : slack_) add_chat(read_slack(json, name, slack_users_));
    for (const char* service : {"whatsapp", "telegram", "slack", "irc"}) add_own_words(service);
    add_own_mails();
    if (result_.documents.empty() && result_.token_documents.empty()) refuse_empty();
    const auto by_name = [](const auto& a, const auto& b) { return a.name < b.name; };
    std::stable_sort(result_.documents.begin(), result_.documents.end(), by_name);
    std::stable_sort(result_.skipped.begin(), result_.skipped.end(), by_name);
    return std::move(result_);
  }

 private:
  void read_whole(const FoundFile& file) {
    const Family family = family_of(file.path);
    if (file.path.filename() == "SOURCE.md") return skip(file.name, "a note on where the texts come from");
    if (family == Family::unknown)
      return skip(file.name, "unknown extension " + in_quotes(shown(file.path.extension().string())));
    if (file.bytes == 0) return skip(file.name, "empty");
    if (family == Family::mbox || family == Family::eml) return count_mails(file, family == Family::mbox);
    if (file.bytes > options_.max_file_bytes)
      return skip(file.name,
                  std::to_string(file.bytes) + " bytes, more than " + std::to_string(options_.max_file_bytes));
    const std::string bytes = read_file(file.path, file.bytes);
    switch (family) {
      case Family::prose:
        return read_prose(file, bytes);
      case Family::code:
        return add({file.name, text_of(file, bytes), Kind::code, 0, time_of_name(file.name)}, file.name);
      case Family::json:
        return read_json(file, bytes);
      case Family::records:
        return add_records(file, bytes);
      case Family::subtitles:
        return add({file.name, read_subtitles(text_of(file, bytes)), Kind::transcript, 0, time_of_name(file.name)},
                   file.name);
      case Family::npy:
        return result_.token_documents.push_back({file.name, read_npy(bytes, file.path.string())});
      case Family::bin:
        return result_.token_documents.push_back({file.name, read_bin(bytes, file.path.string())});
      default:
        break;
    }
  }

  /// The file's text, see decode_file. Throws FormatError where over 1% of it is none; any of it, if strict.
  std::string text_of(const FoundFile& file, std::string_view bytes) {
    Utf8Result decoded = decode_file(bytes);
    if (options_.strict && decoded.replaced > 0) decode_utf8(bytes, file.path.string(), BadBytes::error);
    if (is_mostly_bad(decoded))
      throw FormatError("expected text, got " + std::to_string(decoded.replaced) +
                        " characters that are none, over 1%");
    result_.replaced += decoded.replaced;
    return unix_lines(decoded.text);
  }

  /// Every text passes here on its way into the result.
  void add(Document document, const std::string& file) {
    // An escape in JSON or HTML may name NUL, which is no text.
    document.text = nfc(decode_utf8(document.text, document.name, BadBytes::replace).text);
    if (trim(document.text).empty()) return skip(std::move(document.name), "no text in it");
    document.bytes = static_cast<Index>(document.text.size());
    if (text_bytes_ + document.text.size() > options_.max_text_bytes)
      return omit(file, "a text beyond the person's first " + std::to_string(options_.max_text_bytes) + " bytes");
    text_bytes_ += document.text.size();
    if (options_.scrub) {
      Scrubbed clean = scrub(document.text);
      document.text = std::move(clean.text);
      for (std::size_t i = 0; i < clean.counts.size(); ++i) result_.scrubbed[i] += clean.counts[i];
    }
    result_.documents.push_back(std::move(document));
  }

  /// Counts one part of a file as left out.
  void omit(const std::string& file, const std::string& reason, Index count = 1) {
    if (count == 0) return;
    const auto same = std::find_if(result_.skipped.rbegin(), result_.skipped.rend(),
                                   [&](const Skipped& s) { return s.name == file && s.reason == reason; });
    if (same == result_.skipped.rend())
      skip(file, reason, count);
    else
      same->count += count;
  }
  void omit(const std::string& file, const Omissions& omissions) {
    for (const auto& [reason, count] : omissions) omit(file, reason, count);
  }

  void read_prose(const FoundFile& file, std::string_view bytes) {
    std::string text = text_of(file, bytes);
    const std::string extension = lower(file.path.extension().string());
    const bool may_be_chat = extension == ".txt" || extension == ".text" || extension == ".log";
    Chat chat;
    if (may_be_chat && is_whatsapp(text)) chat = read_whatsapp(text, file.name);
    if (may_be_chat && chat.messages.empty() && is_irc(text)) chat = read_irc(text, file.name);
    if (!chat.messages.empty()) return add_chat(std::move(chat));  // a diary, too, may begin with a date
    if (may_be_chat && looks_like_chat(text)) return skip(file.name, "it looks like a chat whose form is not known");
    const Kind kind = kind_of_text(text);
    add({file.name, std::move(text), kind, 0, time_of_name(file.name)}, file.name);
  }

  void read_json(const FoundFile& file, std::string_view bytes) {
    std::string text = text_of(file, bytes);
    result_.replaced += mend_surrogates(text);
    Json json = parse_json(text, file.path.string());
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
    Records records = read_records(text_of(file, bytes), file.name, options_.text_field, options_.strict);
    result_.replaced += records.replaced;
    for (Document& document : records.documents) add(std::move(document), file.name);
    omit(file.name, records.omitted);
  }

  void add_chat(Chat chat) {
    omit(chat.name, chat.omitted);
    if (chat.messages.empty()) return skip(std::move(chat.name), "no messages in it");
    chats_.push_back(std::move(chat));
  }

  void add_own_words(const std::string& service) {
    Senders senders;
    OwnerHints hints{options_.self};
    hints.folder = folder_name();
    for (const Chat& chat : chats_) {
      if (chat.service != service) continue;
      count_senders(chat, senders);
      if (hints.exporter.empty()) hints.exporter = chat.owner;
      if (!chat.other.empty()) hints.others[folded(chat.other)];
    }
    if (senders.empty()) return;
    const Owner owner = choose_owner(service, senders, hints);
    for (const Chat& chat : chats_) {
      if (chat.service != service) continue;
      Index by_others = 0;
      std::vector<Stretch> stretches = own_words(chat, owner, by_others);
      omit(chat.name, "a message by someone else", by_others);
      if (stretches.empty()) skip(chat.name, "nothing written by " + in_quotes(owner.name));
      for (std::size_t i = 0; i < stretches.size(); ++i) {
        const std::string name = stretches.size() == 1 ? chat.name : part_name(chat.name, i + 1);
        add({name, std::move(stretches[i].text), chat.kind, 0, stretches[i].time}, chat.name);
      }
    }
    result_.owners.push_back(owner);
  }

  /// Calls take(number, mail) for each mail of a file that can be read whole.
  template <class Take>
  void for_each_mail(const FoundFile& file, bool is_mbox, bool counts, Take take) {
    const auto limit = static_cast<std::size_t>(options_.max_mail_bytes);
    const std::string too_large = "a mail over " + std::to_string(limit) + " bytes";
    if (!is_mbox) {
      if (file.bytes <= limit) return take(std::size_t{1}, read_file(file.path, file.bytes));
      if (counts) skip(file.name, too_large);
      return;
    }
    MboxStream stream(file.path, limit);
    if (!stream.is_mbox()) throw FormatError("expected mails, each after a line of 'From ', sender and date; got none");
    if (stream.has_preamble() && counts) skip(file.name, "words before the first mail");
    MboxStream::Mail mail;
    for (std::size_t number = 1; stream.next(mail); ++number) {
      if (!mail.is_too_large)
        take(number, mail.bytes);
      else if (counts)
        omit(file.name, too_large);
    }
  }

  /// The first of two passes, over headers alone: whose mails are kept depends on all of them.
  void count_mails(const FoundFile& file, bool is_mbox) {
    for_each_mail(file, is_mbox, true, [&](std::size_t, const std::string& mail) {
      const ChatMessage sender = mail_sender(mail);
      if (sender.sender.empty()) return omit(file.name, "a mail without a sender");
      Presence& presence = mail_senders_[person_key(sender.sender, sender.sender_id)];
      ++presence.chats;
      ++presence.messages;
      ++presence.names[sender.sender];
      if (const std::string receiver = mail_receiver(mail); !receiver.empty()) ++mail_receivers_[receiver];
    });
    mailboxes_.emplace_back(file, is_mbox);
  }

  void add_own_mails() {
    if (mail_senders_.empty()) return;
    OwnerHints hints{options_.self};
    hints.folder = folder_name();
    hints.receivers = std::move(mail_receivers_);
    const Owner owner = choose_owner("mail", mail_senders_, hints);
    for (const auto& [file, is_mbox] : mailboxes_)
      for_each_mail(file, is_mbox, false,
                    [&, &file = file, &is_mbox = is_mbox](std::size_t number, const std::string& mail) {
                      const ChatMessage sender = mail_sender(mail);
                      if (sender.sender.empty()) return;
                      if (!is_from(sender.sender, sender.sender_id, owner))
                        return omit(file.name, "a mail by someone else");
                      add_mail(file, is_mbox ? part_name(file.name, number) : file.name, mail, is_mbox);
                    });
    result_.owners.push_back(owner);
  }

  void add_mail(const FoundFile& file, const std::string& name, const std::string& bytes, bool is_mbox) {
    try {
      OwnMail mail = read_own_mail(bytes, is_mbox);
      if (options_.strict && mail.replaced > 0) throw FormatError("expected characters of its charset, got others");
      if (mail.text.empty()) return omit(file.name, "a mail without words of its writer's own");
      result_.replaced += mail.replaced;
      add({name, std::move(mail.text), Kind::mail, 0, mail_time(bytes)}, file.name);
    } catch (const Error& error) {
      if (options_.strict) throw FormatError("mail " + in_quotes(name) + ": " + error.what());
      omit(file.name, "a mail that cannot be read: " + shown(error.what()));
    }
  }

  std::string folder_name() const {
    const std::filesystem::path whole = std::filesystem::absolute(folder_).lexically_normal();
    return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
  }

  [[noreturn]] void refuse_empty() const {
    std::string message = "user folder " + in_quotes(folder_.string()) + ": expected at least one text, got none";
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
  std::vector<std::pair<FoundFile, bool>> mailboxes_;  ///< and whether they are mbox
  Senders mail_senders_;
  std::map<std::string, Index> mail_receivers_;
  std::uintmax_t text_bytes_ = 0;
};

}  // namespace detail
}  // namespace tern
