#pragma once
/// Telegram Desktop's JSON export (result.json): one chat, or an account's whole list of them.
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/text/ingest/chat.hpp"
#include "tern/text/ingest/dates.hpp"
#include "tern/text/ingest/json.hpp"
#include "tern/text/ingest/json_stream.hpp"

namespace tern::detail {

inline bool is_telegram_chat(const Json& json) {
  return json.is_object() && json.contains("messages") && json["messages"].is_array() && json.contains("type") &&
         json.contains("id");
}

inline bool is_telegram(const Json& json) {
  if (is_telegram_chat(json)) return true;
  return json.is_object() && json.contains("chats") && json["chats"].is_object() && json["chats"].contains("list") &&
         json["chats"]["list"].is_array();
}

/// A message's text: a string, or an array of strings and of objects with a "text".
inline std::string telegram_text(const Json& text) {
  if (text.is_string()) return text.get<std::string>();
  if (text.is_object()) return string_field(text, "text");
  std::string joined;
  if (text.is_array())
    for (const Json& piece : text) joined += piece.is_string() ? piece.get<std::string>() : string_field(piece, "text");
  return joined;
}

/// "user7" of an id; exports before 2021 wrote the bare number.
inline std::string telegram_user(const Json& object, std::string_view key) {
  const auto id = object.find(key);
  return id != object.end() && id->is_number_integer() ? "user" + id->dump() : string_field(object, key);
}

/// When a message was sent: newer exports say so in seconds, too.
inline std::optional<Time> telegram_time(const Json& message) {
  const Time seconds = number(string_field(message, "date_unixtime"));
  return seconds > 0 ? std::optional(seconds) : iso_time(string_field(message, "date"));
}

/// The members of a message that read_telegram_message() looks at.
inline std::vector<std::string> telegram_members() {
  return {"type", "from", "from_id", "text", "forwarded_from", "via_bot", "date", "date_unixtime"};
}

/// A message of its writer's own words; nothing, counted in `omitted`, for service notices, messages forwarded from
/// others or made by bots.
inline std::optional<ChatMessage> read_telegram_message(const Json& message, Omissions& omitted) {
  const auto omit = [&](const char* reason) {
    ++omitted[reason];
    return std::nullopt;
  };
  if (!message.is_object() || string_field(message, "type") != "message") return omit("a notice of the service");
  const std::string sender = string_field(message, "from"), id = telegram_user(message, "from_id");
  std::string text = message.contains("text") ? telegram_text(message["text"]) : std::string();
  if (message.contains("forwarded_from") || message.contains("via_bot"))
    return omit("a message forwarded, or by a bot");
  if (trim(text).empty()) return omit("a message without text");
  if (sender.empty() && id.empty()) return omit("a message without a sender");
  return ChatMessage{sender.empty() ? id : sender, std::move(text), id, telegram_time(message)};
}

/// An export without its messages, and who speaks in its chats.
struct TelegramExport {
  Json json;
  std::vector<StreamedChat> chats;  ///< in the file's order; none where it is no export of Telegram
  std::string broken = {};          ///< why the file's end could not be read
};

/// Fills in what the export says of its chats: names, and whose account it is. What is no chat is left out.
inline void name_telegram_chats(TelegramExport& found, const std::string& name) {
  std::vector<StreamedChat> seen = std::exchange(found.chats, {});
  std::string owner;
  const auto add = [&](const Json& one, std::string chat_name) {
    const auto number = one["messages"].at(0).get<std::size_t>();
    StreamedChat chat = number < seen.size() ? std::move(seen[number]) : StreamedChat{};
    chat.name = std::move(chat_name);
    chat.number = number;
    chat.owner = owner;
    if (string_field(one, "type") == "personal_chat") chat.other = string_field(one, "name");
    found.chats.push_back(std::move(chat));
  };
  if (is_telegram_chat(found.json)) return add(found.json, name);
  if (const auto person = found.json.find("personal_information"); person != found.json.end() && person->is_object())
    owner = telegram_user(*person, "user_id");
  for (const char* part : {"chats", "left_chats"}) {
    const Json chats = found.json.value(part, Json());
    if (!chats.is_object() || !chats.contains("list") || !chats["list"].is_array()) continue;
    for (const Json& one : chats["list"]) {
      if (!is_telegram_chat(one)) continue;
      const Json& id = one["id"];
      add(one, name + '#' + (id.is_number_integer() ? id.dump() : std::to_string(found.chats.size() + 1)));
    }
  }
}

/// The first reading of a JSON file: if it is an export, its chats are counted, also where the file is cut; else
/// found.json is all of it. Throws FormatError naming `source`.
inline TelegramExport read_telegram(JsonCharacters& characters, const std::string& source, const std::string& name,
                                    std::size_t most_bytes) {
  TelegramExport found;
  found.json = read_json_stream(
      characters, source, telegram_members(), most_bytes,
      [&](std::size_t number, const Json& message) {
        if (found.chats.size() <= number) found.chats.resize(number + 1);
        StreamedChat& chat = found.chats[number];
        if (const auto own = read_telegram_message(message, chat.omitted)) count_sender(*own, chat.senders);
      },
      &found.broken);
  if (is_telegram(found.json))
    name_telegram_chats(found, name);
  else
    found.chats.clear();
  if (found.chats.empty() && !found.broken.empty()) throw FormatError(found.broken);
  return found;
}

}  // namespace tern::detail
