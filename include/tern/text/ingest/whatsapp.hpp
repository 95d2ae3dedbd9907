#pragma once
/// WhatsApp's "export chat" text files, of Android and iOS, whatever form of date, digits and words for the half of the
/// day the phone's language gave them.
#include <algorithm>
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
inline std::string named_by_file(const Senders& senders, std::string_view path) {
  if (senders.size() != 2) return {};
  const std::string file = ' ' + folded(path.substr(path.rfind('/') + 1, path.rfind('.') - path.rfind('/') - 1)) + ' ';
  std::string found;
  for (const auto& [key, presence] : senders) {
    if (file.find(' ' + key + ' ') == std::string::npos) continue;
    if (!found.empty()) return {};
    found = presence.name();
  }
  return found;
}

/// Puts lines together to messages, which go to take(message, stamp) one by one. Lines that begin no message go on with
/// the one before; system lines are dropped and counted.
template <class Take>
class WhatsappMessages {
 public:
  /// Of `form`, see whatsapp_form; a message of more than `most` bytes loses its lines beyond them.
  WhatsappMessages(bool form, std::size_t most, Take take) : form_(form), most_(most), take_(std::move(take)) {}

  void add_line(std::string_view line) {
    const auto first = read_whatsapp_line(line);
    if (!first || first->bracketed != form_) return go_on(line);
    end();
    is_first_ = false;
    in_message_ = !first->sender.empty();
    if (!in_message_) return ++omitted["a notice of the service"], void();
    message_ = {std::string(first->sender), std::string(first->text), {}};
    stamp_ = first->stamp;
  }

  /// A line that surely begins no message.
  void go_on(std::string_view line) {
    if (in_message_ && message_.text.size() + line.size() < most_)
      (message_.text += '\n') += line;
    else if (in_message_)
      ++omitted["a line of a message over " + std::to_string(most_) + " bytes"];
    else if (is_first_ && !trim(line).empty())
      ++omitted["a line before the first message"];
  }

  /// Hands the last message over.
  void end() {
    if (std::exchange(in_message_, false)) take_(std::move(message_), stamp_);
  }

  Omissions omitted;

 private:
  bool form_, in_message_ = false, is_first_ = true;
  std::size_t most_;
  ChatMessage message_;
  ChatStamp stamp_;
  Take take_;
};

/// The reason why what stands in the place of pictures and deleted messages is dropped.
inline constexpr const char* whatsapp_note = "a note in the place of a picture, a call or a deleted message";

/// Reads an export, whose text is at hand.
inline Chat read_whatsapp(std::string_view text, std::string name) {
  Chat chat{std::move(name), "whatsapp", {}};
  std::vector<ChatStamp> stamps;
  DateOrders orders;
  ClosingTags tags;
  WhatsappMessages messages(whatsapp_form(text).value_or(false), text.size() + 1,
                            [&](ChatMessage&& message, const ChatStamp& stamp) {
                              orders.add(stamp);
                              count_closing_tag(message.text, tags);
                              stamps.push_back(stamp);
                              chat.messages.push_back(std::move(message));
                            });
  for (std::string_view line : lines(text)) messages.add_line(line);
  messages.end();
  chat.omitted = std::move(messages.omitted);
  for (std::size_t i = 0; i < stamps.size(); ++i) {
    chat.messages[i].time = time_of(stamps[i], orders.best());
    drop_whatsapp_notes(chat.messages[i].text, tags);
  }
  const Index notes = static_cast<Index>(
      std::erase_if(chat.messages, [](const ChatMessage& message) { return trim(message.text).empty(); }));
  if (notes > 0) chat.omitted[whatsapp_note] = notes;
  Senders senders;
  count_senders(chat, senders);
  chat.other = named_by_file(senders, chat.name);
  return chat;
}

}  // namespace tern::detail
