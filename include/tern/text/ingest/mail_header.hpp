#pragma once
/// The header of a mail, without parsing the rest of it: whose it is shows there.
#include <gmime/gmime.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tern/core/quote.hpp"
#include "tern/text/ingest/charset.hpp"
#include "tern/text/ingest/chat.hpp"
#include "tern/text/ingest/correspondents.hpp"
#include "tern/text/lines.hpp"

namespace tern::detail {

/// The value of the first field of that name (in lower case) in a mail's header, its folded lines as one; empty where
/// there is none.
inline std::string find_header(std::string_view mail, std::string_view name) {
  std::string value;
  bool is_found = false;
  while (!mail.empty()) {
    std::string_view line = mail.substr(0, mail.find('\n'));
    mail.remove_prefix(std::min(mail.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) break;
    const bool goes_on = line.front() == ' ' || line.front() == '\t';
    if (is_found && !goes_on) break;
    if (is_found) {
      value += line;
    } else if (!goes_on) {
      const std::size_t colon = line.find(':');
      if (colon == std::string_view::npos || lower(trim(line.substr(0, colon))) != name) continue;
      is_found = true;
      value = line.substr(colon + 1);
    }
    if (value.size() > 65'536) break;
  }
  return std::string(trim(value));
}

/// The bytes of an encoded word's text: base64, or quoted-printable with '_' for a space.
inline std::string encoded_bytes(char encoding, std::string_view text) {
  std::string bytes;
  if (encoding == 'q' || encoding == 'Q') {
    const auto hex = [](char c) {
      return is_digit(c) ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '=' && i + 2 < text.size() && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0) {
        bytes += static_cast<char>(16 * hex(text[i + 1]) + hex(text[i + 2]));
        i += 2;
      } else {
        bytes += text[i] == '_' ? ' ' : text[i];
      }
    }
    return bytes;
  }
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int value = is_upper(c)            ? c - 'A'
                      : c >= 'a' && c <= 'z' ? c - 'a' + 26
                      : is_digit(c)          ? c - '0' + 52
                      : c == '+'             ? 62
                      : c == '/'             ? 63
                                             : -1;
    if (value < 0) continue;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    if (++count % 4 != 1) bytes += static_cast<char>(bits >> (6 - 2 * ((count - 1) % 4)) & 0xFF);
  }
  return bytes;
}

/// A header's value with its encoded words (RFC 2047) as text. Neighbours of one charset are decoded together: programs
/// cut characters in two. Raw bytes beyond ASCII are UTF-8, else windows-1252.
inline std::string header_text(std::string_view value) {
  std::string text, bytes, charset;
  const auto flush = [&] {
    if (!bytes.empty()) text += decode_charset(bytes, charset).text;
    bytes.clear();
  };
  while (!value.empty()) {
    const std::size_t open = value.find("=?");
    const std::string_view before = value.substr(0, open);
    std::string_view rest = open == std::string_view::npos ? std::string_view{} : value.substr(open + 2);
    const std::size_t mark = rest.find('?');
    const bool is_word = mark != std::string_view::npos && mark > 0 && mark + 2 < rest.size() &&
                         rest[mark + 2] == '?' &&
                         std::string_view("bBqQ").find(rest[mark + 1]) != std::string_view::npos;
    const std::size_t end = is_word ? rest.find("?=", mark + 3) : std::string_view::npos;
    if (end == std::string_view::npos) {
      const std::size_t size = open == std::string_view::npos ? value.size() : open + 2;
      flush();
      text += decode_charset(value.substr(0, size), "").text;
      value.remove_prefix(size);
      continue;
    }
    std::string label = lower(rest.substr(0, mark));
    label = label.substr(0, label.find('*'));  // RFC 2231's language
    if (!trim(before).empty() || label != charset || bytes.empty()) {
      const bool joins = trim(before).empty() && !bytes.empty();  // white space between encoded words is none
      flush();
      if (!joins) text += decode_charset(before, "").text;
      charset = label;
    }
    bytes += encoded_bytes(rest[mark + 1], rest.substr(mark + 3, end - mark - 3));
    value = rest.substr(end + 2);
  }
  flush();
  std::string line = shown(text);
  replace_all(line, "\uFFFD", " ");  // tabs of folded lines among them
  return std::string(trim(line));
}

/// The addresses of a field, at most `most`: each a display name (the address where there is none), and
/// the address as id.
inline std::vector<ChatMessage> addresses(const std::string& value, int most) {
  [[maybe_unused]] static const bool initialised = (g_mime_init(), true);
  InternetAddressList* list = internet_address_list_parse(nullptr, value.c_str());
  if (list == nullptr) return {};
  std::vector<ChatMessage> people;
  for (int i = 0; i < std::min(internet_address_list_length(list), most); ++i) {
    InternetAddress* one = internet_address_list_get_address(list, i);
    ChatMessage person;
    if (INTERNET_ADDRESS_IS_MAILBOX(one)) {
      const char* address = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(one));
      if (address != nullptr) person.sender_id = shown(address);
    }
    const char* name = internet_address_get_name(one);
    person.sender = name == nullptr || *name == '\0' ? person.sender_id : shown(name);
    people.push_back(std::move(person));
  }
  g_object_unref(list);
  return people;
}

/// The first address of a field; where it breaks the grammar of addresses, what stands in its angle brackets.
inline ChatMessage first_address(const std::string& value) {
  std::vector<ChatMessage> people = addresses(value, 1);
  if (!people.empty() && !people.front().sender_id.empty()) return std::move(people.front());
  const std::size_t open = value.rfind('<'), at = value.find('@', std::min(open, value.size()));
  const std::size_t close = value.find('>', std::min(at, value.size()));
  if (close == std::string::npos) return people.empty() ? ChatMessage{} : std::move(people.front());
  const std::string address = shown(value.substr(open + 1, close - open - 1));
  const std::string name = header_text(value.substr(0, open));
  return {name.empty() ? address : name, "", address};
}

/// Whom a mail is to; of many the first of each field.
inline Correspondents correspondents(std::string_view mail) {
  Correspondents others;
  for (const char* field : {"to", "cc"})
    for (const ChatMessage& person : addresses(find_header(mail, field), 16)) others.add(person);
  return others;
}

/// Who wrote a mail; empty where its header does not say.
inline ChatMessage mail_sender(std::string_view mail) {
  std::string from = find_header(mail, "from");
  if (from.empty()) from = find_header(mail, "sender");
  return first_address(from);
}

/// When a mail was written; nothing where its header does not say.
inline std::optional<Time> mail_time(std::string_view mail) {
  [[maybe_unused]] static const bool initialised = (g_mime_init(), true);
  const std::string date = find_header(mail, "date");
  GDateTime* const parsed = date.empty() ? nullptr : g_mime_utils_header_decode_date(date.c_str());
  if (parsed == nullptr) return std::nullopt;
  const Time seconds = g_date_time_to_unix(parsed);
  g_date_time_unref(parsed);
  return seconds > 0 ? std::optional(seconds) : std::nullopt;
}

/// To whom a mail was delivered, as the address's key; empty where its header does not say.
inline std::string mail_receiver(std::string_view mail) {
  for (const char* name : {"delivered-to", "x-original-to", "envelope-to", "x-delivered-to"})
    if (const std::string value = find_header(mail, name); !value.empty())
      if (const ChatMessage person = first_address(value); !person.sender_id.empty()) return folded(person.sender_id);
  return {};
}

}  // namespace tern::detail
