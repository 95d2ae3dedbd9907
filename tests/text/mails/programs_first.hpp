#pragma once
/// The forms of the mail programs by which the reply parser was mended, as these programs write them.
#include <string>
#include <vector>

#include "text/mails/draft.hpp"

namespace tern::test::mails {

/// A block of header lines as plain text.
inline void header_block(Draft& d, const Labels& labels, const std::string& date) {
  const Language& l = d.language;
  d.other(labels.from + " {n} <{m}>\n" + labels.sent + " " + date + "\n" + labels.to + " " + l.self +
          " <self@example.org>\n" + labels.subject + " " + l.subject + "\n");
}

inline const std::vector<Form>& first_programs() {
  static const std::string gmail_quote =
      "<blockquote class=\"gmail_quote\" style=\"margin:0px 0px 0px 0.8ex;border-left:1px solid "
      "rgb(204,204,204);padding-left:1ex\">";
  static const std::vector<Form> all = {
      {"Gmail", "top", false,
       [](Draft& d) { d.wrap(72).own_text().raw("\n").other(d.language.gmail).raw("\n\n").quote("> ").other_text(); }},
      {"Gmail", "interleaved, nested, signature", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.wrap(72).other(l.gmail).raw("\n\n").quote("> ").other(l.others[0] + "\n\n" + l.others[1]).raw("\n");
         d.quote(">> ").other(l.others[2]).raw("\n").unquote().raw("\n").own(l.own[1]).raw("\n\n");
         d.quote("> ").other(l.others[2] + "\n\n" + l.others[3]).raw("\n").unquote().raw("\n");
         d.own(l.own[2] + "\n\n" + l.own[3]).raw("\n\n-- \n").either(l.self + "\n030 1234567").raw("\n");
       }},
      {"Gmail", "top, HTML", true,
       [](Draft& d) {
         d.raw("<div dir=\"ltr\">").paragraph("<div>", "</div>", "<div><br></div>").own_text();
         d.raw("</div><br><div class=\"gmail_quote\"><div dir=\"ltr\" class=\"gmail_attr\">").other(d.language.gmail);
         d.raw("<br></div>" + gmail_quote + "<div dir=\"ltr\">").other_text().raw("</div></blockquote></div>\n");
       }},
      {"Gmail", "forwarded", false,
       [](Draft& d) {
         const Labels& labels = d.language.outlook;
         d.wrap(72).own_text().raw("\n").other("---------- Forwarded message ---------\n");
         header_block(d, {labels.from, "Date:", "To:", "Cc:", "Subject:"}, "3 May 2022, 10:01");
         d.raw("\n\n").other_text();
       }},
      {"iPhone Mail", "top", false,
       [](Draft& d) {
         d.own_text().raw("\n").other(d.language.sent_from).raw("\n\n").quote("> ").other(d.language.apple);
         d.raw("\n\n\xEF\xBB\xBF").other_text();
       }},
      {"iPhone Mail", "top, HTML", true,
       [](Draft& d) {
         d.raw(
             "<html><head><meta http-equiv=\"content-type\" content=\"text/html; charset=utf-8\"></head><body "
             "dir=\"auto\">");
         d.paragraph("<div>", "</div>", "<div><br></div>").own_text();
         d.raw("<br id=\"lineBreakAtBeginningOfSignature\"><div dir=\"ltr\">").other(d.language.sent_from);
         d.raw("</div><div dir=\"ltr\"><br><blockquote type=\"cite\">").other(d.language.apple);
         d.raw("<br><br></blockquote></div><blockquote type=\"cite\"><div dir=\"ltr\">\xEF\xBB\xBF").other_text();
         d.raw("</div></blockquote></body></html>\n");
       }},
      {"Apple Mail", "top", false,
       [](Draft& d) { d.own_text().raw("\n").quote("> ").other(d.language.apple).raw("\n\n").other_text(); }},
      {"Apple Mail", "forwarded", false,
       [](Draft& d) {
         d.own_text().raw("\n").other(d.language.apple_forward).raw("\n\n");
         d.quote("> ");
         header_block(d, d.language.outlook, d.language.outlook_date);
         d.raw("\n").other_text();
       }},
      {"Outlook", "top, plain", false,
       [](Draft& d) {
         d.own_text().raw("\n").other(d.language.original).raw("\n");
         header_block(d, d.language.outlook, d.language.outlook_date);
         d.raw("\n").other_text();
       }},
      {"Outlook", "top, plain, no line above", false,
       [](Draft& d) {
         d.own_text().raw("\n");
         header_block(d, d.language.outlook, d.language.outlook_date);
         d.raw("\n").other_text();
       }},
      {"Outlook", "top, HTML", true,
       [](Draft& d) {
         const Language& l = d.language;
         d.raw(
             "<html xmlns:o=\"urn:schemas-microsoft-com:office:office\"><head><style><!-- p.MsoNormal {margin:0cm;} "
             "--></style></head><body lang=EN-GB link=\"#0563C1\"><div class=WordSection1>");
         d.paragraph("<p class=MsoNormal>", "<o:p></o:p></p>\n", "<p class=MsoNormal><o:p>&nbsp;</o:p></p>\n");
         d.own_text().raw(
             "<div><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'><p "
             "class=MsoNormal><b>");
         d.other(l.outlook.from).raw("</b> ").other("{n} <{m}>").raw(" <br><b>").other(l.outlook.sent).raw("</b> ");
         d.other(l.outlook_date).raw("<br><b>").other(l.outlook.to).raw("</b> ").other(l.self).raw("<br><b>");
         d.other(l.outlook.subject).raw("</b> ").other(l.subject).raw("<o:p></o:p></p></div></div>");
         d.raw("<p class=MsoNormal><o:p>&nbsp;</o:p></p>").other_text().raw("</div></body></html>\n");
       }},
      {"Thunderbird", "bottom, flowed, signature", false,
       [](Draft& d) {
         d.flags = "; format=flowed";
         d.wrap(72).other(d.language.thunderbird).raw("\n").quote("> ").other_text().unquote().raw("\n").own_text();
         d.raw("\n-- \n").either(d.language.self).raw("\n");
       }},
      {"Thunderbird", "top, HTML", true,
       [](Draft& d) {
         d.raw("<html><head></head><body>").paragraph("<p>", "</p>").own_text();
         d.raw("<div class=\"moz-cite-prefix\">")
             .other(d.language.thunderbird)
             .raw(
                 "<br></div><blockquote "
                 "type=\"cite\" cite=\"mid:abc@example.org\">")
             .other_text()
             .raw("</blockquote></body></html>\n");
       }},
      {"Thunderbird", "forwarded", false,
       [](Draft& d) {
         const Labels& labels = d.language.thunderbird_labels;
         const Language& l = d.language;
         d.flags = "; format=flowed";
         d.wrap(72).own_text().raw("\n\n");
         d.other(l.thunderbird_forward).raw("\n");
         d.other(labels.subject + " \t" + l.subject + "\n" + labels.sent + " \tTue, 3 May 2022 10:01:00 +0200\n" +
                 labels.from + " \t{n} <{m}>\n" + labels.to + " \t" + l.self + " <self@example.org>\n");
         d.raw("\n\n\n").other_text();
       }},
      {"Yahoo Mail", "top, unquoted", false,
       [](Draft& d) {
         d.own_text().raw("\n    ");
         d.other(d.language.yahoo);
         d.raw("  \n \n ").other_text();
       }},
      {"Yahoo Mail", "top, HTML", true,
       [](Draft& d) {
         d.raw("<html><head></head><body><div class=\"ydp1a2b3c4dyahoo-style-wrap\" style=\"font-size:13px;\">");
         d.paragraph("<div dir=\"ltr\">", "</div>", "<div><br></div>").own_text();
         d.raw(
             "</div><div id=\"ydp5e6f7a8byahoo_quoted_0123456789\" class=\"ydp5e6f7a8byahoo_quoted\"><div "
             "style=\"font-size:13px;color:#26282a;\"><div>");
         d.other(d.language.yahoo);
         d.raw("</div><div><br></div><div><br></div>").other_text().raw("</div></div></body></html>\n");
       }},
      {"GMX", "top, HTML", true,
       [](Draft& d) {
         const Language& l = d.language;
         d.raw("<html><head></head><body><div style=\"font-family: Verdana;font-size: 12.0px;\">");
         d.paragraph("<div>", "</div>", "<div>&nbsp;</div>").own_text();
         d.raw(
             "<div>&nbsp;<div name=\"quote\" style=\"margin:10px 5px 5px 10px; padding: 10px 0 10px 10px; "
             "border-left:2px solid #C3D9E5; word-wrap: break-word;\"><div style=\"margin:0 0 10px 0;\"><b>");
         d.other(l.outlook.sent).raw("</b> ").other(l.outlook_date).raw("<br/><b>").other(l.outlook.from);
         d.raw("</b> ").other("\"{n}\" <{m}>").raw("<br/><b>").other(l.outlook.to).raw("</b> ").other(l.self);
         d.raw("<br/><b>")
             .other(l.outlook.subject)
             .raw("</b> ")
             .other("Re: " + l.subject)
             .raw(
                 "</div><div "
                 "name=\"quoted-content\">")
             .other_text()
             .raw("</div></div></div></div></body></html>\n");
       }},
      {"GMX", "top, unquoted", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.own_text().raw(" \n \n\n");
         d.other(l.outlook.sent + " " + l.outlook_date + "\n" + l.outlook.from + " \"{n}\" <{m}>\n" + l.outlook.to +
                 " " + l.self + " <self@example.org>\n" + l.outlook.subject + " Re: " + l.subject + "\n");
         d.other_text();
       }},
      {"Mail.ru", "top", false,
       [](Draft& d) {
         d.own_text().raw("\n\n");
         d.other(d.language.name == "Russian" ? "Вторник, 3 мая 2022, 10:01 +03:00 от {n} <{m}>:"
                                              : "Tuesday, 3 May 2022, 10:01 +03:00 from {n} <{m}>:");
         d.raw("\n \n").quote(">").other_text();
       }},
      {"QQ Mail", "top, unquoted", false,
       [](Draft& d) {
         const Language& l = d.language;
         const bool is_chinese = l.name == "Chinese (simplified)";
         d.own_text().raw("\n\n\n");
         d.other(is_chinese ? "------------------ 原始邮件 ------------------\n"
                            : "------------------ Original ------------------\n");
         d.other(is_chinese ? "发件人: \"{n}\"<{m}>;\n发送时间: 2022年5月3日(星期二) 上午10:01\n收件人: \"" + l.self +
                                  "\"<self@example.org>;\n\n主题: " + l.subject + "\n"
                            : "From:  \"{n}\"<{m}>;\nDate:  Tue, May 3, 2022 10:01 AM\nTo:  \"" + l.self +
                                  "\"<self@example.org>;\n\nSubject:  Re: " + l.subject + "\n");
         d.raw("\n\n\n").other_text();
       }},
      {"mutt", "bottom", false,
       [](Draft& d) {
         d.wrap(72).other("On Tue, May 03, 2022 at 10:01:00AM +0200, {n} wrote:\n").quote("> ").other_text();
         d.unquote().raw("\n").own_text().raw("\n-- \n").either(d.language.self).raw("\n");
       }},
      {"mutt", "forwarded", false,
       [](Draft& d) {
         d.wrap(72).own_text().raw("\n").other("----- Forwarded message from {n} <{m}> -----\n\n");
         d.other("Date: Tue, 3 May 2022 10:01:00 +0200\nFrom: {n} <{m}>\nTo: " + d.language.self +
                 " <self@example.org>\nSubject: " + d.language.subject + "\n");
         d.raw("\n").other_text().raw("\n").other("----- End forwarded message -----\n");
       }},
  };
  return all;
}

}  // namespace tern::test::mails
