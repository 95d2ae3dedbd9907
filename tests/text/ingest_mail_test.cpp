#include "tern/text/ingest/mail.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "support/temporary_directory.hpp"
#include "tern/text/ingest/mbox.hpp"

namespace {

using tern::detail::own_reply;

/// What the writer wrote in a mail: subject, blank line, body.
std::string words(const std::string& bytes) { return tern::detail::read_own_mail(bytes, false).text; }

std::string mail(const std::string& headers, const std::string& body) {
  return "From: Ana Ruiz <ana@example.org>\r\nTo: ben@example.org\r\nSubject: Hi\r\nMIME-Version: 1.0\r\n" + headers +
         "\r\n" + body;
}

}  // namespace

TEST_CASE("mail: sender, subject and plain body") {
  const std::string bytes = mail("", "Hello\r\nthere\r\n");
  CHECK(tern::detail::mail_sender(bytes).sender == "Ana Ruiz");
  CHECK(tern::detail::mail_sender(bytes).sender_id == "ana@example.org");
  CHECK(words(bytes) == "Hi\n\nHello\nthere");
  CHECK(tern::detail::mail_sender("Subject: x\n\nFrom: a@example.org\n").sender.empty());
}

TEST_CASE("mail: transfer encodings and charsets") {
  CHECK(words(mail("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n",
                   "caf=C3=A9 =\r\nau lait=21\r\n")) == "Hi\n\ncafé au lait!");
  CHECK(words(mail("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n",
                   "Y2Fmw6kg8J+YgA==\r\n")) == "Hi\n\ncafé 😀");
  CHECK(words(mail("Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n",
                   "caf\xE9\r\n")) == "Hi\n\ncafé");
  CHECK(words(mail("Content-Type: text/plain; charset=windows-1252\r\nContent-Transfer-Encoding: quoted-printable\r\n",
                   "=80 5 =96 it=92s\r\n")) == "Hi\n\n€ 5 – it’s");
  CHECK(words(mail("Content-Type: text/plain; charset=koi8-r\r\nContent-Transfer-Encoding: base64\r\n",
                   "8NLJ18XU\r\n")) == "Hi\n\nПривет");
  CHECK(words("From: a@example.org\nSubject: =?utf-8?B?R3LDvMOfZQ==?= =?iso-8859-1?Q?_f=FCr?= Ana\n\nx\n") ==
        "Grüße für Ana\n\nx");
}

TEST_CASE("mail: charsets are read as browsers read them") {
  const auto labelled = [](const std::string& label, const std::string& body) {
    return words(mail("Content-Type: text/plain; charset=" + label + "\r\nContent-Transfer-Encoding: 8bit\r\n", body));
  };
  CHECK(labelled("iso-8859-1", "\x93yes\x94 \x96 5 \x80\r\n") == "Hi\n\n“yes” – 5 €");
  CHECK(labelled("gb2312", "\xD6\xEC\xE9\x46\xBB\xF9\r\n") == "Hi\n\n朱镕基");
  CHECK(labelled("ks_c_5601-1987", "\xBE\xC8\xB3\xE7\r\n") == "Hi\n\n안녕");
  CHECK(labelled("iso-8859-9", "\xFDs\xFDk\r\n") == "Hi\n\nısık");
  CHECK(labelled("\" ISO-8859-8-I \"", "\xF9\xEC\xE5\xED\r\n") == "Hi\n\nשלום");
  CHECK(labelled("shift_jis", "\x93\xFA\x96\x7B\r\n") == "Hi\n\n日本");
  CHECK(labelled("utf-7", "caf+AOk-\r\n") == "Hi\n\ncafé");
  CHECK(labelled("us-ascii", "caf\xC3\xA9\r\n") == "Hi\n\ncafé");  // what is UTF-8 is so by no accident
  CHECK(labelled("unknown-8bit", "caf\xE9\r\n") == "Hi\n\ncafé");
  CHECK(labelled("klingon", "x\r\n") == "Hi\n\nx");
}

TEST_CASE("mail: bad bytes are counted; a mail of many is no text") {
  const std::string broken = mail("Content-Type: text/plain; charset=utf-8\r\n", "caf\xE9 x\r\n");
  CHECK(words(broken) == "Hi\n\ncaf\uFFFD x");
  CHECK(tern::detail::read_own_mail(broken, false).replaced == 1);
  const std::string bad = mail("Content-Type: text/plain; charset=utf-8\r\n", "\xE9\xE9\xE9\xE9 xxxxxxxxxxxxx\r\n");
  CHECK_THROWS_WITH_AS(words(bad), "over 1% of its characters are not text in charset 'utf-8'", tern::FormatError);
}

TEST_CASE("mail: subjects in encoded words, of any charset, cut anywhere") {
  CHECK(words("From: a@example.org\nSubject: =?gb2312?B?1uzpRrv5?=\n\nx\n") == "朱镕基\n\nx");
  CHECK(words("From: a@example.org\nSubject: =?utf-8?Q?caf=C3?=\n =?utf-8?Q?=A9_au?= lait\n\nx\n") ==
        "café au lait\n\nx");
  CHECK(words("From: a@example.org\nSubject: =?utf-8?X?a?= =?b\n\nx\n") == "=?utf-8?X?a?= =?b\n\nx");
  for (const char* reply : {"Re: plan", "AW: Plan", "Fwd: x", "RE[2]: x", "回复：计划", "Rif: x"})
    CHECK((words("From: a@example.org\nSubject: " + std::string(reply) + "\n\nx\n") == "x") == (reply[1] != 'i'));
}

TEST_CASE("mail: plain text before HTML, attachments and forwarded mails left out") {
  const std::string alternative = mail("Content-Type: multipart/alternative; boundary=b\r\n",
                                       "--b\r\nContent-Type: text/plain\r\n\r\nplain\r\n"
                                       "--b\r\nContent-Type: text/html\r\n\r\n<p>html</p>\r\n--b--\r\n");
  CHECK(words(alternative) == "Hi\n\nplain");
  const std::string mixed =
      mail("Content-Type: multipart/mixed; boundary=b\r\n",
           "--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n"
           "--c\r\nContent-Type: text/html\r\n\r\n<style>p{}</style><p>one &amp; "
           "<b>two</b></p>three&#233;<blockquote>old</blockquote>\r\n--c--\r\n"
           "--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nattached\r\n"
           "--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: c@example.org\r\nSubject: fwd\r\n\r\nforwarded\r\n"
           "--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--b--\r\n");
  CHECK(words(mixed) == "Hi\n\none & two\n\nthreeé");
}

TEST_CASE("mail: flowed lines are joined, of one depth of quotation alone") {
  CHECK(words(mail("Content-Type: text/plain; format=flowed\r\n", "one \r\ntwo\r\n three\r\n> old \r\nend\r\n")) ==
        "Hi\n\none two\nthree\nend");
  CHECK(words(mail("Content-Type: text/plain; format=flowed; delsp=yes\r\n",
                   "go to http \r\n://example.org  \r\nnow\r\n")) == "Hi\n\ngo to http://example.org now");
  CHECK(words(mail("Content-Type: text/plain; format=flowed\r\n",
                   "Thanks.\r\n\r\nOn 03/05/2022 10:01, Ben wrote: \r\n> old \r\n> words\r\n")) == "Hi\n\nThanks.");
}

TEST_CASE("mbox: a From line has a sender and a date") {
  using tern::detail::is_from_line;
  for (const char* line :
       {"From ana@example.org Mon Jan  1 00:00:00 2024", "From - Mon Jan 01 00:00:00 2024",
        "From 1730000000000000001@xxx Tue May 03 08:01:00 +0000 2022", "From MAILER-DAEMON Fri Jul  8 12:08:34 2011",
        "From ana at example.org  Tue May  3 10:01:00 2022", "From ana@example.org Mon, 1 Jan 2024 00:00:00 +0000",
        "From ana Tue May  3 10:01:00 CEST 2022", "From ana@example.org 2022-05-03 10:01:00 +0200",
        "From ana Tue May  3 10:01 2022 remote from host"})
    CHECK_MESSAGE(is_from_line(line), line);
  for (const char* line : {"From now on I write daily.", "From Monday on we meet at 10:01 in room 2022.", "From ",
                           "From", "From ana@example.org", "From May 3 to June 4 2022, 10:01",
                           ">From ana Mon Jan  1 00:00:00 2024", "From Ana on Tue May  3 10:01:00 2022 I heard"})
    CHECK_MESSAGE(!is_from_line(line), line);
}

TEST_CASE("mbox: mail after mail, whatever stands in them") {
  const tern::test::TemporaryDirectory folder;
  const auto read = [&](const std::string& content, std::size_t most = 1 << 20) {
    std::ofstream(folder / "a.mbox", std::ios::binary) << content;
    tern::detail::MboxStream stream(folder / "a.mbox", most);
    std::vector<std::string> mails;
    tern::detail::MboxStream::Mail mail;
    while (stream.next(mail)) mails.push_back((mail.is_too_large ? "large: " : "") + mail.bytes);
    if (stream.has_preamble()) mails.push_back("preamble");
    return mails;
  };
  using Mails = std::vector<std::string>;
  const std::string from = "From ana@example.org Mon Jan  1 00:00:00 2024\n";
  CHECK(read(from + "A: 1\n\nx\n\n" + from + "A: 2\n\ny\n") == Mails{"A: 1\n\nx\n\n", "A: 2\n\ny\n"});
  CHECK(read("\xEF\xBB\xBF" + from + "A: 1\n\nx") == Mails{"A: 1\n\nx"});
  CHECK(read(from + "A: 1\n\nx\nFrom now on.\n" + from + "A: 2\n\ny") ==
        Mails{"A: 1\n\nx\nFrom now on.\n", "A: 2\n\ny"});
  CHECK(read(from + "A: 1\n\nx\n" + from + "said he\n") == Mails{"A: 1\n\nx\n" + from + "said he\n"});
  CHECK(read("hello\n\n" + from + "A: 1\n\nx") == Mails{"A: 1\n\nx", "preamble"});
  CHECK(read("no mail at all").back() == "preamble");
  CHECK(read(from + from + from) == Mails{"", "", ""});
  CHECK(read("").empty());
  CHECK(read(from + "A: 1\n\n0123456789\n" + from + "A: 2\n", 10) == Mails{"large: A: 1\n\n", "A: 2\n"});
  std::string many;
  Mails expected;
  for (int i = 0; i < 300; ++i) {  // over several chunks
    const std::string body =
        "A: " + std::to_string(i) + "\n\n" + std::string(static_cast<std::size_t>(i * 97 % 30'011), 'x') + "\n";
    many += from + body;
    expected.push_back(body);
  }
  CHECK(read(many) == expected);
}

TEST_CASE("replies: quotations, their introductions and signatures go") {
  CHECK(own_reply("Yes.\n\nOn Tue, 3 May 2022 at 10:01, Ben <ben@example.org> wrote:\n> Shall we?\n> B.\n") == "Yes.");
  CHECK(own_reply("Yes.\n\nOn Tue, 3 May 2022 at 10:01, Ben Long-Name\n<ben@example.org> wrote:\n\n> Shall we?\n") ==
        "Yes.");
  CHECK(own_reply("Ja.\n\nAm 03.05.22 um 10:01 schrieb Ben Müller:\n> Sollen wir?\n") == "Ja.");
  CHECK(own_reply("Oui.\n\nLe 3 mai 2022 à 10:01, Ben a écrit :\n> On y va ?\n") == "Oui.");
  CHECK(own_reply("Ben B <ben@example.org>:\n> one?\nyes\n>> deeper\n> two?\nno\n") == "yes\nno");
  CHECK(own_reply("Text\n-- \nAna Ruiz\n+44 20 7946 0958\n") == "Text");
  CHECK(own_reply("Text\n\n-----Original Message-----\nFrom: Ben\nold\n") == "Text");
  CHECK(own_reply("See below\n---------- Forwarded message ----------\nold\n") == "See below");
  CHECK(own_reply("On Monday he wrote:\nnothing quoted\n") == "On Monday he wrote:\nnothing quoted");
  CHECK(own_reply("a -- b\n--- c\n") == "a -- b\n--- c");
  CHECK(own_reply("A list:\n> old\nnew") == "A list:\nnew");
  CHECK(own_reply("") == "");
}

TEST_CASE("replies: headers of originals, and own words that look like them") {
  CHECK(own_reply("Yes.\n\nSent: 3 May 2022 10:01\nFrom: Ben\nTo: Ana\nSubject: x\n\nold\n") == "Yes.");
  CHECK(own_reply("Да.\n\nОт: Лев\nОтправлено: 3 мая 2022 г. 15:05\nКому: Аня\n\nold\n") == "Да.");
  CHECK(own_reply("Ano.\n ----- Přeposlaná zpráva ----- Od: Jan <jan@example.org>Komu: eva@example.org\n old\n") ==
        "Ano.");
  CHECK(own_reply("Sim.\n\nBen Hall <ben@example.org>\n03.05.2022 10:01\n\nTo\nAna\n\nold\n") == "Sim.");
  CHECK(own_reply("Yes.\n\n---- On Tue, 03 May 2022 10:01:00 +0200 Ben <ben@example.org> wrote ----\n\nold\n") ==
        "Yes.");
  CHECK(own_reply("From: Leeds\nTo: York\nDate: 3.5.2022\n\nIs that right?") ==
        "From: Leeds\nTo: York\nDate: 3.5.2022\n\nIs that right?");
  CHECK(own_reply("One.\n\n________________________________\n\nTwo.") == "One.\n\n\nTwo.");
  CHECK(own_reply("> -----Original Message-----\n> From: Ben <ben@example.org>\n> old\n\nBelow.") == "Below.");
}

TEST_CASE("replies: the writer's last lines stay where an attribution stands directly below") {
  CHECK(own_reply("Best\nAna\nOn Tue, 3 May 2022 at 10:01, Ben <ben@example.org> wrote:\n\nold") == "Best\nAna");
  CHECK(own_reply("Ana\nOn Tue, 3 May 2022 10:01:00 +0200\nBen Hall <ben@example.org> wrote:\n\n> old") == "Ana");
  CHECK(own_reply("Réka\nNagy Bence <bence@example.org>\nezt írta (2022. máj. 3., K, 10:01):\n\n> old") == "Réka");
  CHECK(own_reply("03.05.2022, 10:01: I slept. On Monday my sister wrote that she comes along:\nby car.") ==
        "03.05.2022, 10:01: I slept. On Monday my sister wrote that she comes along:\nby car.");
}

TEST_CASE("replies: what programs and companies add") {
  CHECK(own_reply("Yes.\n\nOutlook für iOS beziehen<https://aka.ms/o0ukef>\n") == "Yes.");
  CHECK(own_reply("Jah.\n\nSaadetud minu Galaxyst\n") == "Jah.");
  CHECK(own_reply("My Galaxy broke.\n\nThe new iPhone is heavy. I like it.") ==
        "My Galaxy broke.\n\nThe new iPhone is heavy. I like it.");
  CHECK(own_reply("Yes.\n\nThis e-mail is confidential. If you are not its recipient, delete it.\nMore.") == "Yes.");
}

TEST_CASE("replies: whom a mail is to tells an original in any language") {
  // Invented words throughout: no pattern knows them.
  const auto reply = [](const std::string& body) {
    return words(
        "From: Ana Ruiz <ana@example.org>\nTo: Lundby, Ben <ben@example.org>\nSubject: Qu: x\n"
        "In-Reply-To: <1@example.org>\nContent-Type: text/plain; charset=utf-8\n\n" +
        body);
  };
  CHECK(reply("Ja.\n\nXq 3.5.2022 10:01 zu Ben Lundby vroq:\n\nold\n") == "Ja.");
  CHECK(reply("Ja.\n\nXq 3.5.2022 10:01 zu Ana Ruiz vroq:\nmine\n") ==
        "Ja.\n\nXq 3.5.2022 10:01 zu Ana Ruiz vroq:\nmine");
  CHECK(reply("Ja.\n\nXq 3.5.2022 10:01 zu Lundby, Ben vroq\n> old\n\nJe.") == "Ja.\n\n\nJe.");
  CHECK(reply("Ja.\n\nVroq 3.5.2022 zu Ben Lundby\n\nJe.") == "Ja.\n\nVroq 3.5.2022 zu Ben Lundby\n\nJe.");
  CHECK(reply("Ja.\n\nXq: Ben Lundby\nZu: 3.5.2022 10:01\nVroq: x\n\nold\n") == "Ja.");
  CHECK(reply("Ja.\n\nXq: Ana Ruiz\nZu: 3.5.2022 10:01\nVroq: x\n\nmine\n") ==
        "Ja.\n\nXq: Ana Ruiz\nZu: 3.5.2022 10:01\nVroq: x\n\nmine");
}

TEST_CASE("replies: colons and digits of other scripts") {
  CHECK(own_reply("Ja.\n\n၃.၅.၂၀၂၂ ၁၀:၀၁ Ben <ben@example.org> xq:\n\nold") == "Ja.");
  CHECK(own_reply("Ja.\n\n3.5.2022 Ben <ben@example.org> բառ՝\n\nold") == "Ja.");
  CHECK(own_reply("Ja.\n\nពី៖ Ben <ben@example.org>\nថ្ងៃ៖ 3.5.2022\nប្រធាន៖ x\n\nold") == "Ja.");
  CHECK(own_reply("Ja.\n\nከ፦ Ben <ben@example.org>\nቀን፦ 3.5.2022\nርዕስ፦ x\n\nold") == "Ja.");
}

TEST_CASE("replies: arrows, strokes, indented titles and labels above their values") {
  CHECK(own_reply("Ja.\n\n>>> Ben Lundby 05/03/22 10:01 AM >>>\nold\n") == "Ja.");
  CHECK(own_reply(">>> Ben Lundby 05/03/22 10:01 AM >>>\n> old\n\nJa.\n") == "Ja.");
  CHECK(own_reply("Ben wrote:\n| old\n| words\n\nJa.\n\n| a | b |\n") == "Ja.\n\n| a | b |");
  CHECK(own_reply("Ja.\n\n  Xq Vroq  \nFrom: Ben\nSent: 3.5.2022 10:01\nTo: Ana\n\nold") == "Ja.");
  CHECK(own_reply("Ja.\n\nXq:\nBen <ben@example.org>\nZu:\n3.5.2022\nVroq:\nx\nold") == "Ja.");
  CHECK(own_reply("Ja.\n\nSent with AquaMail for Android\nhttps://example.org\n\nJe.") == "Ja.\n\n\nJe.");
}

TEST_CASE("replies: marks of originals in HTML") {
  const auto reply = [](const std::string& html) { return own_reply(tern::detail::html_text(html)); };
  CHECK(reply("<div>Yes.</div><div class='ydp1yahoo_quoted'>Ben said:<br>old</div>") == "Yes.");
  CHECK(reply("<div>Yes.</div><div id='x_divRplyFwdMsg'><b>Gửi bởi:</b> Ben</div><div>old</div>") == "Yes.");
  CHECK(reply("<div>A</div><blockquote style='margin: 0 0 0 40px; border: none;'>B</blockquote>C") == "A\nB\nC");
  CHECK(reply("<div class=gmail_quote><div class=gmail_attr>x</div><blockquote>old</blockquote></div>own") == "own");
  CHECK(reply("One<hr>two") == "One\ntwo");
}
