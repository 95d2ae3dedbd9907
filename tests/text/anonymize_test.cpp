#include "tern/text/anonymize.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

namespace {

using tern::Index;
using tern::Pii;
using tern::scrub;

constexpr std::array class_names = {"url", "email", "iban", "card", "ip", "phone"};

/// A text in which ⟦...⟧ marks what the scrubber ought to find; without marks, nothing.
struct Case {
  Pii kind;
  bool fresh;  // written after the patterns were finished, and never used to improve them
  std::string raw, expected;
  bool positive;
};

Case make_case(const nlohmann::json& json) {
  const auto name = std::find(class_names.begin(), class_names.end(), json["class"].get<std::string>());
  const std::string text = json["text"];
  Case c{static_cast<Pii>(name - class_names.begin()), json["set"] == "fresh", text, text, false};
  for (std::size_t open; (open = c.expected.find("⟦")) != std::string::npos;) {
    const std::size_t close = c.expected.find("⟧", open);
    c.expected.replace(open, close + std::string("⟧").size() - open, tern::placeholder(c.kind));
    c.positive = true;
  }
  tern::detail::replace_all(c.raw, "⟦", "");
  tern::detail::replace_all(c.raw, "⟧", "");
  return c;
}

std::string read_text(const std::string& below_source) {
  std::ifstream file(std::string(TERN_SOURCE_DIR) + "/" + below_source);
  REQUIRE_MESSAGE(file, below_source);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<Case> read_cases() {
  std::vector<Case> cases;
  std::istringstream file(read_text("tests/text/data/pii_cases.jsonl"));
  for (std::string line; std::getline(file, line);) cases.push_back(make_case(nlohmann::json::parse(line)));
  return cases;
}

/// Of texts with the class: those scrubbed exactly as marked. Of texts without: those in which something was found.
struct Tally {
  Index positives = 0, exact = 0, negatives = 0, disturbed = 0;

  void add(const Case& c, bool is_exact) {
    (c.positive ? positives : negatives)++;
    exact += c.positive && is_exact;
    disturbed += !c.positive && !is_exact;
  }
};

std::string ratio(Index part, Index whole) { return std::to_string(part) + " of " + std::to_string(whole); }

/// In percent, to one decimal.
std::string percent(Index part, Index whole) {
  char text[16];
  std::snprintf(text, sizeof text, "%.1f%%", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
  return text;
}

std::string scrubbed(const std::string& text) { return scrub(text).text; }

}  // namespace

TEST_CASE("anonymize: recall and false positives on the test set are what docs/scrubber.md says") {
  std::array<Tally, tern::pii_classes.size()> tuned, fresh;
  for (const Case& c : read_cases()) {
    const bool is_exact = scrubbed(c.raw) == c.expected;
    (c.fresh ? fresh : tuned)[static_cast<std::size_t>(c.kind)].add(c, is_exact);
  }
  const std::string page = read_text("docs/scrubber.md");
  for (std::size_t i = 0; i < tuned.size(); ++i) {
    const Tally &t = tuned[i], &f = fresh[i];
    CHECK(t.positives >= 40);
    CHECK(f.positives >= 10);
    const std::string row = std::string("| ") + class_names[i] + " | " + ratio(t.exact, t.positives) + " | " +
                            ratio(f.exact, f.positives) + " | " +
                            ratio(t.disturbed + f.disturbed, t.negatives + f.negatives) + " | " +
                            percent(t.exact + f.exact, t.positives + f.positives) + " | " +
                            percent(t.exact + f.exact, t.exact + f.exact + t.disturbed + f.disturbed) + " |";
    CAPTURE(row);
    CHECK(page.find(row) != std::string::npos);
    const bool is_phone = static_cast<Pii>(i) == Pii::phone;
    CHECK(static_cast<double>(t.exact + f.exact) >=
          (is_phone ? 0.93 : 0.95) * static_cast<double>(t.positives + f.positives));
    CHECK(20 * (t.disturbed + f.disturbed) <= t.negatives + f.negatives);
  }
}

TEST_CASE("anonymize: counts every class and changes nothing twice") {
  const tern::Scrubbed result = scrub(
      "Ana, ana@example.org or +44 20 7946 0958, https://example.org, 192.0.2.1, "
      "4111 1111 1111 1111, DE89 3704 0044 0532 0130 00. ana@example.org!");
  CHECK(result.text == "Ana, [EMAIL] or [PHONE], [URL], [IP], [CARD], [IBAN]. [EMAIL]!");
  CHECK(result.counts[static_cast<std::size_t>(Pii::email)] == 2);
  for (Pii kind : {Pii::url, Pii::iban, Pii::card, Pii::ip, Pii::phone})
    CHECK(result.counts[static_cast<std::size_t>(kind)] == 1);
  const tern::Scrubbed again = scrub(result.text);
  CHECK(again.text == result.text);
  CHECK(again.counts == tern::PiiCounts{});
  CHECK(scrubbed("").empty());
}

TEST_CASE("anonymize: several in a row are all found") {
  CHECK(scrubbed("020 7946 0958 07700 900123") == "[PHONE] [PHONE]");
  CHECK(scrubbed("192.0.2.1 192.0.2.2\n192.0.2.3") == "[IP] [IP]\n[IP]");
  CHECK(scrubbed("a@example.org,b@example.org;c@example.org") == "[EMAIL],[EMAIL];[EMAIL]");
  CHECK(scrubbed("4111 1111 1111 1111 5555 5555 5555 4444") == "[CARD] [CARD]");
}

TEST_CASE("anonymize: checksums decide about cards and accounts") {
  CHECK(tern::detail::passes_luhn("79927398713"));
  for (char last : std::string("012456789"))
    CHECK_FALSE(tern::detail::passes_luhn("7992739871" + std::string(1, last)));
  const std::string card = "4111111111111111", iban = "GB29NWBK60161331926819";
  for (std::size_t i = 1; i < card.size(); ++i) {
    std::string wrong = card;
    wrong[i] = wrong[i] == '9' ? '0' : static_cast<char>(wrong[i] + 1);
    CHECK_FALSE(tern::detail::is_card(wrong));
  }
  CHECK(tern::detail::is_iban(iban));
  for (std::size_t i = 2; i < iban.size(); ++i) {
    std::string wrong = iban;
    wrong[i] = wrong[i] == '9' ? '0' : wrong[i] == 'Z' ? 'A' : static_cast<char>(wrong[i] + 1);
    CHECK_FALSE(tern::detail::is_iban(wrong));
  }
  CHECK_FALSE(tern::detail::is_iban("XX29NWBK60161331926819"));
}

TEST_CASE("anonymize: hostile texts cost linear time") {
  for (const char* unit : {"1 ",     "1-",    "a.",          "a@",      "a.b@",
                           "1:",     "::",    "(0",          "((((",    "+1 (",
                           "DE12 3", "www.",  "x dot y at ", "http://", "<at>",
                           "[at]",   "99999", "é",           "é.",      "4111 ",
                           "0.0.0.", "ph ",   " at a dot ",  "-0",      "01 23 45 67 89 ",
                           "A1"}) {
    std::string text;
    while (text.size() < 50'000) text += unit;
    const std::clock_t start = std::clock();  // the processor's time, which other programs do not take
    CHECK_NOTHROW(scrub(text));
    const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    CAPTURE(unit);
    CHECK(seconds < 2);
  }
}

TEST_CASE("anonymize: ill-formed text is refused") {
  CHECK_THROWS_WITH_AS(scrub("ab\xFFz"), "scrub at byte 2: expected well-formed UTF-8", tern::FormatError);
}

TEST_CASE("pattern: a search that takes too many steps is an error") {
  const tern::detail::Pattern slow("slow", "(a+)+$");
  CHECK_THROWS_AS(slow.find(std::string(64, 'a') + "b"), tern::ValueError);
  CHECK_THROWS_AS(tern::detail::Pattern("broken", "(a"), tern::ValueError);
}
