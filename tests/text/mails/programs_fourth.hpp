#pragma once
/// Forms of mail programs that the reply parser's patterns did not know when these were written down.
#include <string>
#include <vector>

#include "text/mails/programs_third.hpp"

namespace tern::test::mails {

inline const std::vector<Form>& fourth_programs() {
  static const std::vector<Form> all = {
      {"GroupWise", "top, arrows", false,
       [](Draft& d) { d.own_text().raw("\n").other(">>> {n} <{m}> 03.05.2022 10:01 >>>\n").other_text(); }},
      {"GroupWise", "top, quoted", false,
       [](Draft& d) {
         d.own_text().raw("\n").other(
             ">>> On 5/3/2022 at 10:01 AM, in message <6270@example.org>, {n} <{m}> wrote: \n");
         d.quote("> ").other_text();
       }},
      {"BlackBerry", "top, unquoted", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.own_text().raw("\n\n").other("Sent from my BlackBerry 10 smartphone on the Vodafone network.\n");
         d.other("  Original Message  \n" + l.outlook.from + " {n}\n" + l.outlook.sent + " " + l.outlook_date + "\n" +
                 l.outlook.to + " " + l.self + "\n" + l.outlook.subject + " Re: " + l.subject + "\n");
         d.raw("\n").other_text();
       }},
      {"FairEmail", "top, HTML", true,
       [](Draft& d) {
         d.raw("<!DOCTYPE html><html><body>").paragraph("<div dir=\"auto\">", "</div>", "<div dir=\"auto\"><br></div>");
         d.own_text().raw("<br><div class=\"fairemail_quote\"><p>").other("May 3, 2022 10:01:00 AM {n} <{m}>:");
         d.raw("</p><blockquote style=\"margin:0;border-left:3px solid #ccc; padding-left:3px\">").other_text();
         d.raw("</blockquote></div></body></html>");
       }},
      {"Nine", "top, HTML", true,
       [](Draft& d) {
         const Language& l = d.language;
         d.raw("<html><body>").paragraph("<p dir=\"ltr\">", "</p>").own_text().raw("<div id=\"nine_body\">");
         d.raw("</div><div class=\"quoted_output_body\"><hr style=\"border:0;height:1px\"><div><b>");
         d.other(l.outlook.from + " ").raw("</b>").other("{n} <{m}>").raw("<br><b>").other(l.outlook.sent + " ");
         d.raw("</b>").other(l.outlook_date).raw("<br><b>").other(l.outlook.to + " ").raw("</b>").other(l.self);
         d.raw("<br><b>").other(l.outlook.subject + " ").raw("</b>").other("Re: " + l.subject).raw("<br></div><br>");
         d.other_text().raw("</div></body></html>");
       }},
      {"Eudora", "interleaved", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.other("At 10:01 03/05/2022 +0200, you wrote:\n").quote(">").other(l.others[1]).raw("\n").unquote().raw("\n");
         d.own(l.own[1]).raw("\n\n").quote(">").other(l.others[2]).raw("\n").unquote().raw("\n").own(l.own[2]);
       }},
      {"Pegasus Mail", "top, forwarded", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.own_text().raw("\n").other("------- Forwarded message follows -------\n");
         d.other(l.outlook.from + "           \t{n} <{m}>\n" + l.outlook.to + "             \tself@example.org\n" +
                 "Date sent:      \tTue, 3 May 2022 10:01:00 +0200\n" + l.outlook.subject + "        \t" + l.subject +
                 "\n");
         d.raw("\n").other_text().other("------- End of forwarded message -------\n");
       }},
      {"Orange", "top, quoted header", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.own_text().raw("\n\n").quote("> ").other("Message du 03/05/22 10:01\n" + l.outlook.from +
                                                    " \"{n}\" <{m}>\n" + l.outlook.to + " \"" + l.self + "\"\n" +
                                                    l.outlook.subject + " Re: " + l.subject + "\n");
         d.raw("\n").other_text();
       }},
      {"Open-Xchange", "top, HTML", true,
       [](Draft& d) {
         d.raw("<!doctype html><html><head></head><body>")
             .paragraph("<div class=\"default-style\">", "</div>", "<div class=\"default-style\"><br></div>");
         d.own_text()
             .raw("<blockquote type=\"cite\"><div>")
             .other("{n} <{m}> hat am 03.05.2022 10:01 CEST geschrieben:");
         d.raw("</div><div><br></div>").other_text().raw("</blockquote></body></html>");
       }},
      {"Gmail", "top, old date", false,
       [](Draft& d) {
         d.wrap(72)
             .own_text()
             .raw("\n")
             .other("2022-05-03 10:01 GMT+02:00 {n} <{m}>:")
             .raw("\n\n")
             .quote("> ")
             .other_text();
       }},
      {"Seznam", "top, unquoted", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.own_text().raw("\n\n").other("---------- P\u016fvodn\u00ed e-mail ----------\n");
         d.other(l.outlook.from + " {n} <{m}>\n" + l.outlook.to + " " + l.self + " <self@example.org>\n" +
                 date_label(l) + " 3. 5. 2022 10:01:00\n" + l.outlook.subject + " Re: " + l.subject + "\n");
         d.raw("\n").other_text();
       }},
      {"Supercite", "interleaved", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.other(">>>>> \"AB\" == {n} <{m}> writes:\n")
             .raw("\n")
             .quote("    AB> ")
             .other(l.others[1])
             .raw("\n")
             .unquote();
         d.raw("\n").own(l.own[1]).raw("\n\n").quote("    AB> ").other(l.others[2]).raw("\n").unquote().raw("\n");
         d.own(l.own[2] + "\n\n" + l.own[3]);
       }},
      {"Windows Mail", "top, unquoted", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.own_text().raw("\n\n").other("Sent from Mail for Windows\n").raw("\n");
         d.other(l.outlook.from + " {n}\n" + l.outlook.sent + " " + l.outlook_date + "\n" + l.outlook.to + " " +
                 l.self + "\n" + l.outlook.subject + " Re: " + l.subject + "\n");
         d.raw("\n").other_text();
       }},
      {"Any", "own list with times", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.own(l.own[0] + "\n\n3.5.2022:\n" + l.own[1] + "\n\n10:01: " + l.subject + "\n11:30: " + l.self +
               "\n12:15: X, Y\n\n" + l.own[2] + "\n\n" + l.own[3])
             .raw("\n");
       }},
      {"Any", "own list of contacts", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.own(l.own[0] + "\n\n" + l.subject + ": https://example.org/a\n" + l.outlook.to + " office@example.org\n\n" +
               l.own[1] + "\n\n" + l.own[2] + "\n\n" + l.own[3])
             .raw("\n");
       }},
  };
  return all;
}

}  // namespace tern::test::mails
