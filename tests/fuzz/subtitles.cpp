/// Any text is subtitles; what is said in them is UTF-8.
#include "tern/text/ingest/subtitles.hpp"

#include "tern/text/ingest/charset.hpp"

#include "fuzz/frugal.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern;
  const std::string text = detail::decode_file({reinterpret_cast<const char*>(data), size}).text;
  if (detail::find_ill_formed(detail::read_subtitles(text)) != std::string_view::npos) std::abort();
  return 0;
}
