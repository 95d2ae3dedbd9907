#pragma once
/// WhatsApp's exports of any size in bounded memory: two readings, of which the first learns what the second must know.
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "tern/core/error.hpp"
#include "tern/text/ingest/line_stream.hpp"
#include "tern/text/ingest/whatsapp.hpp"
#include "tern/text/utf8.hpp"

namespace tern::detail {

class WhatsappStream {
 public:
  /// Of `form`, see whatsapp_form; lines of a message beyond `most` bytes are left out.
  WhatsappStream(std::filesystem::path path, bool form, std::size_t most)
      : path_(std::move(path)), form_(form), most_(most) {}

  /// The first reading. Throws IoError where the file cannot be read, FormatError where over 1% of it is no text.
  StreamedChat count(std::string name) {
    StreamedChat chat{std::move(name)};
    Index notes = 0;
    chat.omitted = each([&](ChatMessage&& message, const ChatStamp& stamp) {
      orders_.add(stamp);
      count_closing_tag(message.text, tags_);
      drop_whatsapp_notes(message.text, {});
      if (trim(message.text).empty())
        ++notes;
      else
        count_sender(message, chat.senders);
    });
    if (notes > 0) chat.omitted[whatsapp_note] = notes;
    chat.other = named_by_file(chat.senders, chat.name);
    return chat;
  }

  /// The second: calls take(message) for the messages of people.
  template <class Take>
  void for_each_message(Take take) const {
    const DateOrder order = orders_.best();
    each([&](ChatMessage&& message, const ChatStamp& stamp) {
      message.time = time_of(stamp, order);
      drop_whatsapp_notes(message.text, tags_);
      if (!trim(message.text).empty()) take(message);
    });
  }

  /// U+FFFD for what is no character, in one reading.
  Index replaced() const { return replaced_; }

 private:
  /// Calls take(message, stamp); returns what was omitted.
  template <class Take>
  Omissions each(Take take) const {
    WhatsappMessages messages(form_, most_, std::move(take));
    LineStream stream(path_);
    std::size_t bytes = 0;
    replaced_ = 0;
    bool begins_line = true;
    for (std::string_view piece; stream.next(piece);) {
      if (bytes == 0 && piece.starts_with(byte_order_mark)) piece.remove_prefix(byte_order_mark.size());
      bytes += piece.size();
      const bool begins = std::exchange(begins_line, piece.ends_with('\n'));
      if (piece.ends_with('\n')) piece.remove_suffix(1);
      if (piece.ends_with('\r')) piece.remove_suffix(1);
      const Utf8Result line = decode_utf8(piece, "", BadBytes::replace);
      replaced_ += line.replaced;
      if (begins)
        messages.add_line(line.text);
      else
        messages.go_on(line.text);
    }
    messages.end();
    if (100 * static_cast<std::size_t>(replaced_) > bytes)
      throw FormatError("expected text, got " + std::to_string(replaced_) + " characters that are none, over 1%");
    return std::move(messages.omitted);
  }

  std::filesystem::path path_;
  bool form_;
  std::size_t most_;
  DateOrders orders_;
  ClosingTags tags_;
  mutable Index replaced_ = 0;
};

}  // namespace tern::detail
