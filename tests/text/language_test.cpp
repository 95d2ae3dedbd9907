#include "tern/text/language.hpp"

#include <doctest/doctest.h>

TEST_CASE("language: of a sentence") {
  using tern::guess_language;
  CHECK(guess_language("The house is not for you, and it was the end of that.") == "en");
  CHECK(guess_language("Das Haus ist nicht für dich, und ich bin auch mit der Katze da.") == "de");
  CHECK(guess_language("La maison est dans une rue et je ne sais pas pour qui.") == "fr");
  CHECK(guess_language("El perro y los gatos no se van por la casa con una mujer.") == "es");
  CHECK(guess_language("Это не то, что я хотел, и он так не думал.") == "ru");
  CHECK(guess_language("പ്രസിദ്ധ മാന്ത്രികനായിരുന്ന") == "ml");
  CHECK(guess_language("别曾學士兒時聞公名") == "zh");
  CHECK(guess_language("これは日本語の文です。") == "ja");
  CHECK(guess_language("Huset er ikke stort, men jeg kan ikke se hva det er for noe.") == "no");
  CHECK(guess_language("שלום לכולם, הבית הזה הוא של המשפחה שלי") == "he");
  CHECK(guess_language("qwx zzk 123") == "und");
  CHECK(guess_language("") == "und");
  CHECK(guess_language("caf\xe9 caf\xe9 caf\xe9") == "und");
}
