#pragma once
/// Conversations wait until all are read: who their owner is shows only then.
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tern/text/ingest/chat.hpp"
#include "tern/text/ingest/gathering.hpp"
#include "tern/text/ingest/json_stream.hpp"
#include "tern/text/ingest/records.hpp"
#include "tern/text/ingest/slack.hpp"
#include "tern/text/ingest/telegram.hpp"
#include "tern/text/ingest/whatsapp_stream.hpp"

namespace tern::detail {

/// Borrows where texts go.
class Conversations {
 public:
  explicit Conversations(Gathering& into) : into_(into) {}

  void add(Chat chat) {
    into_.omit(chat.name, chat.omitted);
    if (chat.messages.empty()) return into_.skip(std::move(chat.name), "no messages in it");
    chats_.push_back(std::move(chat));
  }

  /// An export of WhatsApp too large to be kept, of `form` (see whatsapp_form).
  void read_large_whatsapp(const FoundFile& file, bool form) {
    WhatsappStream stream(file.path, form, static_cast<std::size_t>(into_.options().max_mail_bytes));
    StreamedChat chat = stream.count(file.name);
    if (into_.options().strict && stream.replaced() > 0)
      throw FormatError("chat " + in_quotes(file.path.string()) + ": expected characters, got " +
                        std::to_string(stream.replaced()) + " that are none");
    into_.replaced += stream.replaced();
    add_streamed({file, "whatsapp", {std::move(chat)}, std::move(stream)});
  }

  /// An export of Telegram or Slack; other JSON is skipped.
  void read_json(const FoundFile& file) {
    JsonCharacters characters = json_characters(file);
    TelegramExport found = read_telegram(characters, file.path.string(), file.name, most_json_bytes());
    if (into_.options().strict && characters.replaced > 0)
      throw FormatError("json " + in_quotes(file.path.string()) + ": expected characters, got " +
                        std::to_string(characters.replaced) + " that are none");
    if (100 * static_cast<std::size_t>(characters.replaced) > characters.bytes)
      throw FormatError("expected text, got " + std::to_string(characters.replaced) +
                        " characters that are none, over 1%");
    if (into_.options().strict && !found.broken.empty()) throw FormatError(found.broken);
    into_.replaced += characters.replaced;
    if (!found.broken.empty()) into_.omit(file.name, "its rest: " + found.broken);
    if (!found.chats.empty()) {
      add_streamed({file, "telegram", std::move(found.chats)});
    } else if (is_telegram(found.json)) {
      into_.skip(file.name, "an export without chats");
    } else if (is_slack(found.json)) {
      slack_.push_back(file);
    } else if (SlackUsers users = read_slack_users(found.json); !users.empty()) {
      slack_users_.merge(users);
      into_.skip(file.name, "Slack's list of people, read for their names");
    } else {
      into_.skip(file.name, "JSON that is neither a Telegram nor a Slack export");
    }
  }

  /// The owner's words of every service.
  void add_own() {
    for (const FoundFile& file : slack_) count_slack(file);
    for (const char* service : {"whatsapp", "telegram", "slack", "irc"}) add_own_words(service);
  }

 private:
  /// The characters of a JSON file, in memory only where it is UTF-16.
  JsonCharacters json_characters(const FoundFile& file) {
    if (!into_.has_utf16_mark(file)) return JsonCharacters(file.path);
    into_.expect_modest(file);
    return JsonCharacters(into_.text_of(file, read_file(file.path, file.bytes)));
  }

  std::size_t most_json_bytes() const { return static_cast<std::size_t>(4 * into_.options().max_file_bytes); }

  /// A file of conversations that is read twice: for its senders, and for the owner's words.
  struct StreamedFile {
    FoundFile file;
    std::string service;
    std::vector<StreamedChat> chats;
    std::optional<WhatsappStream> whatsapp = {};
  };

  void add_streamed(StreamedFile file) {
    for (const StreamedChat& chat : file.chats) {
      into_.omit(chat.name, chat.omitted);
      if (chat.senders.empty()) into_.skip(chat.name, "no messages in it");
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
    if (file.whatsapp)
      return file.whatsapp->for_each_message([&](const ChatMessage& message) { take(std::size_t{0}, message); });
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

  void add_own_words(const std::string& service) {
    Senders senders;
    OwnerHints hints{into_.options().self};
    hints.folder = into_.folder_name();
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
      std::size_t left = into_.room();
      for (const ChatMessage& message : chat.messages) own.take(message, owner, left);
      add_words(chat.name, chat.kind, std::move(own), owner);
    }
    for (const StreamedFile& file : streamed_)
      if (file.service == service) add_streamed_words(file, owner);
    into_.owners.push_back(owner);
  }

  void add_streamed_words(const StreamedFile& file, const Owner& owner) {
    std::map<std::size_t, OwnWords> own;
    std::size_t left = into_.room();
    for_each_message(file,
                     [&](std::size_t number, const ChatMessage& message) { own[number].take(message, owner, left); });
    for (const StreamedChat& chat : file.chats) add_words(chat.name, Kind::chat, std::move(own[chat.number]), owner);
  }

  void add_words(const std::string& chat, Kind kind, OwnWords own, const Owner& owner) {
    into_.omit(chat, "a message by someone else", own.by_others);
    into_.omit(chat, "a message beyond the person's first " + std::to_string(into_.options().max_text_bytes) + " bytes",
               own.beyond);
    std::vector<Stretch> stretches = own.finish();
    if (stretches.empty() && own.beyond == 0) into_.skip(chat, "nothing written by " + in_quotes(owner.name));
    for (std::size_t i = 0; i < stretches.size(); ++i) {
      const std::string name = stretches.size() == 1 ? chat : part_name(chat, i + 1);
      into_.add({name, std::move(stretches[i].text), kind, 0, stretches[i].time}, chat);
    }
  }

  Gathering& into_;
  std::vector<Chat> chats_;
  std::vector<StreamedFile> streamed_;
  std::vector<FoundFile> slack_;  ///< days of messages
  SlackUsers slack_users_;
};

}  // namespace tern::detail
