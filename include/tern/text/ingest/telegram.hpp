#pragma once
/// Telegram Desktop's JSON export (result.json): one chat, or an account's whole list of them.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tern/text/ingest/chat.hpp"
#include "tern/text/ingest/dates.hpp"
#include "tern/text/ingest/json.hpp"

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

/// Service notices, messages forwarded from others or made by bots are left out.
inline Chat read_telegram_chat(const Json& json, std::string name) {
  Chat chat{std::move(name), "telegram", {}};
  if (string_field(json, "type") == "personal_chat") chat.other = string_field(json, "name");
  for (const Json& message : json["messages"]) {
    if (!message.is_object() || string_field(message, "type") != "message") {
      ++chat.omitted["a notice of the service"];
      continue;
    }
    const std::string sender = string_field(message, "from"), id = telegram_user(message, "from_id");
    std::string text = message.contains("text") ? telegram_text(message["text"]) : std::string();
    if (message.contains("forwarded_from") || message.contains("via_bot"))
      ++chat.omitted["a message forwarded, or by a bot"];
    else if (trim(text).empty())
      ++chat.omitted["a message without text"];
    else if (sender.empty() && id.empty())
      ++chat.omitted["a message without a sender"];
    else
      chat.messages.push_back({sender.empty() ? id : sender, std::move(text), id, telegram_time(message)});
  }
  return chat;
}

/// One chat for each in the export, in its order. An account's export names its owner.
inline std::vector<Chat> read_telegram(const Json& json, const std::string& name) {
  if (is_telegram_chat(json)) return {read_telegram_chat(json, name)};
  std::string owner;
  const auto person = json.find("personal_information");
  if (person != json.end() && person->is_object()) owner = telegram_user(*person, "user_id");
  std::vector<Chat> chats;
  for (const Json& one : json["chats"]["list"]) {
    if (!is_telegram_chat(one)) continue;
    chats.push_back(read_telegram_chat(one, name + '#' + one["id"].dump()));
    chats.back().owner = owner;
  }
  return chats;
}

}  // namespace tern::detail
