#include "tern/experiment/generic_text.hpp"

#include <doctest/doctest.h>

#include <fstream>

#include "support/temporary_directory.hpp"

using namespace tern;
namespace fs = std::filesystem;

TEST_CASE("generic text: of the language and kind, else of the language, else its prose; code has no language") {
  const tern::test::TemporaryDirectory folder;
  const fs::path own = folder.path() / "own", bundled = folder.path() / "bundled";
  for (const char* name : {"own/de", "bundled/de", "bundled/de-mail", "bundled/en-prose", "bundled/code"})
    fs::create_directories(folder.path() / name);
  const std::vector<fs::path> both = {own, bundled};
  CHECK(find_generic_text(both, "de", "mail") == bundled / "de-mail");
  CHECK(find_generic_text(both, "de", "chat") == own / "de");
  CHECK(find_generic_text(both, "en", "chat") == bundled / "en-prose");
  CHECK(find_generic_text(both, "fr", "code") == bundled / "code");
  CHECK_FALSE(find_generic_text(both, "fr", "prose"));
  CHECK_FALSE(find_generic_text(both, "und", "prose"));
  CHECK_FALSE(find_generic_text({}, "en", "prose"));
}

TEST_CASE("generic text: what is bundled is enough, and is in the language that its folder names") {
  const fs::path bundled = fs::path(TERN_SOURCE_DIR) / "examples" / "shootout" / "generic";
  for (const auto& [folder, kind] : {std::pair("en-prose", Kind::prose), {"ml", Kind::prose}, {"code", Kind::code}}) {
    const std::string name = folder;
    CAPTURE(name);
    const GenericText text = read_generic_text(bundled / name);
    CHECK(text.name == name);
    CHECK(text.bytes >= 60'000);
    for (const Document& d : text.documents) CHECK(d.kind == kind);
  }
}
