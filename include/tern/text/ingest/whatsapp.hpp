#pragma once
/// WhatsApp's "export chat" text files, of Android and iOS, whatever form of date, digits and words for the half of the
/// day the phone's language gave them.
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/text/ingest/chat.hpp"
#include "tern/text/ingest/chat_line.hpp"
#include "tern/text/ingest/chat_stamp.hpp"
#include "tern/text/ingest/whatsapp_notes.hpp"
#include "tern/text/pattern.hpp"

namespace tern::detail {

/// A line, made plain, that begins a message: the sender (none in a system line) and the text.
///   12/31/20, 9:41 PM - Ana: hello          Android
///   [31.12.20, 21:41:05] Ana: hello         iOS
///   2023. 12. 31. 오후 9:41 - Ana: hello      any words may stand before and after the time
/// A date of three numbers, or of two and a month's name; a time of two or three; either may come first.
inline const Pattern& whatsapp_line() {
  static const Pattern pattern("WhatsApp line", R"re(
    (?(DEFINE)
      (?<word> \p{L} [\p{L}\p{M}.'’]{0,19}+ )
      (?<words> (?: (?&word) (?: [ ] (?&word) ){0,3} ) )
      (?<mark> [ ]? [./\-年月년월] [ ]? )
      (?<date> (?: (?&word) [.,]? [ ] )?
               (?: \d{1,4} (?&mark) \d{1,2} (?&mark) \d{1,4} [.日일]?
                 | \d{1,2} [.]? [ -] (?:de[ ])? (?&word) [ -] (?:de[ ])? \d{2,4}
                 | \p{L}{3,12} [.]? [ ] \d{1,2} ,? [ ] \d{4} ) (?: [ ]? (?:г|р)\. )? (?: [ ]? \( \p{L}{1,4} \) )? )
      (?<time> \d{1,2} [ ]? [:.h時时시] [ ]? \d{2} (?: [:.分분] \d{2} )? [分분秒초]? )
      (?<clock> (?: (?&words) [ ]? )? (?&time) (?: [ ]? (?&words) )? ) )
    ^ [ ]{0,2} (?<open>\[)?
    (?: (?<day1> (?&date) ) [ ]? ,? [ ]{0,2} (?<clock1> (?&clock) ) | (?<clock2> (?&clock) ) ,? [ ] (?<day2> (?&date) ) )
    (?(<open>) [ ]? \] [ ]? | (?: [ ]? [-–—] [ ] | [ ] [-–—] (?=\p{L}) ) )
    (?: ~? [ ]? (?<sender> [^:\n]{1,80}+ ) :(?:[ ]|$) )? )re");
  return pattern;
}

struct WhatsappLine {
  bool bracketed;
  std::string_view sender, text;  ///< of the line itself
  ChatStamp stamp;
};

/// Reads a message's first line; nothing where the line begins none.
inline std::optional<WhatsappLine> read_whatsapp_line(std::string_view line) {
  if (line.size() < 10) return std::nullopt;
  const PlainLine plain = plain_line(line);
  const auto match = whatsapp_line().find(plain.text);
  if (!match) return std::nullopt;
  const std::string_view sender = match->named("sender");
  const std::size_t end = plain.origin[match->end()];
  const bool date_first = !match->named("day1").empty();
  WhatsappLine result{plain.text[plain.text.find_first_not_of(' ')] == '[',
                      {},
                      line.substr(end),
                      date_first ? read_stamp(match->named("day1"), match->named("clock1"))
                                 : read_stamp(match->named("day2"), match->named("clock2"))};
  if (!sender.empty()) {
    const auto at = static_cast<std::size_t>(sender.data() - plain.text.data());
    result.sender = trim(line.substr(plain.origin[at], plain.origin[at + sender.size()] - plain.origin[at]));
  }
  return result;
}

/// The form of a file's stamps: bracketed or not, as the first line that is not blank has it if that begins a message;
/// else, in a file that looks like a chat, as the first message has it. All of the file's messages must have it.
inline std::optional<bool> whatsapp_form(std::string_view text) {
  bool is_first = true;
  for (std::string_view line : lines(text.substr(0, std::size_t{1} << 16))) {
    if (trim(line).empty()) continue;
    const auto message = read_whatsapp_line(line);
    if (message && (is_first || !message->sender.empty())) return message->bracketed;
    if (std::exchange(is_first, false) && !looks_like_chat(text)) return std::nullopt;
  }
  return std::nullopt;
}

inline bool is_whatsapp(std::string_view text) { return whatsapp_form(text).has_value(); }

/// Whom a chat is with, by its file's name: "WhatsApp Chat with Oskar.txt". Empty unless one sender alone is named.
inline std::string named_by_file(const Chat& chat) {
  Senders senders;
  count_senders(chat, senders);
  if (senders.size() != 2) return {};
  const std::string_view path = chat.name;
  const std::string file = ' ' + folded(path.substr(path.rfind('/') + 1, path.rfind('.') - path.rfind('/') - 1)) + ' ';
  std::string found;
  for (const auto& [key, presence] : senders) {
    if (file.find(' ' + key + ' ') == std::string::npos) continue;
    if (!found.empty()) return {};
    found = presence.name();
  }
  return found;
}

/// Reads an export. Lines that begin no message go on with the one before; system lines, and what stands in the place
/// of pictures and deleted messages, are dropped and counted.
inline Chat read_whatsapp(std::string_view text, std::string name) {
  Chat chat{std::move(name), "whatsapp", {}};
  const std::optional<bool> form = whatsapp_form(text);
  bool in_message = false;
  std::vector<ChatStamp> stamps;  // of the messages
  for (std::string_view line : lines(text)) {
    const auto first = read_whatsapp_line(line);
    if (!first || first->bracketed != form) {
      if (in_message)
        chat.messages.back().text += '\n' + std::string(line);
      else if (chat.messages.empty() && !trim(line).empty())
        ++chat.omitted["a line before the first message"];
      continue;
    }
    in_message = !first->sender.empty();
    if (in_message) {
      chat.messages.push_back({std::string(first->sender), std::string(first->text), {}});
      stamps.push_back(first->stamp);
    } else {
      ++chat.omitted["a notice of the service"];
    }
  }
  const std::vector<std::optional<Time>> times = times_of(stamps);
  for (std::size_t i = 0; i < times.size(); ++i) chat.messages[i].time = times[i];
  const std::map<std::string, Index> tags = closing_tags(chat);
  for (ChatMessage& message : chat.messages) drop_whatsapp_notes(message.text, tags);
  const Index notes = static_cast<Index>(
      std::erase_if(chat.messages, [](const ChatMessage& message) { return trim(message.text).empty(); }));
  if (notes > 0) chat.omitted["a note in the place of a picture, a call or a deleted message"] = notes;
  chat.other = named_by_file(chat);
  return chat;
}

}  // namespace tern::detail
