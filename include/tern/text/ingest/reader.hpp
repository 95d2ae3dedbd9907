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
#include "tern/text/ingest/git_log.hpp"
#include "tern/text/ingest/irc.hpp"
#include "tern/text/ingest/json_stream.hpp"
#include "tern/text/ingest/line_stream.hpp"
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
  /// Runs git where a folder is a repository: its history is read for one author's words, instead of its files. None:
  /// it is a folder like others.
  GitRunner git = nullptr;
  /// The field of a .jsonl record that holds its text.
  std::string text_field = "text";
  /// Larger files are skipped, except mailboxes, exports in JSON and records, which are read part by part.
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

  /// Counts the authors of a git repository, or skips it.
  void read_repository(const FoundFile& repository) {
    const std::string name = repository.name.empty() ? "git" : repository.name;
    GitAuthors authors([&](const std::string& address, const std::string& author) {
      ++repositories_.back().commits[{address, author}];
    });
    repositories_.push_back({repository.path, name, {}});
    try {
      options_.git(repository.path, git_authors(), [&](std::string_view piece) {
        authors.read(piece);
        return true;
      });
    } catch (const Error& error) {
      if (options_.strict) throw;
      repositories_.pop_back();
      skip(name, shown(error.what()));
    }
  }

  /// Chooses the conversations' owners and gives the result up. Throws FormatError if there is no text at all.
  Ingested finish() && {
    for (const FoundFile& file : slack_) count_slack(file);
    for (const char* service : {"whatsapp", "telegram", "slack", "irc"}) add_own_words(service);
    add_own_mails();
    add_own_commits();
    if (result_.documents.empty() && result_.token_documents.empty()) refuse_empty();
    const auto by_name = [](const auto& a, const auto& b) { return a.name < b.name; };
    std::stable_sort(result_.documents.begin(), result_.documents.end(), by_name);
    std::stable_sort(result_.skipped.begin(), result_.skipped.end(), by_name);
    return std::move(result_);
  }

 private:
  void read_whole(const FoundFile& file) {
    const Family family = family_of(file.path, file_start(file));
    if (file.path.filename() == "SOURCE.md") return skip(file.name, "a note on where the texts come from");
    if (family == Family::unknown)
      return skip(file.name, "unknown extension " + in_quotes(shown(file.path.extension().string())));
    if (file.bytes == 0) return skip(file.name, "empty");
    if (family == Family::mbox || family == Family::eml) return count_mails(file, family == Family::mbox);
    if (family == Family::json) return read_json(file);
    if (family == Family::records) return add_records(file);
    if (file.bytes > options_.max_file_bytes)
      return skip(file.name,
                  std::to_string(file.bytes) + " bytes, more than " + std::to_string(options_.max_file_bytes));
    const std::string bytes = read_file(file.path, file.bytes);
    switch (family) {
      case Family::prose:
        return read_prose(file, bytes);
      case Family::code:
        return add({file.name, text_of(file, bytes), Kind::code, 0, time_of_name(file.name)}, file.name);
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

  /// Enough of a file's first bytes to tell what it is.
  static std::string file_start(const FoundFile& file) {
    const Family family = family_of(file.path);
    if (family != Family::prose && family != Family::unknown) return {};
    const std::string start = read_file(file.path, std::min<std::uintmax_t>(file.bytes, 4096));
    for (const auto& [mark, format] : {std::pair("{\\rtf", "RTF"), std::pair("%PDF-", "PDF")})
      if (start.starts_with(mark)) throw FormatError(std::string("expected text, got ") + format);
    return start;
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
    Chat chat;
    if (is_whatsapp(text)) chat = read_whatsapp(text, file.name);
    if (chat.messages.empty() && is_irc(text)) chat = read_irc(text, file.name);
    if (!chat.messages.empty()) return add_chat(std::move(chat));  // a diary, too, may begin with a date
    if (looks_like_chat(text)) return skip(file.name, "it looks like a chat whose form is not known");
    const Kind kind = kind_of_text(text);
    add({file.name, std::move(text), kind, 0, time_of_name(file.name)}, file.name);
  }

  /// The characters of a JSON file, in memory only where it is UTF-16.
  JsonCharacters json_characters(const FoundFile& file) {
    if (!has_utf16_mark(file)) return JsonCharacters(file.path);
    expect_modest(file);
    return JsonCharacters(text_of(file, read_file(file.path, file.bytes)));
  }

  std::size_t most_json_bytes() const { return static_cast<std::size_t>(4 * options_.max_file_bytes); }

  void read_json(const FoundFile& file) {
    JsonCharacters characters = json_characters(file);
    TelegramExport found = read_telegram(characters, file.path.string(), file.name, most_json_bytes());
    if (options_.strict && characters.replaced > 0)
      throw FormatError("json " + in_quotes(file.path.string()) + ": expected characters, got " +
                        std::to_string(characters.replaced) + " that are none");
    if (100 * static_cast<std::size_t>(characters.replaced) > characters.bytes)
      throw FormatError("expected text, got " + std::to_string(characters.replaced) +
                        " characters that are none, over 1%");
    if (options_.strict && !found.broken.empty()) throw FormatError(found.broken);
    result_.replaced += characters.replaced;
    if (!found.broken.empty()) omit(file.name, "its rest: " + found.broken);
    if (!found.chats.empty()) {
      add_streamed({file, "telegram", std::move(found.chats)});
    } else if (is_telegram(found.json)) {
      skip(file.name, "an export without chats");
    } else if (is_slack(found.json)) {
      slack_.push_back(file);
    } else if (SlackUsers users = read_slack_users(found.json); !users.empty()) {
      slack_users_.merge(users);
      skip(file.name, "Slack's list of people, read for their names");
    } else {
      skip(file.name, "JSON that is neither a Telegram nor a Slack export");
    }
  }

  /// A file of conversations that is read twice: for its senders, and for the owner's words.
  struct StreamedFile {
    FoundFile file;
    std::string service;
    std::vector<StreamedChat> chats;
  };

  void add_streamed(StreamedFile file) {
    for (const StreamedChat& chat : file.chats) {
      omit(chat.name, chat.omitted);
      if (chat.senders.empty()) skip(chat.name, "no messages in it");
    }
    std::erase_if(file.chats, [](const StreamedChat& chat) { return chat.senders.empty(); });
    if (!file.chats.empty()) streamed_.push_back(std::move(file));
  }

  /// Of a day's messages, once the people's names are known.
  Chat slack_chat(const FoundFile& file) {
    JsonCharacters characters = json_characters(file);
    const auto ignore = [](std::size_t, Json&) {};
    return read_slack(read_json_stream(characters, file.path.string(), {}, most_json_bytes(), ignore), file.name,
                      slack_users_);
  }

  void count_slack(const FoundFile& file) {
    Chat chat = slack_chat(file);
    StreamedChat counted{chat.name};
    count_senders(chat, counted.senders);
    counted.omitted = std::move(chat.omitted);
    add_streamed({file, "slack", {std::move(counted)}});
  }

  /// Calls take(number of the chat, message) for the messages of people.
  template <class Take>
  void for_each_message(const StreamedFile& file, Take take) {
    if (file.service == "slack") {
      for (const ChatMessage& message : slack_chat(file.file).messages) take(std::size_t{0}, message);
      return;
    }
    JsonCharacters characters = json_characters(file.file);
    Omissions counted_before;
    std::string told_before;
    read_json_stream(
        characters, file.file.path.string(), telegram_members(), most_json_bytes(),
        [&](std::size_t number, Json& json) {
          if (const auto message = read_telegram_message(json, counted_before)) take(number, *message);
        },
        &told_before);
  }

  void add_records(const FoundFile& file) {
    Records records(file.name, options_.text_field, options_.strict);
    const auto take = [&](std::string_view lines_of_one) {
      for (std::string_view line : lines(lines_of_one))
        if (auto document = records.read(line)) add(std::move(*document), file.name);
    };
    if (has_utf16_mark(file)) {
      expect_modest(file);
      take(text_of(file, read_file(file.path, file.bytes)));
    } else {
      LineStream stream(file.path);
      std::string line;
      bool is_too_large = false;
      for (std::string_view piece; stream.next(piece);) {
        is_too_large = is_too_large || line.size() + piece.size() > options_.max_mail_bytes;
        if (!is_too_large) line += piece;
        if (!piece.ends_with('\n')) continue;
        is_too_large ? records.omit_line(too_large()) : take(unix_lines(line));
        line.clear();
        is_too_large = false;
      }
      is_too_large ? records.omit_line(too_large()) : take(unix_lines(line));
    }
    result_.replaced += records.replaced;
    omit(file.name, records.omitted);
  }
  std::string too_large() const { return "a record over " + std::to_string(options_.max_mail_bytes) + " bytes"; }

  bool has_utf16_mark(const FoundFile& file) const {
    const std::string mark = read_file(file.path, std::min<std::uintmax_t>(file.bytes, 2));
    return mark == "\xFF\xFE" || mark == "\xFE\xFF";
  }
  void expect_modest(const FoundFile& file) const {
    if (file.bytes > options_.max_file_bytes)
      throw FormatError(std::to_string(file.bytes) + " bytes, more than " + std::to_string(options_.max_file_bytes));
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
    const auto hear = [&](const auto& chat) {
      if (hints.exporter.empty()) hints.exporter = chat.owner;
      if (!chat.other.empty()) hints.others[folded(chat.other)];
    };
    for (const Chat& chat : chats_) {
      if (chat.service != service) continue;
      count_senders(chat, senders);
      hear(chat);
    }
    for (const StreamedFile& file : streamed_)
      for (const StreamedChat& chat : file.chats) {
        if (file.service != service) continue;
        add_senders(chat.senders, senders);
        hear(chat);
      }
    if (senders.empty()) return;
    const Owner owner = choose_owner(service, senders, hints);
    for (const Chat& chat : chats_) {
      if (chat.service != service) continue;
      OwnWords own;
      std::size_t left = room();
      for (const ChatMessage& message : chat.messages) own.take(message, owner, left);
      add_words(chat.name, chat.kind, std::move(own), owner);
    }
    for (const StreamedFile& file : streamed_)
      if (file.service == service) add_streamed_words(file, owner);
    result_.owners.push_back(owner);
  }

  void add_streamed_words(const StreamedFile& file, const Owner& owner) {
    std::map<std::size_t, OwnWords> own;
    std::size_t left = room();
    for_each_message(file,
                     [&](std::size_t number, const ChatMessage& message) { own[number].take(message, owner, left); });
    for (const StreamedChat& chat : file.chats) add_words(chat.name, Kind::chat, std::move(own[chat.number]), owner);
  }

  /// Bytes of text that the person may still have.
  std::size_t room() const {
    return static_cast<std::size_t>(options_.max_text_bytes - std::min(text_bytes_, options_.max_text_bytes));
  }

  void add_words(const std::string& chat, Kind kind, OwnWords own, const Owner& owner) {
    omit(chat, "a message by someone else", own.by_others);
    omit(chat, "a message beyond the person's first " + std::to_string(options_.max_text_bytes) + " bytes", own.beyond);
    std::vector<Stretch> stretches = own.finish();
    if (stretches.empty() && own.beyond == 0) skip(chat, "nothing written by " + in_quotes(owner.name));
    for (std::size_t i = 0; i < stretches.size(); ++i) {
      const std::string name = stretches.size() == 1 ? chat : part_name(chat, i + 1);
      add({name, std::move(stretches[i].text), kind, 0, stretches[i].time}, chat);
    }
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

  struct Repository {
    std::filesystem::path path;
    std::string name;
    std::map<std::pair<std::string, std::string>, Index> commits;  ///< by an author's address and name
  };
  static ChatMessage git_author(const std::string& address, const std::string& name) {
    const auto utf8 = [](const std::string& text) { return decode_utf8(text, "", BadBytes::replace).text; };
    return {utf8(name.empty() ? address : name), {}, utf8(address)};
  }

  void add_own_commits() {
    Senders senders;
    for (const Repository& repository : repositories_) {
      std::map<std::string, Index> here;
      for (const auto& [author, commits] : repository.commits) {
        const ChatMessage sender = git_author(author.first, author.second);
        const std::string key = person_key(sender.sender, sender.sender_id);
        senders[key].names[sender.sender] += commits;
        here[key] += commits;
      }
      for (const auto& [key, commits] : here) ++senders[key].chats, senders[key].messages += commits;
    }
    if (senders.empty()) return;
    OwnerHints hints{options_.self};
    hints.folder = folder_name();
    const Owner owner = choose_owner("git", senders, hints);
    for (const Repository& repository : repositories_) {
      try {
        add_commits(repository, owner);
      } catch (const Error& error) {
        if (options_.strict) throw;
        skip(repository.name, shown(error.what()));
      }
    }
    result_.owners.push_back(owner);
  }

  void add_commits(const Repository& repository, const Owner& owner) {
    std::vector<std::string> addresses;
    const auto is_own = [&](const std::string& address, const std::string& name) {
      const ChatMessage sender = git_author(address, name);
      return is_from(sender.sender, sender.sender_id, owner);
    };
    for (const auto& [author, commits] : repository.commits) {
      if (!is_own(author.first, author.second))
        omit(repository.name, "a commit by someone else", commits);
      else if (addresses.empty() || addresses.back() != author.first)
        addresses.push_back(author.first);
    }
    if (addresses.empty()) return skip(repository.name, "no commit by " + in_quotes(owner.name));
    GitLog log([&](GitCommit& commit) {
      if (is_own(commit.address, commit.name)) add_commit(repository.name, commit);
    });
    options_.git(repository.path, git_patches(addresses), [&](std::string_view piece) {
      log.read(piece);
      return text_bytes_ <= options_.max_text_bytes;
    });
    log.finish();
  }

  void add_commit(const std::string& repository, const GitCommit& commit) {
    const std::string name = repository + '@' + git_date(commit.time) + '.' + shown(commit.hash).substr(0, 10);
    const auto own = [&](std::string document, std::string_view bytes, Kind kind) {
      const Utf8Result text = decode_file(bytes);
      if (is_mostly_bad(text)) return omit(repository, "lines or a message that are no text");
      if (trim(text.text).empty()) return;
      result_.replaced += text.replaced;
      add({std::move(document), unix_lines(text.text), kind, 0}, repository);
    };
    own(name, git_message(decode_utf8(commit.message, "", BadBytes::replace).text), Kind::prose);
    if (commit.is_cut) return omit(repository, "a commit too large to be one person's writing");
    if (commit.is_grafted) return omit(repository, "the commit at which a shallow clone begins: everybody's files");
    for (const GitFile& file : commit.files) {
      if (file.added.empty() || file.path.empty()) continue;
      const Family family = family_of(file.path);
      if (is_copied_in(file.path))
        omit(repository, "lines of a library copied in");
      else if (family != Family::prose && family != Family::code)
        omit(repository, "lines of a file that is neither prose nor source code");
      else
        own(name + '/' + shown(file.path), newly_written(commit, file),
            family == Family::prose ? Kind::prose : Kind::code);
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
  std::vector<StreamedFile> streamed_;
  std::vector<FoundFile> slack_;  ///< days of messages
  SlackUsers slack_users_;
  std::vector<std::pair<FoundFile, bool>> mailboxes_;  ///< and whether they are mbox
  Senders mail_senders_;
  std::map<std::string, Index> mail_receivers_;
  std::vector<Repository> repositories_;
  std::uintmax_t text_bytes_ = 0;
};

}  // namespace detail
}  // namespace tern
