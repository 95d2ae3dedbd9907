#pragma once
/// Mail in .eml files and mbox folders, by GMime: who wrote it, its subject, and what its writer wrote.
#include <gmime/gmime.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tern/text/ingest/charset.hpp"
#include "tern/text/ingest/chat.hpp"
#include "tern/text/ingest/html.hpp"
#include "tern/text/ingest/records.hpp"
#include "tern/text/ingest/replies.hpp"

namespace tern::detail {

struct Unreference {
  void operator()(void* object) const { g_object_unref(object); }
};
template <class T>
using GObjectHandle = std::unique_ptr<T, Unreference>;

/// A mail's text as it is put together: the bad bytes replaced in it count in `replaced`.
class MailReader {
 public:
  MailReader(std::string source, BadBytes policy) : source_(std::move(source)), policy_(policy) {}

  /// The readable text below `part`: plain text before HTML; attached files and forwarded messages are left out.
  std::string body(GMimeObject* part) {
    if (part == nullptr || is_attachment(part)) return {};
    if (GMIME_IS_MULTIPART(part)) return multipart(GMIME_MULTIPART(part));
    if (!GMIME_IS_TEXT_PART(part)) return {};
    std::string text = unix_lines(decoded(GMIME_PART(part)));
    GMimeContentType* type = g_mime_object_get_content_type(part);
    if (g_mime_content_type_is_type(type, "text", "html")) return html_text(text);
    if (!g_mime_content_type_is_type(type, "text", "plain")) return {};
    const char* format = g_mime_content_type_get_parameter(type, "format");
    return format != nullptr && lower(format) == "flowed" ? unflowed(text) : text;
  }

  Index replaced() const { return replaced_; }

 private:
  static bool is_attachment(GMimeObject* part) {
    const char* disposition = g_mime_object_get_disposition(part);
    return disposition != nullptr && lower(disposition) == "attachment";
  }

  std::string multipart(GMimeMultipart* parts) {
    const bool alternative =
        g_mime_content_type_is_type(g_mime_object_get_content_type(GMIME_OBJECT(parts)), "multipart", "alternative");
    std::string joined;
    for (int i = 0; i < g_mime_multipart_get_count(parts); ++i) {
      const std::string text = body(g_mime_multipart_get_part(parts, i));
      if (trim(text).empty()) continue;
      joined += joined.empty() ? text : '\n' + text;
      if (alternative) break;  // simplest first, and the others say the same
    }
    return joined;
  }

  /// The part's content after its transfer encoding and charset.
  std::string decoded(GMimePart* part) {
    GMimeDataWrapper* content = g_mime_part_get_content(part);
    if (content == nullptr) return {};
    const GObjectHandle<GMimeStream> memory(g_mime_stream_mem_new());
    g_mime_data_wrapper_write_to_stream(content, memory.get());
    const GByteArray* bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(memory.get()));
    const char* charset = g_mime_object_get_content_type_parameter(GMIME_OBJECT(part), "charset");
    Utf8Result text = decode_charset({reinterpret_cast<const char*>(bytes->data), bytes->len},
                                     charset == nullptr ? "" : charset, source_, policy_);
    replaced_ += text.replaced;
    return std::move(text.text);
  }

  /// RFC 3676: a line that ends in a space goes on in the next.
  static std::string unflowed(std::string_view text) {
    std::string result;
    for (std::string_view line : lines(text)) {
      const bool quoted = !line.empty() && line.front() == '>';
      if (!line.empty() && line.front() == ' ') line.remove_prefix(1);
      result += line;
      if (line.empty() || line.back() != ' ' || line == "-- " || quoted) result += '\n';
    }
    return result;
  }

  std::string source_;
  BadBytes policy_;
  Index replaced_ = 0;
};

/// The writer of a message: display name, or the address where there is none, and the address.
inline ChatMessage mail_sender(GMimeMessage* message) {
  InternetAddressList* from = g_mime_message_get_from(message);
  if (from == nullptr || internet_address_list_length(from) == 0) return {};
  InternetAddress* first = internet_address_list_get_address(from, 0);
  const char* shown = internet_address_get_name(first);
  const char* address =
      INTERNET_ADDRESS_IS_MAILBOX(first) ? internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(first)) : nullptr;
  const std::string id = address == nullptr ? "" : address;
  return {shown == nullptr || *shown == '\0' ? id : std::string(shown), "", id};
}

/// Undoes what mbox does to lines that would begin a message: ">From " stands for "From ".
inline std::string without_from_escapes(std::string_view body) {
  std::string text;
  for (std::string_view line : lines(body)) text.append(line.substr(line.substr(0, 6) == ">From " ? 1 : 0)) += '\n';
  return text;
}

struct Mailbox {
  std::vector<Chat> mails;  ///< one message each
  Index replaced = 0;
};

/// Reads every message of an mbox, or the single one of an .eml file. Throws FormatError if there is none.
inline Mailbox read_mail(std::string_view bytes, const std::string& name, bool is_mbox, BadBytes policy) {
  [[maybe_unused]] static const bool initialised = (g_mime_init(), true);
  const GObjectHandle<GMimeStream> stream(g_mime_stream_mem_new_with_buffer(bytes.data(), bytes.size()));
  const GObjectHandle<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
  g_mime_parser_set_format(parser.get(), is_mbox ? GMIME_FORMAT_MBOX : GMIME_FORMAT_MESSAGE);

  Mailbox mailbox;
  for (std::size_t number = 1; number == 1 || !g_mime_parser_eos(parser.get()); ++number) {
    const GObjectHandle<GMimeMessage> message(g_mime_parser_construct_message(parser.get(), nullptr));
    if (!message) break;
    const std::string part = is_mbox ? part_name(name, number) : name;
    MailReader reader(part, policy);
    ChatMessage mail = mail_sender(message.get());
    const char* subject = g_mime_message_get_subject(message.get());
    const std::string body = reader.body(g_mime_message_get_mime_part(message.get()));
    mail.text = (subject == nullptr ? "" : std::string(trim(subject))) + "\n\n" +
                own_reply(is_mbox ? without_from_escapes(body) : body);
    mailbox.replaced += reader.replaced();
    mailbox.mails.push_back({part, "mail", {std::move(mail)}, {}});
    if (!is_mbox) break;
  }
  if (mailbox.mails.empty())
    throw FormatError("mail '" + name + "': expected a message, got none in " + std::to_string(bytes.size()) +
                      " bytes");
  return mailbox;
}

}  // namespace tern::detail
