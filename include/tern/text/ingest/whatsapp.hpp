#pragma once
/// WhatsApp's "export chat" text files, of Android and iOS, whatever date format the phone's language gave them.
#include <array>
#include <string>
#include <string_view>

#include "tern/text/ingest/chat.hpp"
#include "tern/text/pattern.hpp"

namespace tern::detail {

/// A line that begins a message: group 2 the sender (none in a system line), group 3 the text.
///   12/31/20, 9:41 PM - Ana: hello          Android
///   [31.12.20, 21:41:05] Ana: hello         iOS
/// Invisible direction marks may lead, and a no-break space may stand before PM.
inline const Pattern& whatsapp_line() {
  static const Pattern pattern("WhatsApp line", R"re(
    ^ [\x{200e}\x{200f}\x{202a}-\x{202e}\x{2066}-\x{2069}]*+
    (?<open>\[)?
    \d{1,4}+ [./-] \d{1,2}+ [./-] \d{1,4}+ \.?                        # 31/12/2020, 2020-12-31, 31.12.20
    [,،]? [ \x{a0}\x{202f}]{1,2} (?:(?:à|às|as|um|at|alle|kl\.?|klo|о|в|tầm)[ ])?
    (?:上午|下午|오전|오후|午前|午後)?[ ]?
    \d{1,2} [:.] \d{2} (?:[:.]\d{2})?
    (?:[ \x{a0}\x{202f}]?[aApP]\.?[ \x{a0}\x{202f}]?[mM]\.?)?
    (?(<open>)\][ ]?|[ ][-–][ ])
    [\x{200e}\x{200f}]*+
    (?: ~?[ \x{a0}\x{202f}]? ([^:\n]{1,60}+) :(?:[ ]|$) )?
    (.*+) $)re");
  return pattern;
}

/// Whether the text's first line that is not blank begins a message.
inline bool is_whatsapp(std::string_view text) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (!trim(line).empty()) return whatsapp_line().matches(line);
    text.remove_prefix(line.size() + 1 > text.size() ? text.size() : line.size() + 1);
  }
  return false;
}

/// True of what WhatsApp itself writes in a sender's place: "<Media omitted>" in any language, iOS's notes (they begin
/// with an invisible mark), deleted messages and attached files.
inline bool is_whatsapp_placeholder(std::string_view text) {
  constexpr std::string_view left_to_right_mark = "\xE2\x80\x8E";
  if (text.substr(0, left_to_right_mark.size()) == left_to_right_mark) return true;
  if (text.find('\n') != std::string_view::npos) return false;
  if (text.size() > 2 && text.front() == '<' && text.back() == '>') return true;
  constexpr std::array notes = {"this message was deleted", "you deleted this message", "missed voice call",
                                "missed video call", "null"};
  std::string plain = lower(trim(text));
  if (!plain.empty() && plain.back() == '.') plain.pop_back();
  return plain.empty() || plain.find("(file attached)") != std::string::npos ||
         std::any_of(notes.begin(), notes.end(), [&](const char* note) { return plain == note; });
}

/// Reads an export. Lines that begin no message go on with the one before; system lines are dropped.
inline Chat read_whatsapp(std::string_view text, std::string name) {
  Chat chat{std::move(name), "whatsapp", {}, {}};
  bool in_message = false;
  for (std::string_view line : lines(text)) {
    const auto match = whatsapp_line().find(line);
    if (!match) {
      if (in_message) chat.messages.back().text += '\n' + std::string(line);
      continue;
    }
    in_message = !match->group(2).empty();
    if (in_message) chat.messages.push_back({std::string(trim(match->group(2))), std::string(match->group(3)), {}});
  }
  for (ChatMessage& message : chat.messages) {
    constexpr std::string_view edited = "\xE2\x80\x8E<";  // "<This message was edited>", in any language
    const std::size_t note = message.text.rfind(edited);
    if (note != std::string::npos && note > 0 && message.text.back() == '>') message.text.erase(note);
    while (!message.text.empty() && is_space(message.text.back())) message.text.pop_back();
  }
  std::erase_if(chat.messages, [](const ChatMessage& message) { return is_whatsapp_placeholder(message.text); });
  return chat;
}

}  // namespace tern::detail
