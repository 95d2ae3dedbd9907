#pragma once
/// Forms of mail programs that were written down after the reply parser was mended by all the others.
#include <string>
#include <vector>

#include "text/mails/programs_fourth.hpp"

namespace tern::test::mails {

inline const std::vector<Form>& fifth_programs() {
  static const std::vector<Form> all = {
      {"Aqua Mail", "top", false,
       [](Draft& d) {
         d.own_text()
             .raw("\n")
             .other("Sent with AquaMail for Android\nhttps://www.example.org/aqua-mail\n")
             .raw("\n\n");
         d.other("On May 3, 2022 10:01:00 AM {n} <{m}> wrote:\n").raw("\n").quote("> ").other_text();
       }},
      {"T-Online", "top, unquoted", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.own_text().raw("\n\n").other("-----Original-Nachricht-----\nBetreff: Re: " + l.subject +
                                        "\nDatum: 2022-05-03T10:01:00+0200\nVon: \"{n}\" <{m}>\nAn: \"" + l.self +
                                        "\" <self@example.org>\n");
         d.raw("\n").other_text();
       }},
      {"RainLoop", "top, HTML", true,
       [](Draft& d) {
         d.raw("<!DOCTYPE html><html><head></head><body>").paragraph("<div>", "</div>", "<div><br></div>").own_text();
         d.raw("<br>").other("May 3, 2022 10:01 AM, \"{n}\" <").raw("<a href=\"mailto:x\">").other("{m}").raw("</a>");
         d.other("> wrote:").raw("<br><br><blockquote>").other_text().raw("</blockquote></body></html>");
       }},
      {"Geary", "top", false,
       [](Draft& d) {
         d.flags = "; format=flowed";
         d.wrap(72)
             .own_text()
             .raw("\n")
             .other("On Tue, 3 May, 2022 at 10:01, {n} <{m}> wrote:\n")
             .quote("> ")
             .other_text();
       }},
      {"o2.pl", "top, HTML", true,
       [](Draft& d) {
         d.paragraph("<p>", "</p>")
             .own_text()
             .raw("<br><p>")
             .other("Dnia 3 maja 2022 10:01 {n} <{m}> napisa\u0142(a):");
         d.raw("</p><blockquote style=\"margin-right: 0; margin-left: 7px\">").other_text().raw("</blockquote>");
       }},
      {"Libero", "top, unquoted", false,
       [](Draft& d) {
         d.own_text().raw("\n\n").other("Il 3 maggio 2022 alle 10.01 {n} <{m}> ha scritto:\n").raw("\n\n").other_text();
       }},
      {"elm", "bottom", false,
       [](Draft& d) { d.other("{n} writes:\n").quote("> ").other_text().unquote().raw("\n").own_text(); }},
      {"Emacs VM", "interleaved", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.other("{n} writes:\n")
             .quote(" > ")
             .other(l.others[1])
             .raw("\n")
             .unquote()
             .raw("\n")
             .own(l.own[1])
             .raw("\n\n");
         d.quote(" > ").other(l.others[2]).raw("\n").unquote().raw("\n").own(l.own[2] + "\n\n" + l.own[3]);
       }},
      {"Front", "top, HTML", true,
       [](Draft& d) {
         d.paragraph("<div>", "<br></div>").own_text().raw("<div class=\"front-signature\"></div><br>");
         d.raw("<blockquote type=\"cite\" class=\"front-blockquote\">")
             .other("On May 3, 2022, 10:01 AM GMT+2 {m} wrote:");
         d.raw("<br><br>").other_text().raw("</blockquote>");
       }},
      {"Daum", "top, HTML", true,
       [](Draft& d) {
         const Language& l = d.language;
         d.paragraph("<p>", "</p>")
             .own_text()
             .raw("<p><br></p><div>")
             .other("--------- \uc6d0\ubcf8 \uba54\uc77c ---------");
         d.raw("<br><b>").other("\ubcf4\ub0b8\uc0ac\ub78c: ").raw("</b>").other("\"{n}\" <{m}>").raw("<br><b>");
         d.other("\ubc1b\ub294\uc0ac\ub78c: ")
             .raw("</b>")
             .other(l.self)
             .raw("<br><b>")
             .other("\ub0a0\uc9dc: ")
             .raw("</b>");
         d.other("2022\ub144 5\uc6d4 3\uc77c \ud654\uc694\uc77c 10:01")
             .raw("<br><b>")
             .other("\uc81c\ubaa9: ")
             .raw("</b>");
         d.other("Re: " + l.subject).raw("</div><br>").other_text();
       }},
      {"Outlook", "to a list, no address", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.to = "list@example.org";
         d.own_text().raw("\n\n").other(l.outlook.from + " {n}\n" + l.outlook.sent + " " + l.outlook_date + "\n" +
                                        l.outlook.to + " list@example.org\n" + l.outlook.subject + " " + l.subject +
                                        "\n");
         d.raw("\n").other_text();
       }},
      {"Thunderbird", "to a list, bottom", false,
       [](Draft& d) {
         d.to = "list@example.org";
         d.wrap(72).other(d.language.thunderbird).raw("\n").quote("> ").other_text().unquote().raw("\n").own_text();
       }},
      {"Gmail", "to a list, interleaved", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.to = "list@example.org";
         d.wrap(72)
             .own(l.own[0])
             .raw("\n\n")
             .other(l.gmail)
             .raw("\n")
             .quote("> ")
             .other(l.others[1])
             .raw("\n")
             .unquote();
         d.raw("\n").own(l.own[1]).raw("\n\n").quote("> ").other(l.others[2]).raw("\n").unquote().raw("\n");
         d.own(l.own[2] + "\n\n" + l.own[3]);
       }},
      {"Webmail", "top, labels above values, HTML", true,
       [](Draft& d) {
         const Language& l = d.language;
         d.paragraph("<div>", "</div>", "<br>").own_text().raw("<hr><table><tr><td>").other(l.outlook.from);
         d.raw("</td></tr><tr><td>").other("{n} <{m}>").raw("</td></tr><tr><td>").other(l.outlook.sent);
         d.raw("</td></tr><tr><td>").other(l.outlook_date).raw("</td></tr><tr><td>").other(l.outlook.subject);
         d.raw("</td></tr><tr><td>").other(l.subject).raw("</td></tr></table>").other_text();
       }},
      {"Any", "own plan with names", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.own(l.own[0] + "\n\n" + l.subject + ":\n- " + l.other + ", 10:01\n- " + l.self + ", 11:30\n\n" + l.own[1] +
               "\n\n" + l.outlook.to + " " + l.other + "\n\n" + l.own[2] + "\n\n" + l.own[3])
             .raw("\n");
       }},
      {"Any", "own dated notes", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.own(l.own[0] + "\n\n3.5.2022, 10:01\n" + l.own[1] + "\n\n4.5.2022, 11:30 (" + l.other + ")\n" + l.own[2] +
               "\n\n" + l.own[3])
             .raw("\n");
       }},
      {"Any", "own table", false,
       [](Draft& d) {
         const Language& l = d.language;
         d.own(l.own[0]).raw("\n\n| ").own(l.subject).raw(" | ").own("3.5.2022").raw(" |\n| --- | --- |\n| ");
         d.own(l.other).raw(" | ").own("10:01").raw(" |\n\n").own(l.own[1] + "\n\n" + l.own[3]);
       }},
  };
  return all;
}

}  // namespace tern::test::mails
