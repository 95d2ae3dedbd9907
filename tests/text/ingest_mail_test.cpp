#include "tern/text/ingest/mail.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {

using tern::BadBytes;
using tern::detail::own_reply;

/// The words of the only mail in `bytes`: subject, blank line, body.
std::string words(const std::string& bytes, BadBytes policy = BadBytes::error) {
  const auto mailbox = tern::detail::read_mail(bytes, "a.eml", false, policy);
  REQUIRE(mailbox.mails.size() == 1);
  return mailbox.mails[0].messages.at(0).text;
}

std::string mail(const std::string& headers, const std::string& body) {
  return "From: Ana Ruiz <ana@example.org>\r\nTo: ben@example.org\r\nSubject: Hi\r\nMIME-Version: 1.0\r\n" + headers +
         "\r\n" + body;
}

}  // namespace

TEST_CASE("mail: sender, subject and plain body") {
  const auto mailbox = tern::detail::read_mail(mail("", "Hello\r\nthere\r\n"), "a.eml", false, BadBytes::error);
  REQUIRE(mailbox.mails.size() == 1);
  CHECK(mailbox.mails[0].name == "a.eml");
  CHECK(mailbox.mails[0].messages[0].sender == "Ana Ruiz");
  CHECK(mailbox.mails[0].messages[0].sender_id == "ana@example.org");
  CHECK(mailbox.mails[0].messages[0].text == "Hi\n\nHello\nthere");
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

TEST_CASE("mail: bad bytes are an error or counted") {
  const std::string broken = mail("Content-Type: text/plain; charset=utf-8\r\n", "caf\xE9 x\r\n");
  CHECK_THROWS_AS(words(broken), tern::FormatError);
  CHECK(words(broken, BadBytes::replace) == "Hi\n\ncaf\uFFFD x");
  const std::string unknown = mail("Content-Type: text/plain; charset=klingon\r\n", "x\r\n");
  CHECK_THROWS_WITH_AS(words(unknown), "text 'a.eml' in charset 'klingon': expected a charset that ICU knows",
                       tern::FormatError);
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
  CHECK(words(mixed) == "Hi\n\none & two\nthreeé");
}

TEST_CASE("mail: flowed lines are joined") {
  CHECK(words(mail("Content-Type: text/plain; format=flowed\r\n", "one \r\ntwo\r\n three\r\n> old \r\nend\r\n")) ==
        "Hi\n\none two\nthree\nend");
}

TEST_CASE("mail: an mbox holds many") {
  const std::string mbox =
      "From ana@example.org Mon Jan  1 00:00:00 2024\nFrom: Ana <ana@example.org>\nSubject: one\n\nfirst\n>From "
      "here\n\n"
      "From ben@example.org Mon Jan  1 00:00:00 2024\nFrom: ben@example.org\nSubject: two\n\nsecond\n\n";
  const auto mailbox = tern::detail::read_mail(mbox, "sent.mbox", true, BadBytes::error);
  REQUIRE(mailbox.mails.size() == 2);
  CHECK(mailbox.mails[0].name == "sent.mbox#000001");
  CHECK(mailbox.mails[0].messages[0].text == "one\n\nfirst\nFrom here");
  CHECK(mailbox.mails[1].messages[0].sender == "ben@example.org");
  CHECK(mailbox.mails[1].messages[0].text == "two\n\nsecond");
  CHECK_THROWS_AS(tern::detail::read_mail("no mail at all", "x.mbox", true, BadBytes::error), tern::FormatError);
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
