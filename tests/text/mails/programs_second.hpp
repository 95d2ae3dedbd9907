#pragma once
/// Forms of mail programs that were written down after the reply parser was mended by those of programs_first.hpp.
#include <string>
#include <vector>

#include "text/mails/programs_first.hpp"

namespace tern::test::mails {

/// The date's label where programs say "Date:" rather than "Sent:".
inline std::string date_label(const Language& l) { return l.thunderbird_labels.sent; }

inline const std::vector<Form>& second_programs() {
  static const std::vector<Form> all = {
      {"Gmail for Android", "interleaved, HTML", true,
       [](Draft& d) {
         const Language& l = d.language;
         d.raw(
             "<div dir=\"auto\"></div><div class=\"gmail_quote gmail_quote_container\"><div dir=\"ltr\" "
             "class=\"gmail_attr\">");
         d.other(l.gmail).raw(
             "<br></div><blockquote class=\"gmail_quote\" style=\"margin:0 0 0 .8ex\"><p dir=\"ltr\">");
         d.other(l.others[0] + "\n" + l.others[1]).raw("</p></blockquote></div><div dir=\"auto\">").own(l.own[1]);
         d.raw(
             "</div><div class=\"gmail_quote\"><blockquote class=\"gmail_quote\" style=\"margin:0 0 0 .8ex\"><p "
             "dir=\"ltr\">");
         d.other(l.others[2] + "\n" + l.others[3]).raw("</p></blockquote></div><div dir=\"auto\">").own(l.own[2]);
         d.raw("<br><br>").own(l.own[3]).raw("</div>\n");
       }},
      {"Gmail for Android", "forwarded, HTML", true,
       [](Draft& d) {
         const Language& l = d.language;
         d.raw("<div dir=\"auto\">").paragraph("", "", "<br><br>").own_text();
         d.raw("<br><br><div class=\"gmail_quote\"><div dir=\"ltr\" class=\"gmail_attr\">");
         d.other("---------- Forwarded message ---------")
             .raw("<br>")
             .other(l.outlook.from)
             .raw(
                 " <strong "
                 "class=\"gmail_sendername\" dir=\"auto\">")
             .other("{n}")
             .raw("</strong> <span dir=\"auto\">");
         d.other("<{m}>")
             .raw("</span><br>")
             .other("Date: 3 May 2022, 10:01\nSubject: " + l.subject + "\nTo:  " + l.self);
         d.raw("<br></div><br><br>").other_text().raw("</div></div>\n");
       }},
      {"Outlook on the web", "top, HTML", true,
       [](Draft& d) {
         const Language& l = d.language;
         d.raw("<html><head><style type=\"text/css\"> P {margin-top:0;} </style></head><body dir=\"ltr\">");
         d.paragraph("<div class=\"elementToProof\" style=\"font-family: Aptos;\">", "</div>",
                     "<div class=\"elementToProof\"><br></div>");
         d.own_text().raw(
             "<div id=\"appendonsend\"></div><hr style=\"display:inline-block;width:98%\" "
             "tabindex=\"-1\"><div id=\"divRplyFwdMsg\" dir=\"ltr\"><font face=\"Calibri\"><b>");
         d.other(l.outlook.from).raw("</b> ").other("{n} <{m}>").raw("<br><b>").other(l.outlook.sent).raw("</b> ");
         d.other(l.outlook_date).raw("<br><b>").other(l.outlook.to).raw("</b> ").other(l.self).raw("<br><b>");
         d.other(l.outlook.subject)
             .raw("</b> ")
             .other(l.subject)
             .raw(
                 "</font><div>&nbsp;</div></div><div "
                 "class=\"BodyFragment\">");
         d.paragraph("<p>", "</p>").other_text().raw("</div></body></html>\n");
       }},
      {"Outlook on the web", "own rule, top, plain", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.own(l.own[0] + "\n\n" + l.own[1]).raw("\n\n________________________________\n\n");
         d.own(l.own[2] + "\n\n" + l.own[3]).raw("\n\n________________________________\n");
         header_block(d, l.outlook, l.outlook_date);
         d.raw("\n").other_text();
       }},
      {"Outlook mobile", "top, plain", false,
       [](Draft& d) {
         d.own_text().raw("\n").other(d.language.get_outlook).raw("<https://aka.ms/o0ukef>\n");
         d.raw("________________________________\n");
         header_block(d, d.language.outlook, d.language.outlook_date);
         d.raw("\n").other_text();
       }},
      {"Outlook", "new mail, disclaimer", false,
       [](Draft& d) { d.own_text().raw("\n\n").other(d.language.disclaimer).raw("\n"); }},
      {"Outlook", "nested originals, no address", false,
       [](Draft& d) {
         const Language& l = d.language;
         const auto block = [&](const std::string& to) {
           d.other(l.outlook.from + " {n}\n" + l.outlook.sent + " " + l.outlook_date + "\n" + l.outlook.to + " " + to +
                   "\n" + l.outlook.cc + " X, Y\n" + l.outlook.subject + " RE: " + l.subject + "\n");
         };
         d.own_text().raw("\n\n");
         block(l.self);
         d.raw("\n").other(l.others[0] + "\n\n" + l.others[1] + "\n").raw("\n");
         block("X");
         d.raw("\n").other(l.others[2] + "\n\n" + l.others[3] + "\n");
       }},
      {"Proton Mail", "top", false,
       [](Draft& d) {
         d.own_text().raw("\n").other("Sent with Proton Mail secure email.").raw("\n\n");
         d.other("On Tuesday, May 3rd, 2022 at 10:01 AM, {n} <{m}> wrote:").raw("\n\n").quote("> ").other_text();
       }},
      {"Proton Mail", "top, old, HTML", true,
       [](Draft& d) {
         d.paragraph("<div style=\"font-family: arial;\">", "</div>", "<div><br></div>").own_text();
         d.raw("<div class=\"protonmail_signature_block\"><div class=\"protonmail_signature_block-proton\">");
         d.other("Sent with ProtonMail Secure Email.").raw("</div></div><div class=\"protonmail_quote\">");
         d.other("------- Original Message -------").raw("<br>");
         d.other("On Tuesday, May 3rd, 2022 at 10:01 AM, {n} <{m}> wrote:")
             .raw(
                 "<br><br><blockquote "
                 "class=\"protonmail_quote\" type=\"cite\">")
             .other_text()
             .raw("</blockquote></div>\n");
       }},
      {"Fastmail", "interleaved", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.own(l.own[0]).raw("\n\n").other("On Tue, 3 May 2022, at 10:01 AM, {n} wrote:\n").quote("> ");
         d.other(l.others[0] + "\n\n" + l.others[1]).raw("\n").unquote().raw("\n").own(l.own[1]).raw("\n\n");
         d.quote("> ").other(l.others[2] + "\n\n" + l.others[3]).raw("\n").unquote().raw("\n");
         d.own(l.own[2] + "\n\n" + l.own[3]);
       }},
      {"Fastmail", "top, HTML", true,
       [](Draft& d) {
         d.raw("<!DOCTYPE html><html><body>").paragraph("<div>", "<br></div>", "<div><br></div>").own_text();
         d.raw("<div><br></div><div>")
             .other("On Tue, 3 May 2022, at 10:01 AM, {n} wrote:")
             .raw(
                 "<br></div><blockquote "
                 "type=\"cite\" id=\"qt\" style=\"\">")
             .other_text()
             .raw("</blockquote></body></html>\n");
       }},
      {"K-9 Mail", "top", false,
       [](Draft& d) {
         d.own_text().raw("\n").other(d.language.yahoo);
         d.raw("\n").quote(">").other_text().unquote().raw("\n-- \n");
         d.other("Sent from my Android device with K-9 Mail. Please excuse my brevity.").raw("\n");
       }},
      {"K-9 Mail", "top, header block", false,
       [](Draft& d) {
         d.own_text().raw("\n\n").other("-------- Original Message --------\n");
         header_block(d, d.language.outlook, "Tue May 03 10:01:00 GMT+02:00 2022");
         d.raw("\n").other_text();
       }},
      {"Yandex Mail", "top, HTML", true,
       [](Draft& d) {
         d.paragraph("<div>", "</div>", "<div> </div>").own_text().raw("<div> </div><div>");
         d.other("03.05.2022, 10:01, \"{n}\" <{m}>:").raw("</div><blockquote>").other_text().raw("</blockquote>\n");
       }},
      {"NetEase Mail", "top, unquoted", false,
       [](Draft& d) {
         d.own_text().raw("\n\n\n\n\n\n\n\n");
         d.other(d.language.name.starts_with("Chinese") ? "在 2022-05-03 10:01:00，\"{n}\" <{m}> 写道：\n"
                                                        : "At 2022-05-03 10:01:00, \"{n}\" <{m}> wrote:\n");
         d.other_text();
       }},
      {"NetEase Mail", "top, HTML", true,
       [](Draft& d) {
         d.raw("<div style=\"line-height:1.7;color:#000000;font-size:14px;font-family:Arial\">");
         d.paragraph("<div>", "</div>", "<div><br></div>")
             .own_text()
             .raw(
                 "<div style=\"position:relative;zoom:1\"></div>"
                 "<div id=\"divNeteaseMailCard\"></div><p>");
         d.other(d.language.name.starts_with("Chinese") ? "在 2022-05-03 10:01:00，\"{n}\" <{m}> 写道："
                                                        : "At 2022-05-03 10:01:00, \"{n}\" <{m}> wrote:");
         d.raw("</p><blockquote id=\"isReplyContent\" style=\"PADDING-LEFT: 1ex\">").other_text();
         d.raw("</blockquote></div>\n");
       }},
      {"Zoho Mail", "top, unquoted", false,
       [](Draft& d) {
         d.own_text().raw("\n\n\n\n").other("---- On Tue, 03 May 2022 10:01:00 +0200 {n} <{m}> wrote ----").raw("\n\n");
         d.other_text();
       }},
      {"Zoho Mail", "top, HTML", true,
       [](Draft& d) {
         d.paragraph("<div>", "<br></div>", "<div><br></div>").own_text();
         d.raw(
             "<div class=\"zmail_extra_hr\" style=\"border-top:1px solid #ccc\"></div><div class=\"zmail_extra\" "
             "data-zbluepencil-ignore=\"true\"><div id=\"Zm-_Id_-Sgn1\">");
         d.other("---- On Tue, 03 May 2022 10:01:00 +0200 ")
             .raw("<b>")
             .other("{n} <{m}>")
             .raw("</b>")
             .other(" wrote ---");
         d.raw("<br></div><blockquote id=\"blockquote_zmail\">").other_text().raw("</blockquote></div>\n");
       }},
      {"HCL Notes", "top, header block", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.own_text().raw("\n\n\n\n");
         d.other(l.outlook.from + "\t{n}/ORG\n" + l.outlook.to + "\t" + l.self + "/ORG@ORG\n" + date_label(l) +
                 "\t03.05.2022 10:01\n" + l.outlook.subject + "\tRe: " + l.subject + "\n");
         d.raw("\n\n\n").other_text();
       }},
      {"HCL Notes", "top, unquoted", false,
       [](Draft& d) {
         d.own_text().raw("\n\n").other("{n} <{m}> wrote on 03.05.2022 10:01:00:\n").raw("\n").other_text();
       }},
      {"Evolution", "bottom, flowed", false,
       [](Draft& d) {
         d.wrap(72).other(d.language.evolution).raw("\n");
         d.quote("> ").other_text().unquote().raw("\n").own_text();
       }},
      {"KMail", "interleaved", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.other(l.kmail).raw("\n").quote("> ");
         d.other(l.others[0] + "\n\n" + l.others[1]).raw("\n").unquote().own(l.own[1]).raw("\n\n");
         d.quote("> ").other(l.others[2] + "\n\n" + l.others[3]).raw("\n").unquote().own(l.own[2]).raw("\n\n");
         d.own(l.own[3]).raw("\n");
       }},
      {"KMail", "forwarded", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.own_text().raw("\n").other("----------  Forwarded Message  ----------\n").raw("\n");
         d.other(l.outlook.subject + " " + l.subject + "\n" + date_label(l) + " 3 May 2022, 10:01:00 CEST\n" +
                 l.outlook.from + " {n} <{m}>\n" + l.outlook.to + " self@example.org\n")
             .raw("\n")
             .other_text();
         d.raw("\n-----------------------------------------\n");
       }},
      {"Claws Mail", "top", false,
       [](Draft& d) {
         d.wrap(72).own_text().raw("\n").other("On Tue, 3 May 2022 10:01:00 +0200\n{n} <{m}> wrote:\n").raw("\n");
         d.quote("> ").other_text();
       }},
      {"Claws Mail", "forwarded", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.own_text().raw("\n").other("Begin forwarded message:\n").raw("\n");
         d.other("Date: Tue, 3 May 2022 10:01:00 +0200\nFrom: {n} <{m}>\nTo: " + l.self +
                 " <self@example.org>\nSubject: " + l.subject + "\n")
             .raw("\n\n")
             .other_text();
       }},
      {"Samsung Email", "top, unquoted", false,
       [](Draft& d) {
         const Language& l = d.language;
         std::string line = l.original;
         line = "--------" + line.substr(4, line.size() - 8) + "--------";
         line.replace(8, 1, " "), line.replace(line.size() - 9, 1, " ");
         d.own_text().raw("\n\n\n").other(l.sent_from_galaxy).raw("\n\n\n").other(line + "\n");
         d.other(l.outlook.from + " {n} <{m}>\n" + date_label(l) + " 03.05.2022 10:01 (GMT+01:00)\n" + l.outlook.to +
                 " " + l.self + " <self@example.org>\n" + l.outlook.subject + " Re: " + l.subject + "\n")
             .raw("\n")
             .other_text();
       }},
      {"Samsung Email", "new mail", false,
       [](Draft& d) { d.own_text().raw("\n\n\n").other(d.language.sent_from_galaxy).raw("\n"); }},
      {"eM Client", "top", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.own_text()
             .raw("\n\n")
             .other("------ Original Message ------\n" + l.outlook.from + " \"{n}\" <{m}>\n" + l.outlook.to + " \"" +
                    l.self + "\" <self@example.org>\n" + l.outlook.sent + " 03.05.2022 10:01:00\n" + l.outlook.subject +
                    " Re: " + l.subject + "\n")
             .raw("\n")
             .quote(">")
             .other_text();
       }},
      {"Spark", "top, HTML", true,
       [](Draft& d) {
         d.raw("<html><body><div name=\"messageBodySection\"><div dir=\"auto\">")
             .paragraph("", "", "<br><br>")
             .own_text();
         d.raw("</div></div><div name=\"messageReplySection\">").other("On 3 May 2022, 10:01 +0200, {n} <{m}>, wrote:");
         d.raw("<br /><blockquote type=\"cite\" style=\"margin: 5px\">")
             .other_text()
             .raw("</blockquote></div></body></html>\n");
       }},
      {"The Bat!", "interleaved, initials", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.own(l.own[0]).raw("\n\n").other("Tuesday, May 3, 2022, 10:01:00 AM, you wrote:\n").raw("\n").quote("BH> ");
         d.other(l.others[1]).raw("\n").unquote().raw("\n").own(l.own[1]).raw("\n\n").quote("BH> ").other(l.others[2]);
         d.raw("\n").unquote().raw("\n").own(l.own[2] + "\n\n" + l.own[3]).raw("\n");
       }},
      {"Gnus", "interleaved", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.other("{n} <{m}> writes:\n")
             .raw("\n")
             .quote("> ")
             .other(l.others[1] + "\n\n" + l.others[2])
             .raw("\n")
             .unquote();
         d.raw("\n").own(l.own[1] + "\n\n" + l.own[2] + "\n\n" + l.own[3]).raw("\n");
       }},
      {"Roundcube", "top", false,
       [](Draft& d) {
         d.wrap(72).own_text().raw("\n").other("On 2022-05-03 10:01, {n} wrote:\n").quote("> ").other_text();
       }},
      {"Any", "own list of fields", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.own(l.own[0] + "\n\n" + date_label(l) + " 3.5.2022, 10:01\n" + l.outlook.to + " X, Y\n" + l.outlook.subject +
               " " + l.subject + "\n\n" + l.own[1] + "\n\n" + l.own[3])
             .raw("\n");
       }},
      {"Mailman", "list footer", false,
       [](Draft& d) {
         d.own_text().raw("\n_______________________________________________\n");
         d.other("Camping mailing list\ncamping@example.org\nhttps://lists.example.org/camping\n");
       }},
  };
  return all;
}

}  // namespace tern::test::mails
