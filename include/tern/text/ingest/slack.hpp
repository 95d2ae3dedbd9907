#pragma once
/// Slack's JSON export: a folder a channel, a file of messages a day, and users.json with the people's names.
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "tern/text/ingest/chat.hpp"
#include "tern/text/ingest/dates.hpp"
#include "tern/text/ingest/json.hpp"

namespace tern::detail {

/// Display names by user id.
using SlackUsers = std::map<std::string, std::string>;

/// Whether `json` is a day's messages: an array of objects with time stamps.
inline bool is_slack(const Json& json) {
  return json.is_array() && std::any_of(json.begin(), json.end(), [](const Json& message) {
           return !string_field(message, "ts").empty() && !string_field(message, "type").empty();
         });
}

/// Names of a users.json; empty for any other JSON.
inline SlackUsers read_slack_users(const Json& json) {
  SlackUsers users;
  if (!json.is_array()) return users;
  for (const Json& user : json) {
    std::string name = string_field(user, "real_name");
    if (name.empty() && user.is_object() && user.contains("profile")) name = string_field(user["profile"], "real_name");
    if (name.empty()) name = string_field(user, "name");
    const std::string id = string_field(user, "id");  // of a channel or a group it begins with another letter
    if (!name.empty() && (id.starts_with('U') || id.starts_with('W'))) users[id] = name;
  }
  return users;
}

/// Slack's markup as people see it: <@U1> is @name, <#C1|general> is #general, <!here> is @here, <!subteam^S1|@ops> is
/// @ops, <!date^...|Feb 18> is Feb 18, <url|label> is label, <url> is url; and &lt; &gt; &amp; are characters.
inline std::string slack_text(std::string_view markup, const SlackUsers& users) {
  std::string text;
  while (!markup.empty()) {
    const std::size_t open = markup.find('<');
    text += markup.substr(0, open);
    const std::size_t close = open == std::string_view::npos ? open : markup.find('>', open);
    if (close == std::string_view::npos) {
      if (open != std::string_view::npos) text += markup.substr(open);
      break;
    }
    std::string_view link = markup.substr(open + 1, close - open - 1);
    const std::size_t bar = link.find('|');
    const std::string_view label = bar == std::string_view::npos ? std::string_view{} : link.substr(bar + 1);
    link = link.substr(0, bar);
    const char mark = link.empty() ? '\0' : link.front();
    if (mark == '!' && !label.empty()) {
      text += label;
    } else if (mark == '@' || mark == '#' || mark == '!') {
      link.remove_prefix(1);
      const auto user = users.find(std::string(link));
      const std::string_view name = !label.empty()        ? label
                                    : user != users.end() ? std::string_view(user->second)
                                                          : link.substr(0, link.find('^'));
      const char sign = mark == '#' ? '#' : '@';
      if (name.empty() || name.front() != sign) text += sign;
      text += name;
    } else {
      text += label.empty() ? link : label;
    }
    markup.remove_prefix(close + 1);
  }
  replace_all(text, "&lt;", "<");
  replace_all(text, "&gt;", ">");
  replace_all(text, "&amp;", "&");
  return text;
}

/// When a message was sent: its "ts" is seconds and, behind a point, a number that makes it unique.
inline std::optional<Time> slack_time(const Json& message) {
  const std::string stamp = string_field(message, "ts");
  const Time seconds = number(std::string_view(stamp).substr(0, stamp.find('.')));
  return seconds > 0 ? std::optional(seconds) : std::nullopt;
}

/// Messages people wrote; joins, topics, bots and the like carry another subtype and are left out.
inline Chat read_slack(const Json& json, std::string name, const SlackUsers& users) {
  Chat chat{std::move(name), "slack", {}};
  for (const Json& message : json) {
    const std::string subtype = string_field(message, "subtype"), id = string_field(message, "user");
    const bool is_persons = subtype.empty() || subtype == "thread_broadcast" || subtype == "me_message" ||
                            subtype == "file_share" || subtype == "file_comment";
    if (string_field(message, "type") != "message" || !is_persons) {
      ++chat.omitted["a notice of the service, or of a program"];
      continue;
    }
    std::string sender = id;
    if (const auto known = users.find(id); known != users.end()) {
      sender = known->second;
    } else if (message.contains("user_profile")) {
      const std::string profile = string_field(message["user_profile"], "real_name");
      if (!profile.empty()) sender = profile;
    }
    std::string text = slack_text(string_field(message, "text"), users);
    if (trim(text).empty())
      ++chat.omitted["a message without text"];
    else if (sender.empty())
      ++chat.omitted["a message without a sender"];
    else
      chat.messages.push_back({sender, std::move(text), id, slack_time(message)});
  }
  return chat;
}

}  // namespace tern::detail
