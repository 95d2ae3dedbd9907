/// Any text is HTML or beyond the limits; its words are UTF-8.
#include "tern/text/ingest/html.hpp"

#include "tern/text/ingest/charset.hpp"
#include "tern/text/ingest/replies.hpp"

#include "fuzz/frugal.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern;
  const std::string text = detail::decode_file({reinterpret_cast<const char*>(data), size}).text;
  fuzz::only_throws<FormatError>([&] {
    const std::string words = detail::own_reply(detail::html_text(text));
    if (detail::find_ill_formed(words) != std::string_view::npos) std::abort();
  });
  detail::decode_references(text);
  return 0;
}
