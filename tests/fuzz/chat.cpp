/// Any text is a chat or none: exports of WhatsApp, IRC, Telegram and Slack, and records.
#include "tern/text/ingest/whatsapp.hpp"

#include "tern/text/ingest/charset.hpp"
#include "tern/text/ingest/irc.hpp"
#include "tern/text/ingest/records.hpp"
#include "tern/text/ingest/slack.hpp"
#include "tern/text/ingest/telegram.hpp"

#include "fuzz/frugal.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern;
  const std::string text = detail::decode_file({reinterpret_cast<const char*>(data), size}).text;
  detail::looks_like_chat(text);
  detail::read_whatsapp(text, "fuzz.txt");
  detail::read_irc(text, "fuzz.txt");
  detail::Records records("fuzz.jsonl", "text", false);
  for (std::string_view line : detail::lines({reinterpret_cast<const char*>(data), size})) records.read(line);
  fuzz::only_throws<FormatError>([&] {
    detail::JsonCharacters characters(std::string(reinterpret_cast<const char*>(data), size));
    const detail::TelegramExport found = detail::read_telegram(characters, "fuzz.json", "fuzz.json", 1 << 20);
    if (detail::is_slack(found.json)) detail::read_slack(found.json, "fuzz.json", detail::read_slack_users(found.json));
  });
  return 0;
}
