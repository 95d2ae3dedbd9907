#pragma once
/// The labelled mail set: every language in every form of every program. It was written in five parts, each after the
/// reply parser (tern/text/ingest/replies.hpp) was mended by those before, and none shares a pattern with it: what it
/// says comes from what the programs write. docs/people.md has the shares of each part at first try.
#include <vector>

#include "text/mails/draft.hpp"
#include "text/mails/languages_fifth.hpp"
#include "text/mails/languages_first.hpp"
#include "text/mails/languages_fourth.hpp"
#include "text/mails/languages_second.hpp"
#include "text/mails/languages_third.hpp"
#include "text/mails/programs_fifth.hpp"
#include "text/mails/programs_first.hpp"
#include "text/mails/programs_fourth.hpp"
#include "text/mails/programs_second.hpp"
#include "text/mails/programs_third.hpp"

namespace tern::test::mails {

/// Calls visit(mail, part) for each mail; its part (1 to 5) is that of its language or its program, whichever is
/// later.
template <class Visit>
void each_mail(Visit visit) {
  const std::vector<Language>* const languages[] = {&first_languages(), &second_languages(), &third_languages(),
                                              &fourth_languages(), &fifth_languages()};
  const std::vector<Form>* const programs[] = {&first_programs(), &second_programs(), &third_programs(), &fourth_programs(),
                                         &fifth_programs()};
  for (int l = 0; l < 5; ++l)
    for (int p = 0; p < 5; ++p)
      for (const Language& language : *languages[l])
        for (const Form& form : *programs[p]) visit(written(language, form), std::max(l, p) + 1);
}

}  // namespace tern::test::mails
