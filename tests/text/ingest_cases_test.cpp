/// Files as people have them: one case a row of the shared cases' README.md, and more of the same kinds.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "support/data.hpp"
#include "support/temporary_directory.hpp"
#include "tern/text/ingest.hpp"

namespace {

using namespace std::string_literals;
using tern::Index;
using tern::Ingested;

Ingested read_case(const char* id) { return tern::ingest(tern::test::a_case(id)); }

std::string all_text(const Ingested& result) {
  std::string text;
  for (const auto& document : result.documents) text += document.text + '\n';
  return text;
}

Index count(const std::string& text, const std::string& part) {
  Index n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++n;
  return n;
}

Index skipped(const Ingested& result, const std::string& reason) {
  Index n = 0;
  for (const auto& one : result.skipped)
    if (one.reason.find(reason) != std::string::npos) n += one.count;
  return n;
}

/// A folder of one file, and what is read of it.
Ingested read_file_of(const std::string& name, const std::string& content) {
  const tern::test::TemporaryDirectory folder;
  std::ofstream(folder / "beside.md") << "beside\n";
  std::ofstream(folder / name, std::ios::binary) << content;
  return tern::ingest(folder.path());
}

std::string chat_of(const std::string& stamp_a, const std::string& stamp_b) {
  std::string text;
  for (int i = 0; i < 8; ++i)
    text += stamp_a + "Mirela: mine " + std::to_string(i) + "\n" + stamp_b + "Oskar: OTHERWORD\n";
  return text;
}

}  // namespace

TEST_CASE("cases: mail" * tern::test::needs_data()) {
  const Ingested unescaped = read_case("M02b");
  CHECK(unescaped.documents.size() == 61);
  CHECK(all_text(unescaped).find("From now on I write daily.\nsecond half TAILWORD") != std::string::npos);
  const Ingested unknown = read_case("M03");
  CHECK(unknown.documents.size() == 60);
  CHECK(skipped(unknown, "a mail by someone else") == 1);  // a shop wrote it, so its charset does not matter
  const std::filesystem::path mailbox = tern::test::a_case("M03") / "sent.mbox";
  std::string all = tern::detail::read_file(mailbox, std::filesystem::file_size(mailbox));
  all.replace(all.find("From: Shop <shop@example.com>"), 29, "From: Mirela <mirela@example.org>");
  all.replace(all.find("buy now"), 7, "caf\xE9 now");
  const Ingested hers = read_file_of("sent.mbox", all);  // were it her own, it would be read as windows-1252
  CHECK(hers.documents.size() == 62);
  CHECK(count(all_text(hers), "café now") == 1);
  CHECK(hers.skipped.empty());
  CHECK(all_text(read_case("M05")).find("she said “yes” – it’s 5 € QUOTEMAIL") != std::string::npos);
  CHECK(all_text(read_case("M06")).find("朱镕基 GBKMAIL") != std::string::npos);
  const std::string html = all_text(read_case("M08"));
  CHECK(html.find("left cell\tright cell") != std::string::npos);
  CHECK(html.find("café für 5 € “hi” it’s ©") != std::string::npos);
  CHECK(html.find("x > y") == std::string::npos);
  CHECK(all_text(read_case("M09")).find("paragraph of mine and [URL] DELSPMAIL") != std::string::npos);
  for (const auto& [which, own] : {std::pair("M07", 1), {"M10", 1}, {"M11", 5}, {"M12", 14}, {"M20", 1}}) {
    const char* const id = which;
    CAPTURE(id);
    const std::string text = all_text(read_case(id));
    CHECK(count(text, "OTHERWORD") == 0);
    CHECK(count(text, "OWNWORD") == own);
    CHECK(count(text, "wrote") == 0);
  }
  const Ingested one_person = read_case("M15");
  CHECK(one_person.documents.size() == 80);
  CHECK_FALSE(one_person.owners.at(0).guessed);
}

TEST_CASE("cases: chats" * tern::test::needs_data()) {
  for (const auto& [which, lines] : {std::pair("W03a", 160),
                                  {"W04a", 160},
                                  {"W04d", 160},
                                  {"W08a", 160},
                                  {"W10", 160},
                                  {"W05", 120},
                                  {"T02", 200},
                                  {"S01", 123}}) {
    const char* const id = which;
    CAPTURE(id);
    const Ingested result = read_case(id);
    const std::string text = all_text(result);
    CHECK(count(text, "OTHERWORD") == 0);
    CHECK(count(text, " near the ") + (id == "S01"s ? 3 : 0) >= lines);
    CHECK(count(text, "edited") == 0);
    CHECK(skipped(result, "by someone else") > 0);
    CHECK_FALSE(result.owners.at(0).guessed);
  }
  const std::string media = all_text(read_case("W06"));
  CHECK(count(media, "my own caption") == 15);
  for (const char* note :
       {"omitted", "weggelassen", "omitida", "adjunto", "attached", "gelöscht", "eliminó", "OTHERWORD"})
    CHECK_MESSAGE(count(media, note) == 0, note);
  const std::string slack = all_text(read_case("S01"));
  CHECK(count(slack, "hello @here and @channel") == 1);
  CHECK(count(slack, "ask @ops-team today") == 1);
  CHECK(count(slack, "due Feb 18, 2014 sharp") == 1);
  CHECK(count(all_text(read_case("W11")), "Ask [PHONE] and [PHONE] about it. And [PHONE] or [PHONE], or [PHONE].") ==
        1);
}

TEST_CASE("cases: subtitles, records and odd files beside good notes" * tern::test::needs_data()) {
  CHECK(count(all_text(read_case("V01")), " Q&A 5 < 6\u00a0ok") == 160);
  CHECK(count(all_text(read_case("V04")), "SECONDPART after an empty line") == 80);
  for (const char* id : {"V04", "V05"}) {
    const std::string text = all_text(read_case(id));
    CHECK(count(text, " near the ") == 160);
    CHECK(text.find("\n159\n") == std::string::npos);
  }
  const Ingested half = read_case("T03");
  CHECK(half.replaced == 1);
  CHECK(count(all_text(half), "OTHERWORD") == 0);
  CHECK(read_case("T04").documents.size() + static_cast<std::size_t>(skipped(read_case("T04"), "record")) == 202);
  CHECK(read_case("F01a").documents.at(0).text.starts_with("using System;"));
  CHECK(read_case("F02a").documents.at(1).text == "Write-Host \"hallo\"\n");
  for (const char* id : {"F02b", "F03", "F04b"}) {
    CAPTURE(id);
    CHECK(read_case(id).skipped.size() == 1);
    CHECK(count(all_text(read_case(id)), " near the ") >= 200);
  }
}

TEST_CASE("cases: names that are not UTF-8, links, escapes") {
  const tern::test::TemporaryDirectory folder;
  const std::filesystem::path person = folder.path() / "Jos\xE9";
  std::filesystem::create_directories(person);
  std::ofstream(person / "a.md") << "words\n";
  std::ofstream(person / "x.b\xE9\x1b") << "x";
  std::filesystem::create_symlink("loop", person / "loop");
  const Ingested result = tern::ingest(person);
  CHECK(result.documents.size() == 1);
  REQUIRE(result.skipped.size() == 2);
  CHECK(result.skipped[0].reason == "a symbolic link");
  CHECK(result.skipped[1].name == "x.b\uFFFD\uFFFD");
  CHECK(result.skipped[1].reason == "unknown extension '.b\uFFFD\uFFFD'");
}

TEST_CASE("cases: chats of many phones; what is not understood is no prose") {
  for (const auto& [mine, b] : {std::pair("३१/१२/२०२३, ९:४१ अपराह्न - ", "३१/१२/२०२३, ९:४२ पूर्वाह्न - "),
                             {"31/12/23, 21:41 น. - ", "31/12/23, 21:42 น. - "},
                             {"۱۴۰۲/۱۰/۱۰،‏ ۲۱:۴۱ - ", "۱۴۰۲/۱۰/۱۰،‏ ۲۱:۴۲ - "},
                             {"2023/12/31 21:41 - ", "2023/12/31 21:42 - "},
                             {"31.12.2023 г., 21:41 - ", "31.12.2023 г., 21:42 - "},
                             {"31/12/2023 9:41 du soir - ", "31/12/2023 9:42 du matin - "},
                             {"[٣١/١٢/٢٠٢٣, ٩:٤١:٠٥ م] ", "[٣١/١٢/٢٠٢٣, ٩:٤٢:٠٥ ص] "},
                             {"[2023年12月31日 下午9:41:05] ", "[2023年12月31日 下午9:42:05] "},
                             {"[21:41, 31/12/2023] ", "[21:42, 31/12/2023] "},
                             {"２０２３/１２/３１ ２１:４１ - ", "２０２３/１２/３１ ２１:４２ - "},
                             {"31 de dez. de 2023 21:41 - ", "31 de dez. de 2023 21:42 - "}}) {
    const std::string a = mine;
    CAPTURE(a);
    const Ingested result = read_file_of("with oskar.txt", "\n" + chat_of(a, b));
    CHECK(count(all_text(result), "OTHERWORD") == 0);
    CHECK(skipped(result, "message by someone else") == 8);
  }
  std::string line, kakao, named;
  for (int i = 0; i < 8; ++i) {
    line += "21:4" + std::to_string(i) + "\tMirela\tmine\n21:4" + std::to_string(i) + "\tOskar\tOTHERWORD\n";
    kakao += "2023년 12월 31일 오후 9:4" + std::to_string(i) +
             ", Mirela : mine\n2023년 12월 31일 오후 9:41, Oskar : OTHERWORD\n";
    named += "[Mirela] [오후 9:41] mine\n[Oskar] [오후 9:42] OTHERWORD\n";
  }
  for (const std::string& text : {line, kakao, named}) {
    const Ingested result = read_file_of("chat.txt", text);
    CHECK(count(all_text(result), "OTHERWORD") == 0);
    CHECK(skipped(result, "looks like a chat") == 1);
  }
  const std::string diary =
      "3 May, 10:30\nWe walked to the sea: all of us.\n\n4 May, 11:00\nRain.\n\n5 May\nNote: buy bread.\n";
  CHECK(skipped(read_file_of("diary.txt", diary), "") == 0);
  CHECK(count(all_text(read_file_of("diary.txt", diary)), "Rain.") == 1);
}

TEST_CASE("cases: notes of WhatsApp in many languages, and words that are like them") {
  for (const char* note :
       {"video omitted", "Audio weggelassen", "image absente", "video omesso", "imagem ocultada",
        "afbeelding weggelaten", "изображение пропущено", "görüntü dahil edilmedi", "obraz pominięty",
        "画像は含まれていません", "הודעה זו נמחקה", "Bu mesaj silindi.", "Esta mensagem foi apagada",
        "Você apagou esta mensagem", "Данное сообщение удалено.", "此消息已删除", "<الوسائط غير مدرجة>",
        "IMG-1.jpg (fichier joint)", "a b.pdf (bestand bijgevoegd)"}) {
    CAPTURE(note);
    const Ingested result = read_file_of(
        "mirela.txt", "1/12/23, 21:10 - Mirela: kept\n1/12/23, 21:11 - Mirela: " + std::string(note) + "\n");
    CHECK(all_text(result) == "beside\n\nkept\n\n");
  }
  for (const char* words : {"I deleted your message", "the image was blurred", "Bild und Ton",
                            "das video (fand ich gut)", "I left the picture at home", "a <3 b"}) {
    CAPTURE(words);
    CHECK(count(all_text(read_file_of("mirela.txt", "1/12/23, 21:10 - Mirela: " + std::string(words) + "\n")), words) ==
          1);
  }
  std::string edited;
  for (const char* tag : {"<Diese Nachricht wurde bearbeitet>", "<Se editó este mensaje.>", "<이 메시지는 수정됨>"})
    edited += "1/12/23, 21:10 - Mirela: mine " + std::string(tag) + "\n";
  CHECK(all_text(read_file_of("mirela.txt", edited)) == "beside\n\nmine\nmine\nmine\n\n");
}

TEST_CASE("cases: encodings of files") {
  const std::string words = "grüße aus dem garten, mit dem hund und vielen anderen worten, die hier stehen\n";
  std::string little = "\xFF\xFE", big = "\xFE\xFF";
  for (const char c : "a\nb"s) (little += c) += '\0', (big += '\0') += c;
  CHECK(all_text(read_file_of("x.txt", little)).find("a\nb") != std::string::npos);
  CHECK(all_text(read_file_of("x.txt", big)).find("a\nb") != std::string::npos);
  CHECK(all_text(read_file_of("x.txt", "\xEF\xBB\xBF" + words)).find("\n\ngrüße") != std::string::npos);
  CHECK(skipped(read_file_of("x.txt", "a\0b\0c\0d\0"s), "characters that are none") == 1);
  CHECK(skipped(read_file_of("x.jsonl", "\xEF\xBB\xBF{\"text\":\"one\"}\n{\"text\":\"two\"}\n"), "record") == 0);
  CHECK(skipped(read_file_of("x.json", "{\"a\":1,}"), "json 'x.json'") == 0);
  CHECK(skipped(read_file_of("x.json", "{\"a\":1,}"), "x.json") == 1);
}

TEST_CASE("cases: subtitles with and without gaps, in VTT and SRT") {
  using tern::detail::read_subtitles;
  CHECK(read_subtitles("WEBVTT\n\n00:01.000 --> 00:02.000\nR&eacute;sum&#233; &#x2014; a &amp; b\n") ==
        "Résumé — a & b\n");
  CHECK(read_subtitles(
            "WEBVTT\n\n1\n00:01.000 --> 00:02.000\none\n\ntwo\n\n2\n00:02.000 --> 00:03.000\nthree\n\nNOTE x\ny\n") ==
        "one\ntwo\nthree\n");
  CHECK(read_subtitles("1\n00:00:01,000 --> 00:00:02,000\n1984\n2\n00:00:02,000 --> 00:00:03,000\nit was\n") ==
        "1984\nit was\n");
  CHECK(read_subtitles("00:00:01,000 --> 00:00:02,000\n7\n00:00:02,000 --> 00:00:03,000\n8\n") == "7\n8\n");
  CHECK(read_subtitles("1\n00:00:01,000 --> 00:00:02,000\na --> b\n") == "a --> b\n");
}

TEST_CASE("html: a parser's reading, within limits") {
  using tern::detail::html_text;
  CHECK(html_text("<p>a</p><blockquote>b<blockquote>c</blockquote>d</blockquote>e") == "a\n\n> b\n> c\n> d\ne\n");
  CHECK(html_text("<ul><li>a<li>b</ul><pre>x\n  y</pre>") == "a\nb\nx\n  y\n");
  CHECK(html_text("a<!-- <p>x --> b<script>1<2</script><style>x</style><img alt='x > y'>c") == "a bc\n");
  CHECK(html_text("&Auml;&euro;&hellip;&#128512;&notit; &amp;lt;") == "Ä€…😀¬it; &lt;\n");
  CHECK(html_text("<div class='x gmail_signature'>sig</div>a") == "a\n");
  CHECK(html_text("") == "");
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "<div>";
  CHECK_THROWS_AS(html_text(deep), tern::FormatError);
  std::string flat;
  for (int i = 0; i < 50'000; ++i) flat += "<p>x<br><li>y";
  CHECK_NOTHROW(html_text(flat));
  std::string wide = "<p ";
  for (int i = 0; i < 5000; ++i) wide += "a" + std::to_string(i) + "=1 ";
  CHECK_THROWS_AS(html_text(wide + ">"), tern::FormatError);
}

TEST_CASE("cases: conversations of other programs are no prose, whatever the file's extension") {
  const auto repeat = [](const std::string& a, const std::string& b) {
    std::string text;
    for (int i = 0; i < 8; ++i) text += a + "mine " + std::to_string(i) + "\n\n" + b + "OTHERWORD\n\n";
    return text;
  };
  for (const auto& [mine, b] : {std::pair("[31-Dec-23 09:41 PM] mirela#12\n", "[31-Dec-23 09:42 PM] oskar#34\n"),
                             {"Mirela 2023-12-31 21:41:05\n", "Oskar 2023-12-31 21:42:05\n"},
                             {"2023-12-31 21:41:05 Mirela(12)\n", "2023-12-31 21:42:05 Oskar(34)\n"},
                             {"Dec 31, 2023  9:41:05 PM\nMe\n", "Dec 31, 2023  9:42:05 PM (Read by you)\nOskar\n"},
                             {"From: You\nSent: Sun\n\n", "From: Oskar\nSent: Sun\n\n"},
                             {"<mirela> ", "<oskar> "},
                             {"[2023-12-31 21:41] Me: ", "[2023-12-31 21:42] Oskar: "}})
    for (const char* name : {"chat.txt", "chat.md"}) {
      const std::string a = mine;
      CAPTURE(a);
      CHECK(count(all_text(read_file_of(name, repeat(a, b))), "OTHERWORD") == 0);
    }
  const std::string bare = chat_of("31/12/23, 21:41 - ", "31/12/23, 21:42 - ");
  for (const auto& [name, text] : {std::pair("mirela.md", bare), {"mirela.txt", "An exported chat\n\n" + bare}}) {
    const tern::test::TemporaryDirectory folder;
    std::ofstream(folder / name) << text;
    tern::IngestOptions options;
    options.self = {"Mirela"};
    const Ingested result = tern::ingest(folder.path(), options);
    CHECK(count(all_text(result), "OTHERWORD") == 0);
    CHECK(count(all_text(result), "mine") == 8);
  }
  for (const char* words : {"2023-05-01 21:41\nRain.\n2023-05-02 21:42\nSun.\n2023-05-03 21:43\nWind.\n2023-05-04 "
                            "21:41\nSnow.\n",
                            "Dinner 18:30: soup\nLunch 12:30: bread\nDinner 19:30: rice\nLunch 12:00: tea\n",
                            "<p> a\n<b> b\n<p> c\n</b> d\n<p>x</p>\n<b>y</b>\n"})
    CHECK(skipped(read_file_of("notes.md", words), "chat") == 0);
}

TEST_CASE("cases: mails under other names, and what only calls itself a text") {
  const std::string mail =
      "From ana@example.org Mon Jan  1 10:00:00 2024\nFrom: Ana <ana@example.org>\nSubject: hi\n"
      "Date: Mon, 1 Jan 2024 10:00:00 +0000\n\nmine\n\n> OTHERWORD\n";
  for (const char* name : {"Sent", "Sent.txt", "Sent.md"}) {
    CAPTURE(name);
    const Ingested result = read_file_of(name, mail + "\n" + mail);
    CHECK(result.documents.size() == 3);
    CHECK(count(all_text(result), "OTHERWORD") == 0);
  }
  CHECK(count(all_text(read_file_of("mail.txt", mail.substr(mail.find('\n') + 1))), "OTHERWORD") == 0);
  CHECK(count(all_text(read_file_of("note.txt", "Subject: a note\n\nwords\n")), "Subject: a note") == 1);
  CHECK(skipped(read_file_of("a.txt", "{\\rtf1\\ansi words}"), "expected text, got RTF") == 1);
  CHECK(skipped(read_file_of("a.md", "%PDF-1.4 words"), "expected text, got PDF") == 1);
  CHECK(skipped(read_file_of("a.txt", std::string(3000, '\0')), "characters that are none") == 1);
}

TEST_CASE("cases: what is broken off or odd costs its own part only") {
  const std::string head = R"({"name":"Oskar","type":"personal_chat","id":7,"messages":[)";
  const std::string mine = R"({"type":"message","from":"Mirela","from_id":"user1","text":"mine"},)";
  for (const char* end : {"{\"type\":\"mess", "", "{\"n\":1e999},{}]}", "{\"n\":[[[", "{]}"}) {
    CAPTURE(end);
    const Ingested cut = read_file_of("result.json", head + mine + mine + end);
    CHECK(count(all_text(cut), "mine") == 2);
    CHECK(skipped(cut, "its rest: json") == 1);
  }
  const std::string text = R"({"type":"message","from":"Mirela","from_id":"user1","text":{"text":"mine"}}]})";
  CHECK(count(all_text(read_file_of("result.json", head + text)), "mine") == 1);
  const Ingested records =
      read_file_of("a.jsonl", "{\"text\":\"one\"}\n{\"text\":\"\xE9\xE9\xE9\xE9\"}\n{\"text\":3}\n[]\n");
  CHECK(records.documents.size() == 2);
  CHECK(skipped(records, "record") == 3);
  CHECK(tern::detail::read_subtitles("1\n1:00:02 --> 1:00:03\none\n2\n00:00:03,000-->00:00:04,000\ntwo\n") ==
        "one\ntwo\n");
  CHECK(tern::detail::decode_references("a &#21111111111111111111; &#xD800; b").find('b') != std::string::npos);
  CHECK(tern::detail::find_ill_formed(tern::detail::decode_references("a &#21111111111111111111;")) ==
        std::string::npos);
  CHECK(tern::detail::find_ill_formed(tern::detail::html_text("<p>&#2111111111111111111111;")) == std::string::npos);
}

TEST_CASE("cases: exports larger than a file may be are read in a stream") {
  tern::IngestOptions options;
  options.max_file_bytes = 10'000;
  options.max_text_bytes = 1'000;
  const tern::test::TemporaryDirectory folder;
  std::string json = R"({"name":"Oskar","type":"personal_chat","id":7,"messages":[)", records;
  for (int i = 0; i < 2000; ++i) {
    json +=
        R"({"type":"message","from":")"s + (i % 2 == 0 ? "Mirela" : "Oskar") + R"(","text":"twenty bytes of words"},)";
    records += "{\"text\":\"words\"}\n";
  }
  std::ofstream(folder / "result.json") << json << "0]}";
  const Ingested chat = tern::ingest(folder.path(), options);
  CHECK(chat.documents.at(0).text.size() > 900);
  CHECK(chat.documents.at(0).text.size() <= 1'000);
  CHECK(skipped(chat, "beyond the person's first 1000 bytes") > 900);
  std::ofstream(folder / "b.jsonl") << records;
  options.max_text_bytes = 100'000;
  CHECK(tern::ingest(folder.path(), options).documents.size() == 2001);
}
