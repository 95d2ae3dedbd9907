/// Any bytes are mails or a FormatError: each mail of an mbox is read, and what its writer wrote is UTF-8.
#include "tern/text/ingest/mbox.hpp"

#include <unistd.h>

#include "fuzz/frugal.hpp"
#include "tern/text/ingest/mail.hpp"

namespace {
bool is_ill_formed(std::string_view text) { return tern::detail::find_ill_formed(text) != std::string_view::npos; }
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern;
  static const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("tern-fuzz-" + std::to_string(::getpid()) + ".mbox");
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  detail::MboxStream stream(path, std::size_t{1} << 20);
  detail::MboxStream::Mail mail;
  while (stream.next(mail)) {
    detail::mail_receiver(mail.bytes);
    if (is_ill_formed(detail::mail_sender(mail.bytes).sender)) std::abort();
    fuzz::only_throws<FormatError>([&] {
      if (is_ill_formed(detail::read_own_mail(mail.bytes, true).text)) std::abort();
    });
  }
  return 0;
}
