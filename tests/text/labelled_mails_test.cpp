#include <doctest/doctest.h>

#include <cstdio>
#include <map>
#include <string>

#include "tern/text/ingest/mail.hpp"
#include "text/mails/all.hpp"

namespace {

using namespace tern::test::mails;

struct Shares : Tally {
  int mails = 0;
};

/// "Gmail   210 mails   5 others' words, 0.00% kept   7 own words, 0.00% lost", a line for each.
std::string table(const std::map<std::string, Shares>& rows) {
  std::string text;
  for (const auto& [name, row] : rows) {
    char line[160];
    std::snprintf(line, sizeof line, "%-22s %5d mails %7zu others' words, %5.2f%% kept %7zu own words, %5.2f%% lost\n",
                  name.c_str(), row.mails, row.others, row.kept_share(), row.own, row.lost_share());
    text += line;
  }
  return text;
}

}  // namespace

TEST_CASE("labelled mails: at most 1% of others' words is kept, and of own words lost") {
  std::map<std::string, Shares> by_language, by_program, by_part;
  std::string worst;
  each_mail([&](const LabelledMail& mail, int part) {
    const Tally result = tally(mail.words, split_words(tern::detail::read_own_mail(mail.bytes, false).text));
    for (Shares* row : {&by_language[mail.language], &by_program[mail.program],
                        &by_part["part " + std::to_string(part)], &by_part["all"]}) {
      *row += result;
      ++row->mails;
    }
    if (result.kept + result.lost > 0)
      worst += mail.language + ", " + mail.program + ", " + mail.form + ": " + std::to_string(result.kept) + " kept, " +
               std::to_string(result.lost) + " lost\n";
  });
  MESSAGE(table(by_language) << table(by_program) << table(by_part) << worst);
  CHECK(by_part["all"].mails >= 200);
  CHECK(by_language.size() >= 15);
  CHECK(by_program.size() >= 15);
  for (const auto& row : by_part) {
    CHECK_MESSAGE(row.second.kept_share() <= 1, row.first);
    CHECK_MESSAGE(row.second.lost_share() <= 1, row.first);
  }
  for (const auto& row : by_language) {
    CHECK_MESSAGE(row.second.kept_share() <= 1, row.first);
    CHECK_MESSAGE(row.second.lost_share() <= 1, row.first);
  }
}

TEST_CASE("labelled mails: the tally counts what is kept, lost and made up") {
  const std::vector<Word> mail = {{"yes", Whose::own},    {"we", Whose::own},   {"go", Whose::own},
                                  {"will", Whose::other}, {"we", Whose::other}, {"Ana", Whose::either}};
  const auto check = [&](const char* read, std::size_t lost, std::size_t kept) {
    const Tally result = tally(mail, split_words(read));
    CHECK(result.own == 3);
    CHECK(result.others == 2);
    CHECK(result.lost == lost);
    CHECK(result.kept == kept);
  };
  check("yes, we go", 0, 0);
  check("yes we go Ana", 0, 0);
  check("yes we go, will we", 0, 2);
  check("will we", 3, 2);
  check("yes go and more", 1, 2);
  check("", 3, 0);
  CHECK(split_words("Über 3 Tage: 写道，ok") == std::vector<std::string>{"Über", "3", "Tage", "写", "道", "ok"});
}
