/// Files as people have them, kind by kind: inputs of tern's own, beside those of ingest_cases_test.cpp. Each came out
/// wrong before its kind was mended.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "support/temporary_directory.hpp"
#include "tern/text/ingest.hpp"

namespace {

using namespace std::string_literals;
using tern::Ingested;

using Files = std::map<std::string, std::string>;

Ingested read(const Files& files, const std::string& person = "mirela", tern::IngestOptions options = {}) {
  const tern::test::TemporaryDirectory folder;
  const std::filesystem::path own = folder.path() / person;
  std::filesystem::create_directory(own);
  for (const auto& [name, bytes] : files) std::ofstream(own / name, std::ios::binary) << bytes;
  return tern::ingest(own, options);
}

/// The texts of all documents, one after the other.
std::string words(const Ingested& result) {
  std::string text;
  for (const auto& document : result.documents) text += document.text + '\n';
  return text;
}

/// What was left out: "file: reason (count)", one a line.
std::string skips(const Ingested& result) {
  std::string text;
  for (const auto& one : result.skipped)
    text += one.name + ": " + one.reason + " (" + std::to_string(one.count) + ")\n";
  return text;
}

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

const Files note = {{"note.md", "kept\n"}};

Files beside_note(const std::string& name, const std::string& bytes) {
  Files files = note;
  files[name] = bytes;
  return files;
}

std::string mail(const std::string& from, const std::string& headers, const std::string& body) {
  return "From: " + from + "\nTo: Oskar <oskar@example.net>\nDate: Tue, 03 May 2022 10:01:00 +0200\n" + headers + "\n" +
         body + "\n";
}

const std::string separator = "From x@y Tue May 03 08:01:00 +0000 2022\n";
const std::string mirela = "Mirela <mirela@example.org>";

/// Four messages each of `self`, saying "mine", and of `other`, saying OTHERWORD.
std::string chat(const std::string& stamp, const std::string& self = "Mirela", const std::string& other = "Oskar") {
  std::string text;
  for (int i = 0; i < 4; ++i) text += stamp + self + ": mine\n" + stamp + other + ": OTHERWORD\n";
  return text;
}
const std::string mine = "mine\nmine\nmine\nmine\n\n";

}  // namespace

TEST_CASE("kinds: nothing vanishes in silence") {
  const Ingested from = read({{"s.mbox", separator + mail(mirela, "", "one\nFrom Monday on I swim.\nTAIL") + "\n" +
                                             separator + mail(mirela, "", "two")}});
  CHECK(words(from) == "one\nFrom Monday on I swim.\nTAIL\ntwo\n");
  const Ingested nobody = read({{"s.mbox", separator + mail(mirela, "", "one") + "\n" + separator +
                                               "Subject: x\n\nlost\n\n" + separator + mail(mirela, "", "three")}});
  CHECK(words(nobody) == "one\nthree\n");
  CHECK(skips(nobody) == "s.mbox: a mail without a sender (1)\n");
  const Ingested cut =
      read({{"result.json", R"({"name":"Oskar","type":"personal_chat","id":7,"messages":[)"
                            R"({"id":1,"type":"message","from":"Mirela","from_id":"user1","text":"mine"},)"
                            R"({"id":2,"type":"mess)"}});
  CHECK(words(cut) == "mine\n\n");
  CHECK(holds(skips(cut), "result.json: its rest: json "));
  const Ingested preface = read({{"chat.txt", "Exported on Monday\n" + chat("1/12/23, 21:10 - ")}});
  CHECK(words(preface) == mine);
  CHECK(holds(skips(preface), "chat.txt: a line before the first message (1)"));
  const Ingested odd =
      read({{"s.mbox", separator + mail("=?utf-8?Q?Eve=1B]0;owned=07?= <eve@example.org>", "", "mine")}});
  CHECK(words(odd) == "mine\n");  // its sender's name breaks the grammar of addresses
  CHECK(odd.owners.at(0).name == "Eve ]0;owned");
}

TEST_CASE("kinds: one bad part never takes the person") {
  CHECK(words(read({{"a.jsonl", "{\"text\":\"one\"}\n{\"text\":\n{\"text\":\"three\"}\n"}})) == "one\nthree\n");
  const Ingested latin = read(beside_note("n.md", "gr\xFC\xDF\x65 aus dem garten\n"));
  CHECK(words(latin) == "kept\n\n");
  CHECK(holds(skips(latin), "n.md: expected text, got 2 characters that are none"));
  const Ingested npy = read(beside_note("n.npy", "\x93NUMPY\x01"));
  CHECK(words(npy) == "kept\n\n");
  CHECK(holds(skips(npy), "n.npy: token ids "));
  std::string utf16 = "\xFF\xFE";
  for (const char c : chat("1/12/23, 21:10 - ")) (utf16 += c) += '\0';
  CHECK(words(read({{"c.txt", utf16}})) == mine);
}

TEST_CASE("kinds: never other people's words") {
  for (const char* stamp : {"31/12/23, 21:40 น. - ", "३१/१२/२०२३, ९:४१ अपराह्न - ", "[٣١/١٢/٢٠٢٣, ٩:٤١:٠٥ م] "}) {
    CAPTURE(stamp);
    CHECK(words(read({{"c.txt", chat(stamp)}})) == mine);
  }
  const std::string utf8 = "Subject: Re: x\nContent-Type: text/plain; charset=utf-8\n";
  for (const char* original : {"Mnamo Jum, 3 Mei 2022 saa 10:01 Oskar <oskar@example.net> aliandika:\n\nOTHERWORD",
                               ">>> Oskar <oskar@example.net> 03.05.2022 10:01 >>>\nOTHERWORD",
                               "ពី៖ Oskar <oskar@example.net>\nថ្ងៃ៖ 3.5.2022 10:01\nប្រធាន៖ x\n\nOTHERWORD",
                               "სამ, 3 მაი, 2022, 10:01-ზე Oskar დაწერა:\n\nOTHERWORD"}) {
    CAPTURE(original);
    CHECK(words(read({{"a.eml", mail(mirela, utf8, "Yes.\n\n"s + original)}})) == "Yes.\n");
  }
}

TEST_CASE("kinds: identity") {
  const Ingested address = read(
      {{"s.mbox", separator + mail(mirela, "", "one") + "\n" + separator + mail("MR <MIRELA@example.org>", "", "two") +
                      "\n" + separator + mail("\"M. R.\" <Mirela@Example.org>", "", "three")}});
  CHECK(words(address) == "one\ntwo\nthree\n");
  const Ingested decomposed = read({{"c.txt", chat("1/12/23, 21:10 - ", "José", "Josephine")}}, "Jose\u0301");
  CHECK(words(decomposed) == mine);
  const std::string stamp = "1/12/23, 21:10 - ", more = stamp + "Oskar: OTHERWORD\n";
  CHECK(words(read({{"c.txt", chat(stamp, "AYŞE") + more}}, "ayşe")) == mine);
  const Ingested with = read({{"WhatsApp Chat with Oskar.txt", chat(stamp, "M.") + more}}, "u1");
  CHECK(words(with) == mine);
  CHECK_FALSE(with.owners.at(0).guessed);
}

TEST_CASE("kinds: markup") {
  const auto html = [](const std::string& page) {
    return words(read({{"a.eml", mail(mirela, "Content-Type: text/html; charset=utf-8\n", page)}}));
  };
  CHECK(html("<p>R&eacute;sum&eacute; &hellip; &notin;</p>") == "Résumé … ∉\n");
  CHECK(html("<table><tr><td>left<td>right</table><img alt=\"a > LOST\">") == "left\tright\n");
  CHECK(words(read({{"a.eml", mail(mirela, "Content-Type: text/plain; format=flowed; delsp=yes\n",
                                   "see http:// \nexample.org/a")}})) == "see [URL]\n");
  CHECK(words(read({{"a.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\nR&amp;B &lt;3\n"}})) == "R&B <3\n\n");
  CHECK(words(read({{"a.srt",
                     "1\n00:00:01,000 --> 00:00:02,000\none\n\ntwo\n\n2\n00:00:02,000 --> 00:00:03,000\nthree\n"}})) ==
        "one\ntwo\nthree\n\n");
}

TEST_CASE("kinds: names and text from outside are shown, never raw") {
  CHECK(skips(read(beside_note("x.b\xE9\x1b", "x"))) == "x.b\uFFFD\uFFFD: unknown extension '.b\uFFFD\uFFFD' (1)\n");
  CHECK(skips(read(beside_note("x\x1b[31m.zip", "x"))) == "x\uFFFD[31m.zip: unknown extension '.zip' (1)\n");
  const Ingested title = read(beside_note("a.eml", mail("Mirela\x1b]0; <mirela@example.org>", "", "mine")));
  CHECK(title.owners.at(0).name.find('\x1b') == std::string::npos);
  const std::string json = skips(read(beside_note("a.json", "{\"a\":\"\x1b]0;owned\x07\"}")));
  CHECK(holds(json, "a.json: json "));
  CHECK(json.find_first_of("\x1b\x07") == std::string::npos);
}

TEST_CASE("kinds: large exports are read in bounded memory") {
  tern::IngestOptions options;
  options.max_file_bytes = 2'000;
  std::string mails, records, telegram = R"({"name":"Oskar","type":"personal_chat","id":7,"messages":[)", whatsapp;
  for (int i = 0; i < 100; ++i) {
    mails += separator + mail(mirela, "", "mine") + "\n";
    records += "{\"text\":\"mine and nothing else\"}\n";
    telegram += R"({"type":"message","from":")"s + (i % 2 == 0 ? "Mirela" : "Oskar") + R"(","text":"mine"},)";
  }
  for (int i = 0; i < 25; ++i) whatsapp += chat("13/12/23, 21:10 - ") + "21 lines of mine follow\nor not\n";
  CHECK(read({{"s.mbox", mails}}, "mirela", options).documents.size() == 100);
  CHECK(read({{"a.jsonl", records}}, "mirela", options).documents.size() == 100);
  CHECK(read({{"result.json", telegram + "0]}"}}, "mirela", options).documents.at(0).text.size() == 50 * 5);

  options.scrub = false;
  tern::IngestOptions at_once;
  at_once.scrub = false;
  // What a stream reads is what is read at once: lines that go on, notes, tags, times, line ends, bad bytes.
  for (const std::string& text :
       {whatsapp, "\xEF\xBB\xBF" + whatsapp, "A preface\n" + whatsapp,
        whatsapp + "14/12/23, 09:10 - Mirela: image omitted\n14/12/23, 09:10 - Mirela: m\xE9 <edited text>\n",
        whatsapp + "14/12/23, 09:10 - Oskar created a group\n", chat("12/13/23, 9:10 PM - ") + whatsapp}) {
    const Ingested large = read({{"c.txt", text}}, "mirela", options),
                   small = read({{"c.txt", text}}, "mirela", at_once);
    REQUIRE(large.documents.size() == small.documents.size());
    for (std::size_t i = 0; i < small.documents.size(); ++i) {
      CHECK(large.documents[i].text == small.documents[i].text);
      CHECK(large.documents[i].time == small.documents[i].time);
    }
    CHECK(skips(large) == skips(small));
    CHECK(large.replaced == small.replaced);
  }
  std::string windows = whatsapp;
  for (std::size_t at = 0; (at = windows.find('\n', at)) != std::string::npos; at += 2) windows.insert(at, 1, '\r');
  CHECK(words(read({{"c.txt", windows}}, "mirela", options)) == words(read({{"c.txt", whatsapp}}, "mirela", at_once)));

  options.max_mail_bytes = 100;
  const std::string endless = whatsapp + "13/12/23, 21:10 - Mirela: x\n" + std::string(3 << 20, 'y') + "\nz\n";
  const Ingested limited = read({{"c.txt", endless}}, "mirela", options);
  CHECK(words(limited).size() < 3'000);
  CHECK(holds(skips(limited), "a line of a message over 100 bytes"));
  CHECK(holds(skips(read(beside_note("prose.txt", std::string(3'000, 'x')), "mirela", options)),
              "prose.txt: 3000 bytes, more than 2000"));
}

TEST_CASE("kinds: the scrubber reads digits and addresses of any script") {
  for (const auto& [said, clean] :
       {std::pair("call ۰۹۱۲ ۰۰۰ ۰۱۲۳ now\n", "call [PHONE] now\n"),
        {"ask @491700000123 about it\n", "ask [PHONE] about it\n"},
        {"call ０３-００００-０１２３ now, or ａｎａ＠ｅｘａｍｐｌｅ．ｏｒｇ\n", "call [PHONE] now, or [EMAIL]\n"},
        {"call +९१ ९८४७० १२३४५ now\n", "call [PHONE] now\n"}})
    CHECK(words(read({{"n.md", said}})) == clean + "\n"s);
}
