#pragma once
/// Conversations, from which only one person's own words are kept: what every chat and mail reader produces, and the
/// choice of that person.
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "tern/text/document.hpp"
#include "tern/text/lines.hpp"
#include "tern/text/normalize.hpp"

namespace tern {

/// Whose words were kept of one kind of conversation ("whatsapp", "telegram", "slack", "irc", "mail"), and why that
/// person's.
struct Owner {
  std::string service;
  std::string name;                    ///< as the conversations show it
  std::string reason;                  ///< "given", "named by the export", "matches the folder's name", ...
  bool guessed = false;                ///< by frequency alone: whoever uses the words should be told
  std::vector<std::string> keys = {};  ///< what is_from compares
};

namespace detail {

struct ChatMessage {
  std::string sender;
  std::string text;
  std::string sender_id;          ///< what the service calls the sender; may be empty
  std::optional<Time> time = {};  ///< where the file says so
};

/// How many parts of a file were not used, by reason.
using Omissions = std::map<std::string, Index>;

/// One file's conversation, or one of several in a file.
struct Chat {
  std::string name;
  std::string service;
  std::vector<ChatMessage> messages;
  Kind kind = Kind::chat;  ///< or transcript: spoken, and written down by someone
  std::string owner = {};  ///< sender_id of the account that exported it, where the file says so
  std::string other = {};  ///< the name of whom it is with, where the file says so
  Omissions omitted = {};  ///< messages that are nobody's words
};

/// The words of a name as names are compared; letters and digits of any script.
inline std::vector<std::string> name_words(std::string_view name) {
  const std::string plain = folded(name);
  std::vector<std::string> words;
  bool inside = false;
  const auto size = static_cast<std::int64_t>(plain.size());
  for (std::int64_t i = 0, begin = 0; i < size; begin = i) {
    UChar32 c;
    U8_NEXT(plain.data(), i, size, c);
    const bool is_part = c > 0 && (u_isalnum(c) || (U_GET_GC_MASK(c) & U_GC_M_MASK) != 0);
    if (is_part && !inside) words.emplace_back();
    if (is_part) words.back().append(plain, static_cast<std::size_t>(begin), static_cast<std::size_t>(i - begin));
    inside = is_part;
  }
  return words;
}

/// What makes two messages one person's: the service's id (a mail address is one person's whatever names stand beside
/// it), else the name.
inline std::string person_key(const std::string& sender, const std::string& sender_id) {
  return folded(sender_id.empty() ? sender : sender_id);
}

/// How often a person speaks, in how many conversations, and under which names.
struct Presence {
  Index chats = 0, messages = 0;
  std::map<std::string, Index> names = {};

  std::string name() const {
    const auto rank = [](const auto& entry) {  // of as frequent ones, a name before an address, the longer one
      return std::tuple(entry.second, entry.first.find('@') == std::string::npos, entry.first.size());
    };
    const auto rarer = [&](const auto& a, const auto& b) { return rank(a) < rank(b); };
    return names.empty() ? "" : std::max_element(names.begin(), names.end(), rarer)->first;
  }
};

/// By person_key.
using Senders = std::map<std::string, Presence>;

/// Counts a message of one chat.
inline void count_sender(const ChatMessage& message, Senders& senders) {
  Presence& presence = senders[person_key(message.sender, message.sender_id)];
  presence.chats = 1;
  ++presence.messages;
  ++presence.names[message.sender];
}

/// Adds what was counted in further chats.
inline void add_senders(const Senders& more, Senders& senders) {
  for (const auto& [key, presence] : more) {
    Presence& sum = senders[key];
    sum.chats += presence.chats;
    sum.messages += presence.messages;
    for (const auto& [name, messages] : presence.names) sum.names[name] += messages;
  }
}

inline void count_senders(const Chat& chat, Senders& senders) {
  Senders here;
  for (const ChatMessage& message : chat.messages) count_sender(message, here);
  add_senders(here, senders);
}

/// A chat of a file too large to be kept: who speaks in it, for the choice of the owner; then it is read again.
struct StreamedChat {
  std::string name;
  std::size_t number = 0;  ///< in its file
  Senders senders = {};
  std::string owner = {}, other = {};  ///< as Chat's
  Omissions omitted = {};
};

/// People one of whose names' words is a word of `text`, a folder's name.
inline std::vector<std::string> named_by(const Senders& senders, std::string_view text) {
  const std::vector<std::string> wanted = name_words(text);
  const auto is_wanted = [&](const std::string& name) {
    const std::vector<std::string> words = name_words(name);
    return std::any_of(words.begin(), words.end(), [&](const std::string& word) {
      return word.size() > 2 && std::find(wanted.begin(), wanted.end(), word) != wanted.end();
    });
  };
  std::vector<std::string> result;
  for (const auto& [key, presence] : senders)
    if (std::any_of(presence.names.begin(), presence.names.end(), [&](const auto& n) { return is_wanted(n.first); }))
      result.push_back(key);
  return result;
}

/// What else than the messages tells the owner.
struct OwnerHints {
  std::vector<std::string> self;                ///< given names, addresses or ids
  std::string exporter = {};                    ///< the sender_id whom the export names
  std::string folder = {};                      ///< the folder's name
  Senders others = {};                          ///< people whom the files name as the ones talked to
  std::map<std::string, Index> receivers = {};  ///< how many mails were delivered to an address, by key
};

/// The person whose words are kept of one service: `self` if given, else whom the export names, else the only sender
/// that the folder's name matches, else the only one whom no conversation is with, else the address to which most mail
/// was delivered, else whoever speaks in the most conversations, the most often, the first in the alphabet.
inline Owner choose_owner(const std::string& service, const Senders& senders, const OwnerHints& hints) {
  const auto person = [&](const std::string& key, std::string reason, bool guessed = false) {
    const auto found = senders.find(key);
    const std::string name = found == senders.end() ? key : found->second.name();
    return Owner{service, name.empty() ? key : name, std::move(reason), guessed, {key}};
  };
  if (!hints.self.empty()) {
    Owner owner{service, "", "given", false, {}};
    for (const std::string& name : hints.self) {
      owner.name += (owner.name.empty() ? "" : ", ") + name;
      owner.keys.push_back(folded(name));
    }
    return owner;
  }
  if (!hints.exporter.empty()) return person(folded(hints.exporter), "named by the export");
  const std::vector<std::string> matching = named_by(senders, hints.folder);
  if (matching.size() == 1) return person(matching.front(), "matches the folder's name");
  std::vector<std::string> alone;
  for (const auto& [key, presence] : senders)
    if (hints.others.count(key) == 0 &&
        std::none_of(presence.names.begin(), presence.names.end(),
                     [&](const auto& name) { return hints.others.count(folded(name.first)) > 0; }))
      alone.push_back(key);
  if (!hints.others.empty() && alone.size() == 1) return person(alone.front(), "the chats are with the others");
  const auto least = [](const auto& a, const auto& b) { return a.second < b.second; };
  if (const auto most = std::max_element(hints.receivers.begin(), hints.receivers.end(), least);
      most != hints.receivers.end() && senders.count(most->first) > 0)
    return person(most->first, "mail is delivered to this address");
  const auto rarer = [](const auto& a, const auto& b) {
    return std::pair(a.second.chats, a.second.messages) < std::pair(b.second.chats, b.second.messages);
  };
  const auto most = std::max_element(senders.begin(), senders.end(), rarer);
  if (senders.size() == 1) return person(most->first, "the only sender");
  return person(most->first, "most frequent sender", true);
}

inline bool is_from(const std::string& sender, const std::string& sender_id, const Owner& owner) {
  const auto is_key = [&](const std::string& name) {
    return !name.empty() && std::find(owner.keys.begin(), owner.keys.end(), folded(name)) != owner.keys.end();
  };
  return is_key(sender_id) || is_key(sender);
}

/// A stretch of a conversation: the owner's messages, each ending its line, and when the first of them was written.
struct Stretch {
  std::string text;
  std::optional<Time> time;
};

/// What the owner says in a chat whose messages are taken one by one, as documents: a new one begins at the first
/// silence of six hours, of everybody, after the owner has said a thousand bytes, which a language model can learn from.
/// Without times it is one stretch.
struct OwnWords {
  std::vector<Stretch> stretches;
  Index by_others = 0;
  Index beyond = 0;  ///< of the owner's own, for which there was no room

  /// Takes a message in, if it is the owner's, and its bytes out of `room`.
  void take(const ChatMessage& message, const Owner& owner, std::size_t& room) {
    constexpr Time silence = 6 * 3600;
    constexpr std::size_t enough = 1'000;
    const bool after_silence = message.time && last_ && *message.time - *last_ >= silence;
    if (message.time) last_ = message.time;
    if (after_silence && !stretches.empty() && stretches.back().text.size() >= enough) stretches.emplace_back();
    if (!is_from(message.sender, message.sender_id, owner)) {
      ++by_others;
    } else if (message.text.size() >= room) {
      ++beyond;
    } else {
      if (stretches.empty()) stretches.emplace_back();
      if (stretches.back().text.empty()) stretches.back().time = message.time;
      (stretches.back().text += message.text) += '\n';
      room -= message.text.size() + 1;
    }
  }

  /// Those that hold words.
  std::vector<Stretch> finish() {
    if (!stretches.empty() && stretches.back().text.empty()) stretches.pop_back();
    return std::move(stretches);
  }

 private:
  std::optional<Time> last_;
};

}  // namespace detail
}  // namespace tern
