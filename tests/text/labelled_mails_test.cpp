#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "tern/text/ingest/mail.hpp"
#include "text/mails/draft.hpp"
#include "text/mails/languages.hpp"
#include "text/mails/languages_held_out.hpp"
#include "text/mails/languages_third.hpp"
#include "text/mails/programs.hpp"
#include "text/mails/programs_held_out.hpp"
#include "text/mails/programs_third.hpp"

namespace {

using namespace tern::test::mails;

Tally read(const LabelledMail& mail) {
  const std::string text = tern::detail::read_own_mail(mail.bytes, false).text;
  const Tally result = tally(mail.words, split_words(text));
  if (std::getenv("SHOW") && (result.lost > 0 || result.kept > 0)) std::printf("== %s | %s | %s: lost %zu kept %zu\n%s\n---- in:\n%s\n", mail.language.c_str(), mail.program.c_str(), mail.form.c_str(), result.lost, result.kept, text.c_str(), mail.bytes.c_str());
  return result;
}

}  // namespace

TEST_CASE("labelled mails") {
  std::map<std::string, Tally> by_language, by_program;
  Tally all;
  int n = 0;
  const int which = std::getenv("WHICH") ? std::atoi(std::getenv("WHICH")) : 63;
  std::vector<std::pair<const Language*, const Form*>> pairs;
  if (which & 1) for (const Language& l : languages()) for (const Form& f : programs()) pairs.push_back({&l, &f});
  if (which & 2) for (const Language& l : languages()) for (const Form& f : held_out_programs()) pairs.push_back({&l, &f});
  if (which & 4) for (const Language& l : held_out_languages()) for (const Form& f : programs()) pairs.push_back({&l, &f});
  if (which & 8) for (const Language& l : held_out_languages()) for (const Form& f : held_out_programs()) pairs.push_back({&l, &f});

  if (which & 16) for (const auto* ls : {&languages(), &held_out_languages()}) for (const Language& l : *ls) for (const Form& f : third_programs()) pairs.push_back({&l, &f});
  if (which & 32) for (const Language& l : third_languages()) for (const auto* fs : {&programs(), &held_out_programs(), &third_programs()}) for (const Form& f : *fs) pairs.push_back({&l, &f});
    for (const auto& [lp, fp] : pairs) { const Language& language = *lp; const Form& form = *fp;
      const LabelledMail mail = written(language, form);
      const Tally t = read(mail);
      by_language[mail.language] += t;
      by_program[mail.program + ": " + mail.form] += t;
      all += t;
      ++n;
    }
  for (const auto& table : {by_language, by_program}) for (const auto& [name, t] : table) std::printf("%-45s %6zu %6zu kept %6.2f lost %6.2f\n", name.c_str(), t.others, t.own, t.kept_share(), t.lost_share());
  std::printf("%d mails kept %.2f lost %.2f\n", n, all.kept_share(), all.lost_share());
}
