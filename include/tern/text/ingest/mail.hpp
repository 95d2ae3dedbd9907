#pragma once
/// Mail in .eml files and mbox folders, by GMime: who wrote it, its subject, and what its writer wrote.
#include <gmime/gmime.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tern/core/quote.hpp"
#include "tern/text/ingest/charset.hpp"
#include "tern/text/ingest/chat.hpp"
#include "tern/text/ingest/html.hpp"
#include "tern/text/ingest/mail_header.hpp"
#include "tern/text/ingest/replies.hpp"

namespace tern::detail {

struct Unreference {
  void operator()(void* object) const { g_object_unref(object); }
};
template <class T>
using GObjectHandle = std::unique_ptr<T, Unreference>;

/// RFC 3676: a line that ends in a space goes on in the next of the same depth of quotation; with `delsp` that space is
/// no part of the text. Quoted lines keep their '>'.
inline std::string unflowed(std::string_view text, bool delsp) {
  std::string result;
  bool flows = false;
  std::size_t flow_depth = 0;
  for (std::string_view line : lines(text)) {
    const std::size_t depth = std::min(line.find_first_not_of('>'), line.size());
    line.remove_prefix(depth);
    if (line.starts_with(' ')) line.remove_prefix(1);
    const bool is_signature = line == "-- ";
    if (flows && (depth != flow_depth || is_signature)) {
      result += '\n';
      flows = false;
    }
    if (!flows && depth > 0) result.append(depth, '>') += ' ';
    flows = !is_signature && line.ends_with(' ');
    flow_depth = depth;
    if (flows && delsp) line.remove_suffix(1);
    result += line;
    if (!flows) result += '\n';
  }
  return result;
}

/// A mail's text as it is put together: the bad bytes replaced in it count in `replaced`.
class MailReader {
 public:
  /// The readable text below `part`: plain text before HTML; attached files and forwarded messages are left out.
  /// Throws FormatError where a part is no text.
  std::string body(GMimeObject* part, int depth = 0) {
    if (part == nullptr || is_attachment(part) || depth > 64) return {};
    if (GMIME_IS_MULTIPART(part)) return multipart(GMIME_MULTIPART(part), depth);
    if (!GMIME_IS_TEXT_PART(part)) return {};
    GMimeContentType* type = g_mime_object_get_content_type(part);
    if (g_mime_content_type_is_type(type, "text", "html")) return html_text(decoded(GMIME_PART(part), true));
    if (!g_mime_content_type_is_type(type, "text", "plain")) return {};
    const std::string text = unix_lines(decoded(GMIME_PART(part), false));
    const auto says = [&](const char* name, const char* value) {
      const char* found = g_mime_content_type_get_parameter(type, name);
      return found != nullptr && lower(found) == value;
    };
    return says("format", "flowed") ? unflowed(text, says("delsp", "yes")) : text;
  }

  Index replaced() const { return replaced_; }

 private:
  static bool is_attachment(GMimeObject* part) {
    const char* disposition = g_mime_object_get_disposition(part);
    return disposition != nullptr && lower(disposition) == "attachment";
  }

  std::string multipart(GMimeMultipart* parts, int depth) {
    const bool alternative =
        g_mime_content_type_is_type(g_mime_object_get_content_type(GMIME_OBJECT(parts)), "multipart", "alternative");
    std::string joined;
    for (int i = 0; i < g_mime_multipart_get_count(parts); ++i) {
      const std::string text = body(g_mime_multipart_get_part(parts, i), depth + 1);
      if (trim(text).empty()) continue;
      joined += joined.empty() ? text : '\n' + text;
      if (alternative) break;  // simplest first, and the others say the same
    }
    return joined;
  }

  /// The part's content after its transfer encoding and charset.
  std::string decoded(GMimePart* part, bool is_html) {
    GMimeDataWrapper* content = g_mime_part_get_content(part);
    if (content == nullptr) return {};
    const GObjectHandle<GMimeStream> memory(g_mime_stream_mem_new());
    g_mime_data_wrapper_write_to_stream(content, memory.get());
    const GByteArray* array = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(memory.get()));
    const std::string_view bytes(reinterpret_cast<const char*>(array->data), array->len);
    const char* charset = g_mime_object_get_content_type_parameter(GMIME_OBJECT(part), "charset");
    std::string label = charset == nullptr ? "" : charset;
    if (label.empty() && is_html) label = html_charset(bytes);
    Utf8Result text = decode_charset(bytes, label);
    replaced_ += text.replaced;
    if (is_mostly_bad(text, true))
      throw FormatError("over 1% of its characters are not text in charset " + in_quotes(label, 64));
    return std::move(text.text);
  }

  /// What a page says of its own charset; empty where it says nothing.
  static std::string html_charset(std::string_view page) {
    const std::string head = lower(page.substr(0, 2048));
    const std::size_t at = head.find("charset=");
    if (at == std::string::npos) return {};
    const std::size_t begin = head.find_first_not_of("\"' ", at + 8);
    return begin == std::string::npos ? "" : head.substr(begin, head.find_first_of("\"' />;", begin) - begin);
  }

  Index replaced_ = 0;
};

/// Undoes what mbox does to lines that would begin a message: ">From " stands for "From ", unless it stands among
/// quoted lines.
inline std::string without_from_escapes(std::string_view body) {
  const std::vector<std::string_view> all = lines(body);
  const auto is_quoted = [&](std::size_t i) { return i < all.size() && all[i].starts_with('>'); };
  std::string text;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::size_t marks = std::min(all[i].find_first_not_of('>'), all[i].size());
    const bool is_escaped =
        marks > 0 && all[i].substr(marks).starts_with("From ") && !is_quoted(i + 1) && (i == 0 || !is_quoted(i - 1));
    text.append(all[i].substr(is_escaped ? 1 : 0)) += '\n';
  }
  return text;
}

/// What a mail's writer wrote: subject and body.
struct OwnMail {
  std::string text;
  Index replaced = 0;
};

/// Reads one mail; the subject of an answer is not the writer's. Throws FormatError where it is no text.
inline OwnMail read_own_mail(std::string_view bytes, bool is_mbox) {
  [[maybe_unused]] static const bool initialised = (g_mime_init(), true);
  const GObjectHandle<GMimeStream> stream(g_mime_stream_mem_new_with_buffer(bytes.data(), bytes.size()));
  const GObjectHandle<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
  g_mime_parser_set_format(parser.get(), GMIME_FORMAT_MESSAGE);
  const GObjectHandle<GMimeMessage> message(g_mime_parser_construct_message(parser.get(), nullptr));
  if (!message) throw FormatError("it has no header");
  MailReader reader;
  const std::string body = reader.body(g_mime_message_get_mime_part(message.get()));
  const std::string reply = own_reply(is_mbox ? without_from_escapes(body) : body, correspondents(bytes));
  const std::string subject = header_text(find_header(bytes, "subject"));
  const bool answers = !find_header(bytes, "in-reply-to").empty();
  const bool is_own = !subject.empty() && !is_reply_subject(subject) && !(answers && has_subject_prefix(subject));
  return {reply.empty() || !is_own ? reply : subject + "\n\n" + reply, reader.replaced()};
}

}  // namespace tern::detail
