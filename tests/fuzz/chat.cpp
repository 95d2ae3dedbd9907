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
  detail::read_records(text, "fuzz.jsonl", "text", false);
  std::string json = text;
  detail::mend_surrogates(json);
  fuzz::only_throws<FormatError>([&] {
    const detail::Json parsed = detail::parse_json(json, "fuzz.json");
    if (detail::is_telegram(parsed)) detail::read_telegram(parsed, "fuzz.json");
    if (detail::is_slack(parsed)) detail::read_slack(parsed, "fuzz.json", detail::read_slack_users(parsed));
  });
  return 0;
}
