#pragma once
/// Forms of mail programs that were written down after the reply parser was mended by all the others.
#include <string>
#include <vector>

#include "text/mails/programs_second.hpp"

namespace tern::test::mails {

inline const std::vector<Form>& third_programs() {
  static const std::vector<Form> all = {
      {"Thunderbird", "bottom, below a quoted Outlook mail", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.wrap(72).other(l.thunderbird).raw("\n").quote("> ");
         d.other_text().raw("\n").other(l.original).raw("\n");
         header_block(d, l.outlook, l.outlook_date);
         d.raw("\n").other(l.others[1]).raw("\n").unquote().raw("\n").own_text();
       }},
      {"Outlook for Mac", "top, plain", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.own_text().raw("\n").other(l.outlook.from + " \"{n}\" <{m}>\n" + date_label(l) +
                                      " Tuesday, 3 May 2022 at 10:01\n" + l.outlook.to + " \"" + l.self +
                                      "\" <self@example.org>\n" + l.outlook.subject + " Re: " + l.subject + "\n");
         d.raw("\n").other_text();
       }},
      {"Outlook for Mac", "top, HTML", true,
       [](Draft& d) {
         const Language& l = d.language;
         d.raw("<html><body lang=\"EN-GB\"><div class=\"WordSection1\">").paragraph("<p class=\"MsoNormal\">", "</p>");
         d.own_text().raw(
             "<div id=\"mail-editor-reference-message-container\"><div><div style=\"border:none;border-top:solid "
             "#B5C4DF 1.0pt;padding:3.0pt 0cm 0cm 0cm\"><p class=\"MsoNormal\"><b>");
         d.other(l.outlook.from + " ")
             .raw("</b>")
             .other("{n} <{m}>")
             .raw("<br><b>")
             .other(date_label(l) + " ")
             .raw("</b>");
         d.other("Tuesday, 3 May 2022 at 10:01").raw("</p></div>").other_text().raw("</div></div></div></body></html>");
       }},
      {"Outlook", "top, HTML, bold asterisks in plain", false,
       [](Draft& d) {
         const Language& l = d.language;
         const auto bold = [](const std::string& label) { return "*" + label + "* "; };
         d.own_text()
             .raw("\n\n\n")
             .other(bold(l.outlook.from) + "{n} <{m}>\n" + bold(l.outlook.sent) + l.outlook_date + "\n" +
                    bold(l.outlook.to) + l.self + "\n" + bold(l.outlook.subject) + l.subject + "\n")
             .raw("\n\n")
             .other_text();
       }},
      {"Windows Live Mail", "top", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.own_text()
             .raw("\n")
             .other(l.outlook.from + " {n} \n" + l.outlook.sent + " " + l.outlook_date + "\n" + l.outlook.to + " " +
                    l.self + " \n" + l.outlook.subject + " Re: " + l.subject + "\n")
             .raw("\n")
             .other_text();
       }},
      {"Horde", "bottom", false,
       [](Draft& d) {
         d.other("Quoting {n} <{m}>:\n")
             .raw("\n")
             .quote("> ")
             .other_text()
             .unquote()
             .raw("\n")
             .own_text()
             .raw("\n\n\n");
       }},
      {"Horde", "bottom, zitat", false,
       [](Draft& d) {
         d.other("Zitat von {n} <{m}>:\n").raw("\n").quote("> ").other_text().unquote().raw("\n").own_text();
       }},
      {"SquirrelMail", "bottom", false,
       [](Draft& d) {
         d.own(d.language.own[0]).raw("\n\n").quote("> ").other_text().unquote().raw("\n").own(d.language.own[1]);
       }},
      {"Alpine", "interleaved", false,
       [](Draft& d) {
         d.other("On Tue, 3 May 2022, {n} wrote:\n")
             .raw("\n")
             .quote("> ")
             .other(d.language.others[1])
             .raw("\n")
             .unquote();
         d.raw("\n").own_text();
       }},
      {"Zimbra", "top, unquoted", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.own_text()
             .raw("\n\n")
             .other(l.outlook.from + " \"{n}\" <{m}>\n" + l.outlook.to + " \"" + l.self + "\" <self@example.org>\n" +
                    l.outlook.sent + " Tuesday, May 3, 2022 10:01:00 AM\n" + l.outlook.subject + " Re: " + l.subject +
                    "\n")
             .raw("\n")
             .other_text();
       }},
      {"Zimbra", "top, HTML", true,
       [](Draft& d) {
         const Language& l = d.language;
         d.raw("<html><body><div style=\"font-family: arial\">")
             .paragraph("<div>", "</div>", "<div><br></div>")
             .own_text();
         d.raw("<div><br></div><hr id=\"zwchr\" data-marker=\"__DIVIDER__\"><div data-marker=\"__HEADERS__\"><b>");
         d.other(l.outlook.from + " ")
             .raw("</b>")
             .other("\"{n}\" <{m}>")
             .raw("<br><b>")
             .other(l.outlook.to + " ")
             .raw("</b>");
         d.other(l.self).raw("<br><b>").other(l.outlook.sent).raw(" </b>").other("Tuesday, May 3, 2022 10:01:00 AM");
         d.raw("<br><b>")
             .other(l.outlook.subject)
             .raw(" </b>")
             .other(l.subject)
             .raw(
                 "<br></div><div "
                 "data-marker=\"__QUOTED_TEXT__\">")
             .other_text()
             .raw("</div></div></body></html>");
       }},
      {"SOGo", "top", false,
       [](Draft& d) {
         d.own_text()
             .raw("\n\n")
             .other("On Tuesday, May 3, 2022 10:01 CEST, \"{n}\" <{m}> wrote:\n \n")
             .quote("> ")
             .other_text();
       }},
      {"Tuta", "top, HTML", true,
       [](Draft& d) {
         d.paragraph("<div dir=\"auto\">", "</div>", "<div dir=\"auto\"><br></div>")
             .own_text()
             .raw("<div dir=\"auto\">--</div>");
         d.raw("<div dir=\"auto\">").either("Secured with Tuta Mail:").raw("</div><br><div>");
         d.other("3 May 2022, 10:01 by {m}:")
             .raw(
                 "</div><br><blockquote class=\"tutanota_quote\" style=\"border-left: 1px "
                 "solid #93A3B8;\">")
             .other_text()
             .raw("</blockquote>");
       }},
      {"HEY", "top, HTML", true,
       [](Draft& d) {
         d.raw("<div class=\"trix-content\">")
             .paragraph("<div>", "</div>", "<div><br></div>")
             .own_text()
             .raw("<br><br>");
         d.other("On May 3, 2022, {n} <{m}> wrote:").raw("<br><blockquote>").other_text().raw("</blockquote></div>");
       }},
      {"Airmail", "top, HTML", true,
       [](Draft& d) {
         d.raw("<html><body><div id=\"bloop_customfont\" style=\"margin:0px\">")
             .paragraph("", "", "<br><br>")
             .own_text();
         d.raw("</div><br> <div id=\"bloop_sign_1\" class=\"bloop_sign\"></div> <br><p class=\"airmail_on\">");
         d.other("On 3 May 2022 at 10:01:00, {n} (")
             .raw("<a href=\"mailto:other@example.org\">")
             .other("{m}")
             .raw("</a>");
         d.other(") wrote:")
             .raw("</p> <blockquote type=\"cite\" class=\"clean_bq\">")
             .other_text()
             .raw("</blockquote></body></html>");
       }},
      {"Superhuman", "top, HTML", true,
       [](Draft& d) {
         d.raw("<html><body>").paragraph("<div>", "</div>", "<div><br></div>").own_text();
         d.raw("<div class=\"gmail_signature\"></div><br><div class=\"gmail_quote\">");
         d.other("On Tue, May 03, 2022 at 10:01 AM, {n} <").raw("<a href=\"mailto:x\">").other("{m}").raw("</a>");
         d.other("> wrote:").raw("<br><blockquote class=\"gmail_quote sh-color-black\">").other_text();
         d.raw("</blockquote></div></body></html>");
       }},
      {"BlueMail", "top, plain", false,
       [](Draft& d) {
         d.own_text().raw("\n").other("⁣Get BlueMail for Android ​").raw("\n\n");
         d.other("On 3 May 2022, 10:01, at 10:01, {n} <{m}> wrote:\n").quote(">").other_text();
       }},
      {"AOL", "top, unquoted", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.own_text()
             .raw("\n\n\n")
             .other("-----Original Message-----\nFrom: {n} <{m}>\nTo: " + l.self +
                    " <self@example.org>\nSent: Tue, May 3, 2022 10:01 am\nSubject: Re: " + l.subject + "\n")
             .raw("\n\n\n");
         d.other_text();
       }},
      {"Naver", "top, HTML", true,
       [](Draft& d) {
         const Language& l = d.language;
         d.raw("<html><body><div style='font-size:10pt;'>").paragraph("<p>", "</p>").own_text();
         d.raw("<p>&nbsp;</p><p style='font-size:10pt;'>").other("-----Original Message-----").raw("<br><b>");
         d.other("From:").raw("</b> ").other("\"{n}\" <{m}>").raw(" <br><b>").other("To:").raw("</b> ").other(l.self);
         d.raw("<br><b>")
             .other("Cc:")
             .raw("</b> <br><b>")
             .other("Sent:")
             .raw("</b> ")
             .other("2022-05-03 (화) 10:01:00 (GMT+09:00)");
         d.raw("<br><b>")
             .other("Subject:")
             .raw("</b> ")
             .other("Re: " + l.subject)
             .raw("<br></p>")
             .other_text()
             .raw("</div></body></html>");
       }},
      {"HCL Notes", "top, old header, HTML", true,
       [](Draft& d) {
         const Language& l = d.language;
         d.raw("<font size=2 face=\"sans-serif\">").paragraph("", "", "<br><br>").own_text();
         d.raw("</font><br><br><br><table width=100%><tr valign=top><td width=40%><font size=1><b>").other("{n} <{m}>");
         d.raw("</b> </font><p><font size=1>")
             .other("03.05.2022 10:01")
             .raw(
                 "</font><td width=59%><table width=100%><tr "
                 "valign=top><td><div align=right><font size=1>")
             .other("To")
             .raw("</font></div><td><font size=1>");
         d.other(l.self).raw("</font><tr valign=top><td><div align=right><font size=1>").other("Subject");
         d.raw("</font></div><td><font size=1>").other("Re: " + l.subject).raw("</font></table></table><br><br>");
         d.other_text();
       }},
      {"Mailspring", "top, HTML", true,
       [](Draft& d) {
         d.paragraph("<div>", "</div>", "<br>").own_text().raw("<div class=\"gmail_quote_attribution\">");
         d.other("On May 3 2022, at 10:01 am, {n} <{m}> wrote:").raw("</div><blockquote class=\"gmail_quote\">");
         d.other_text().raw("</blockquote>");
       }},
      {"Apple Mail", "own quote of a book, HTML", true,
       [](Draft& d) {
         const Language& l = d.language;
         d.raw("<html><body><div>")
             .own(l.own[0])
             .raw(
                 "</div><blockquote style=\"margin: 0 0 0 40px; border: none; padding: "
                 "0px;\"><div>")
             .own(l.own[1])
             .raw("</div></blockquote><div>")
             .own(l.own[3])
             .raw("</div></body></html>");
       }},
      {"mutt", "own divider", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.own(l.own[0] + "\n\n" + l.own[1]).raw("\n\n-----\n\n").own(l.own[2] + "\n\n" + l.own[3]).raw("\n");
       }},
      {"Any", "own table of fields with sender", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.own(l.own[0] + "\n\n" + l.outlook.from + " Leeds\n" + l.outlook.to + " York\n" + date_label(l) +
               " 3.5.2022\n\n" + l.own[1] + "\n\n" + l.own[3])
             .raw("\n");
       }},
      {"Any", "own words about a phone", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.own(l.own[0] + "\n\n" + "iPhone, Android, Outlook?\n\n" + l.own[1] + "\n\n03.05.2022, 10:01: " + l.own[2] +
               "\n\n" + l.own[3])
             .raw("\n");
       }},
  };
  return all;
}

}  // namespace tern::test::mails
