#include "tern/experiment/report.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

using namespace tern;
using nlohmann::json;

namespace {

const std::string hostile = "<img src=x onerror=\"a('b')\">&|*_`\n#";

/// Users with ppl(base) = 20 whose own adapter has 15, and 30 on the texts of others; ppl is exp(nll / tokens).
struct Document {
  explicit Document(std::vector<std::string> users) : names(std::move(users)) {
    results = {{"tern", {{"version", "0.1.0"}, {"cpu", "a <CPU>"}, {"threads", 2}, {"isa", "avx2"}}},
               {"base", {{"name", "base-30m"}, {"fingerprint", "0123abcd"}, {"parameters", 30000000}}},
               {"protocol",
                {{"context", 256},
                 {"budget", {{"steps", 40}}},
                 {"seeds", {0}},
                 {"formats", {"norm", "lora-r4"}},
                 {"learning_rates", {{"norm", {0.003, 0.01}}}},
                 {"convention", "chunked"}}},
               {"users", json::array()},
               {"left_out", json::array()},
               {"adapters", json::array()},
               {"cells", json::array()},
               {"verdicts", json::object()}};
    for (const std::string& user : names) {
      results["users"].push_back({{"name", user}, {"tokens", {{"held_out", {100, 100, 100}}}}});
      cell(nullptr, user, 20);
    }
    for (const char* format : {"norm", "lora-r4"})
      for (const std::string& user : names) {
        const std::string id = add(format, user);
        for (const std::string& text : names) cell(id, text, text == user ? 15 : 30);
      }
  }

  std::string add(const std::string& format, const std::string& user, const std::string& data = "real",
                  const std::string& weights = "dense") {
    const std::string id = format + "/" + user + "/" + data + "/" + weights;
    results["adapters"].push_back(
        {{"id", id},
         {"format", format},
         {"user", user},
         {"seed", 0},
         {"data", data},
         {"weights", weights},
         {"bytes", 9216},
         {"steps", 40},
         {"learning_rate", 0.01},
         {"status", "ok"},
         {"curve", {{{"step", 0}, {"validation_ppl", 20}}, {{"step", 40}, {"validation_ppl", 16}}}}});
    return id;
  }

  void cell(const json& adapter, const std::string& user, double ppl, const std::string& weights = "dense") {
    results["cells"].push_back({{"adapter", adapter},
                                {"weights", weights},
                                {"user", user},
                                {"text", 0},
                                {"nll", 100 * std::log(ppl)},
                                {"tokens", 100},
                                {"bytes", 400}});
  }

  void fail(const std::string& id, const std::string& reason) {
    for (json& a : results["adapters"])
      if (a["id"] == id) a["status"] = "failed", a["reason"] = reason;
    json& cells = results["cells"];
    cells.erase(std::remove_if(cells.begin(), cells.end(), [&](const json& c) { return c["adapter"] == id; }),
                cells.end());
  }

  void verdict(const std::string& id, const json& holds, const std::string& sentence) {
    results["verdicts"][id] = {{"holds", holds}, {"sentence", sentence}, {"comparisons", 4}};
  }

  void all_verdicts() {
    for (const char* id : {"E1", "E2", "E3", "E4", "E6", "E9", "E12", "tree"}) verdict(id, true, "A sentence.");
  }

  std::vector<std::string> names;
  json results;
};

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::size_t occurrences(const std::string& text, std::string_view part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++n;
  return n;
}

/// Every element that is opened is closed, in order: enough of a parser for what the reports write.
bool well_formed(const std::string& markup) {
  std::vector<std::string> open;
  for (auto at = markup.find('<'); at != std::string::npos; at = markup.find('<', at + 1)) {
    const auto end = markup.find('>', at);
    if (end == std::string::npos) return false;
    const std::string tag = markup.substr(at + 1, end - at - 1);
    if (tag[0] == '!' || tag.back() == '/' || tag.rfind("meta", 0) == 0) continue;
    if (tag[0] != '/') {
      open.push_back(tag.substr(0, tag.find(' ')));
    } else {
      if (open.empty() || open.back() != tag.substr(1)) return false;
      open.pop_back();
    }
  }
  return open.empty();
}

/// No number that is none has leaked into either report, and the page parses.
void check_sound(const json& results) {
  const std::string page = report_html(results), text = report_markdown(results);
  for (const char* bad : {"nan", "NaN", ">inf", "-inf", "\"inf", "null"}) {
    CAPTURE(bad);
    CHECK_FALSE(has(page, bad));
    CHECK_FALSE(has(text, bad));
  }
  CHECK(well_formed(page));
  CHECK_FALSE(has(page, "http://localhost"));
  CHECK_FALSE(has(page, "<script"));
  CHECK_FALSE(has(page, "<link"));
  CHECK_FALSE(has(page, "url("));
}

}  // namespace

TEST_CASE("report: numbers are short, signed and true") {
  using namespace report;
  CHECK(margin(0.123) == "+12.3%");
  CHECK(margin(-0.05, 0) == "−5%");
  CHECK(margin(-0.0001) == "0.0%");
  CHECK(margin(-11.0) == "×12");
  CHECK(margin(std::nullopt) == missing);
  CHECK(bytes(9216) == "9.22 kB");
  CHECK(bytes(645e9) == "645 GB");
  CHECK(bytes(999.7e3) == "1.00 MB");
  CHECK(grouped(10'000'000) == "10,000,000");
  CHECK(grouped(999) == "999");
  CHECK(perplexity(23.456) == "23.46");
  CHECK(seconds(300) == "300 s");
  CHECK(seconds(70.0 * 3600) == "70.0 h");
  CHECK(shorten("Дарья Волкова", 6) == "Дарья…");
  CHECK(shorten("short", 5) == "short");
  CHECK(median({3, 1, 2, 10}) == 2.5);
  CHECK(ticks(0, 0.23, 5) == std::vector<double>{0, 0.05, 0.1, 0.15000000000000002, 0.2});
}

TEST_CASE("report: names stay names") {
  CHECK(report::escape_html("<a href='x'>&\"") == "&lt;a href=&#39;x&#39;&gt;&amp;&quot;");
  CHECK(report::escape_html(std::string("a\x01"
                                        "b\nc")) ==
        "a\xef\xbf\xbd"
        "b c");
  CHECK(report::escape_markdown("a|b*c_[d](e)<f>\n# g") == "a\\|b\\*c\\_\\[d\\](e)\\<f\\> \\# g");

  Document d({hostile, "other"});
  d.all_verdicts();
  d.verdict("E1", false, "Lost for " + hostile);
  d.results["left_out"].push_back({{"name", hostile}, {"reason", hostile}});
  d.results["base"]["name"] = hostile;
  d.fail("lora-r4/other/real/dense", hostile);
  check_sound(d.results);
  CHECK_FALSE(has(report_html(d.results), "<img"));
  CHECK(has(report_html(d.results), "&lt;img src=x"));
  CHECK(occurrences(report_markdown(d.results), "<img") == occurrences(report_markdown(d.results), "\\<img"));
  // A row stays one line of as many cells as the table has.
  CHECK(has(report_markdown(d.results), "\\&\\|\\*\\_\\` \\#"));
  CHECK_FALSE(has(heat_map_svg(d.results, "norm"), "<img"));
  CHECK(well_formed(heat_map_svg(d.results, "norm")));
}

TEST_CASE("report: verdicts come first, a null as clearly as a win") {
  Document d({"ada", "bo"});
  d.verdict("E1", true, "Norm-only won.");
  d.verdict("E4", false, "Norm-only is not personal.");
  d.verdict("E6", nullptr, "There is no gain to recover.");
  d.results["verdicts"]["E6"]["reason"] = "the dense base gained nothing";
  d.verdict("E9", nullptr, "It is cheap.");
  d.verdict("tree", nullptr, "Take LoRA-r4.");
  d.results["verdicts"]["E1"]["interval"] = {{"point", 0.1}, {"low", 0.05}, {"high", 0.2}};
  check_sound(d.results);
  for (const std::string& report : {report_html(d.results), report_markdown(d.results)}) {
    CHECK(report.find("Take LoRA-r4.") < report.find("Norm-only won."));
    CHECK(report.find("Norm-only won.") < report.find("Perplexity on own held-out text"));
    CHECK(has(report, "Of 2 claims put to the test, 1 holds and 1 does not."));
    CHECK(has(report, "Does not hold"));
    CHECK(has(report, "Not decided"));
    CHECK(has(report, "Measured"));
    CHECK(has(report, "Reason: the dense base gained nothing."));
    CHECK(has(report, "interval of the margin: +5.0% to +20.0%"));
    CHECK_FALSE(has(report, "E2 "));
    CHECK_FALSE(has(report, "E12"));
  }
}

TEST_CASE("report: the numbers are those of the cells") {
  Document d({"ada", "bo"});
  d.all_verdicts();
  d.cell("norm/ada/real/dense", "ada", 5);  // pools with the first text: exp((ln 15 + ln 5) / 2)
  d.cell("norm/" + d.names[0] + "/uniform/dense", "ada", 30);
  for (const std::string& user : d.names) {
    const std::string noise = d.add("norm", user, "uniform");
    d.cell(noise, user, 30);
    const std::string ternary = d.add("norm", user, "real", "ternary");
    d.cell(nullptr, user, 40, "ternary");
    d.cell(ternary, user, 40 * std::pow(15.0 / 20, 0.5), "ternary");
  }
  check_sound(d.results);
  const std::string text = report_markdown(d.results);
  CHECK(has(text, "8.66 (+56.7%)"));   // E1, ada
  CHECK(has(text, "15.00 (+25.0%)"));  // E1, bo
  CHECK(has(text, "+50.0%"));          // E3, bo: 1 - 15/30
  CHECK(has(text, "−50%"));            // E4: others' adapters, 1 - 30/20
  CHECK(has(text, " 50% |"));          // E6, bo: half the log gain
  CHECK(has(text, "92.2 GB"));         // E9: 9,216 bytes for 10,000,000 users
  const report::Readings r(d.results);
  const auto m = report::own_margins(r, "lora-r4", "bo");
  CHECK(*m.base == doctest::Approx(0.25));
  CHECK(*m.mean == doctest::Approx(0.5));
  CHECK(m.personal());
  CHECK(*report::recovery(r, "norm", "bo") == doctest::Approx(0.5));
}

TEST_CASE("report: a shootout on ternary weights reads like one on dense weights") {
  Document dense({"ada", "bo"});
  dense.all_verdicts();
  json ternary = dense.results;
  ternary["protocol"]["weights"] = "ternary";
  for (const char* list : {"adapters", "cells"})
    for (json& entry : ternary[list]) entry["weights"] = "ternary";
  check_sound(ternary);
  CHECK(has(report_markdown(ternary), "15.00 (+25.0%)"));
  CHECK_FALSE(has(report_markdown(ternary), "recovery"));
  CHECK(heat_map_svg(ternary, "norm") == heat_map_svg(dense.results, "norm"));
}

TEST_CASE("report: failed runs and users left out are named") {
  Document d({"ada", "bo"});
  d.all_verdicts();
  d.fail("norm/ada/real/dense", "the loss is not finite at step 7");
  d.results["left_out"].push_back({{"name", "zoe"}, {"reason", "too little text"}});
  check_sound(d.results);
  for (const std::string& report : {report_html(d.results), report_markdown(d.results)}) {
    CHECK(has(report, "the loss is not finite at step 7"));
    CHECK(has(report, "too little text"));
    CHECK(has(report, "4, of which 1 failed"));
    CHECK(has(report, "failed"));
  }
}

TEST_CASE("report: one user, one seed, no rival still make a report") {
  Document d({"ada"});
  d.all_verdicts();
  check_sound(d.results);
  CHECK(has(report_html(d.results), "<svg"));
  CHECK(has(heat_map_svg(d.results, "norm"), "+25"));
}

TEST_CASE("report: what is absent, null or not finite is left out") {
  check_sound(json::object());
  check_sound(json());
  check_sound(json::parse(R"({"users": 3, "adapters": [1, {"id": null}], "cells": [{}, null], "verdicts": []})"));
  check_sound(json::parse(R"({"verdicts": {"E1": null, "E4": {}, "mine": {"holds": true, "sentence": "Own."}}})"));
  CHECK(has(report_markdown(json::parse(R"({"verdicts": {"mine": {"holds": true, "sentence": "Own."}}})")), "Own."));

  Document d({"ada", "bo"});
  d.all_verdicts();
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  d.results["cells"][0]["nll"] = nan;
  d.results["cells"][1]["nll"] = 1e6;  // exp overflows
  d.results["cells"][3]["nll"] = inf;
  d.results["cells"][4]["tokens"] = 0;
  d.results["adapters"][0]["learning_rate"] = nan;
  d.results["adapters"][0]["bytes"] = inf;
  d.results["adapters"][1]["curve"][0]["validation_ppl"] = nullptr;
  d.results["adapters"][2]["curve"][1]["validation_ppl"] = nan;
  d.results["verdicts"]["E1"]["interval"] = {{"low", -inf}, {"high", 1}};
  check_sound(d.results);
}

TEST_CASE("report: one diverged adapter does not flatten the others") {
  Document d({"ada", "bo"});
  d.all_verdicts();
  for (json& cell : d.results["cells"])
    if (cell["adapter"] == "norm/ada/real/dense") cell["nll"] = 100 * std::log(1e9);
  check_sound(d.results);
  CHECK(report::colour_limit(report::Readings(d.results)) == doctest::Approx(std::log(2.0)));
  CHECK(has(report_markdown(d.results), "×5e+07"));
}

TEST_CASE("report: the mean of the others is geometric") {
  Document d({"ada", "bo", "cy"});
  for (json& cell : d.results["cells"])
    if (cell["adapter"] == "norm/bo/real/dense" && cell["user"] == "ada") cell["nll"] = 100 * std::log(120.0);
  const auto m = report::own_margins(report::Readings(d.results), "norm", "ada");
  CHECK(*m.mean == doctest::Approx(0.75));  // sqrt(30 * 120) = 60
  CHECK(*m.best == doctest::Approx(0.5));
}

TEST_CASE("report: a heat map stands alone") {
  Document d({"ada", "bo", "cy"});
  const std::string svg = heat_map_svg(d.results, "norm");
  CHECK(svg.rfind("<svg xmlns=\"http://www.w3.org/2000/svg\"", 0) == 0);
  CHECK(has(svg, "prefers-color-scheme:dark"));
  CHECK(well_formed(svg));
  CHECK(occurrences(svg, "<title>") == 9);
  CHECK(has(svg, "text of ada, adapter of bo: −50.0%"));
  CHECK(has(svg, "text of ada, adapter of ada: +25.0%"));
  CHECK_THROWS_WITH_AS(heat_map_svg(d.results, "full"), "heat map: expected a format with trained adapters, got 'full'",
                       ValueError);
}
