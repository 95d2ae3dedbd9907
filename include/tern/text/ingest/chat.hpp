#pragma once
/// Conversations, from which only one person's own words are kept: what every chat and mail reader produces, and the
/// choice of that person.
#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tern/text/document.hpp"
#include "tern/text/lines.hpp"

namespace tern {

/// Whose words were kept of one kind of conversation ("whatsapp", "telegram", "slack", "mail"), and why that person.
struct Owner {
  std::string service;
  std::string name;
  std::string reason;  ///< "given", "named by the export", "matches the folder's name", "most frequent sender"
};

namespace detail {

struct ChatMessage {
  std::string sender;
  std::string text;
  std::string sender_id;  ///< what the service calls the sender; may be empty
};

/// One file's conversation, or one of several in a file.
struct Chat {
  std::string name;
  std::string service;
  std::vector<ChatMessage> messages;
  std::string owner;  ///< sender_id of the account that exported it, where the file says so
};

inline bool same_name(std::string_view a, std::string_view b) { return lower(a) == lower(b); }

/// The words of a name in lower case; bytes outside ASCII count as letters.
inline std::vector<std::string> name_words(std::string_view name) {
  std::vector<std::string> words;
  bool inside = false;
  for (char c : lower(name)) {
    const bool letter = is_letter(c) || is_digit(c) || static_cast<unsigned char>(c) >= 0x80;
    if (letter && !inside) words.emplace_back();
    if (letter) words.back() += c;
    inside = letter;
  }
  return words;
}

/// How often a sender speaks, and in how many conversations.
struct Presence {
  Index chats = 0, messages = 0;
};

inline std::map<std::string, Presence> count_senders(const std::vector<const Chat*>& chats) {
  std::map<std::string, Presence> senders;
  for (const Chat* chat : chats) {
    std::map<std::string, Index> here;
    for (const ChatMessage& message : chat->messages) ++here[message.sender];
    for (const auto& [sender, messages] : here) {
      ++senders[sender].chats;
      senders[sender].messages += messages;
    }
  }
  return senders;
}

/// Senders any of whose names' words is a word of the folder's name.
inline std::vector<std::string> named_by_folder(const std::map<std::string, Presence>& senders,
                                                std::string_view folder) {
  const std::vector<std::string> wanted = name_words(folder);
  std::vector<std::string> result;
  for (const auto& entry : senders) {
    const std::vector<std::string> words = name_words(entry.first);
    if (std::any_of(words.begin(), words.end(), [&](const std::string& word) {
          return word.size() > 2 && std::find(wanted.begin(), wanted.end(), word) != wanted.end();
        }))
      result.push_back(entry.first);
  }
  return result;
}

/// The person whose words are kept in `chats`, all of one service: `self` if given (a name or an id), else whom the
/// export names, else the only sender that the folder's name matches, else whoever speaks in the most conversations,
/// the most often, the first in the alphabet. Chats hold at least one message.
inline Owner choose_owner(const std::vector<const Chat*>& chats, std::string_view self, std::string_view folder) {
  const std::string& service = chats.front()->service;
  if (!self.empty()) return {service, std::string(self), "given"};
  for (const Chat* chat : chats)
    if (!chat->owner.empty()) return {service, chat->owner, "named by the export"};
  const std::map<std::string, Presence> senders = count_senders(chats);
  const std::vector<std::string> matching = named_by_folder(senders, folder);
  if (matching.size() == 1) return {service, matching.front(), "matches the folder's name"};
  const auto rarer = [](const auto& a, const auto& b) {
    return std::pair(a.second.chats, a.second.messages) < std::pair(b.second.chats, b.second.messages);
  };
  return {service, std::max_element(senders.begin(), senders.end(), rarer)->first, "most frequent sender"};
}

inline bool is_from(const ChatMessage& message, const Owner& owner) {
  return same_name(message.sender, owner.name) || (!message.sender_id.empty() && message.sender_id == owner.name);
}

/// The owner's messages of `chat`, each ending its line.
inline std::string own_words(const Chat& chat, const Owner& owner) {
  std::string text;
  for (const ChatMessage& message : chat.messages)
    if (is_from(message, owner)) text += message.text + '\n';
  return text;
}

}  // namespace detail
}  // namespace tern
